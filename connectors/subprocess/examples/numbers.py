#!/usr/bin/env python3
"""Counts, as a source; keeps numbers in a table, exactly once, as a sink."""
import json
import sqlite3
import sys


def receive():
    line = sys.stdin.readline()
    return json.loads(line) if line else {"type": "stop"}


def send(type, **rest):
    print(json.dumps({"type": type, **rest}), flush=True)


def source(config, start):
    number = start["positions"].get("count", {}).get("next", 1)
    credit = start["credit"]
    while number <= config["count"]:
        batch = range(number, min(number + 100, config["count"] + 1))
        while credit < len(batch):  # Millrace has enough for now
            message = receive()
            if message["type"] == "stop":
                return
            credit += message.get("records", 0)
        for n in batch:
            send("record", topic=config["topic"], key_text=str(n), value={"n": n}, headers={"by": "py"})
        number, credit = batch[-1] + 1, credit - len(batch)
        send("position", partition="count", offset={"next": number})


def sink(config, start):
    db = sqlite3.connect(config["path"], isolation_level=None)
    db.execute("CREATE TABLE IF NOT EXISTS numbers (n INTEGER)")
    db.execute("CREATE TABLE IF NOT EXISTS offsets (topic, partition, next, PRIMARY KEY (topic, partition))")
    names = ("topic", "partition", "offset")
    send("ready", offsets=[dict(zip(names, row)) for row in db.execute("SELECT * FROM offsets")])
    db.execute("BEGIN")
    while (message := receive())["type"] != "stop":
        if message["type"] == "record" and "n" not in message["value"]:
            place = {name: message[name] for name in names}
            send("error", disposition="reject", message="There is no `n`.", **place)
        elif message["type"] == "record":
            db.execute("INSERT INTO numbers VALUES (?)", [message["value"]["n"]])
        elif message["type"] == "flush":
            send("flushed", id=message["id"])
        elif message["type"] == "commit":
            rows = [[place[name] for name in names] for place in message["offsets"]]
            db.executemany("REPLACE INTO offsets VALUES (?, ?, ?)", rows)
            db.execute("COMMIT")
            send("committed", id=message["id"])
            db.execute("BEGIN")


hello = receive()
send("hello", protocol=1, name="numbers", capabilities=["offsets"])
if (start := receive())["type"] == "start":  # `millrace doctor` asks for the greeting alone
    (source if hello["role"] == "source" else sink)(start["config"], start)
    send("end")
