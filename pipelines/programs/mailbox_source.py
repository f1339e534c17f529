#!/usr/bin/env python3
"""Reads the messages of an mbox file; docs/subprocess-protocol.md describes what is said here."""
import json
import mailbox
import sys
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime


def receive():
    line = sys.stdin.readline()
    return json.loads(line) if line else {"type": "stop"}


def send(type, **rest):
    print(json.dumps({"type": type, **rest}), flush=True)


def record(message):
    sent = parsedate_to_datetime(message["Date"])
    name, address = parseaddr(str(make_header(decode_header(message["From"]))))
    send(
        "record",
        key_text=message["Message-ID"],
        timestamp=int(sent.timestamp() * 1000),
        value={
            "id": message["Message-ID"],
            "sent": sent.isoformat(),
            "name": name,
            "address": address,
            "subject": str(make_header(decode_header(message["Subject"] or ""))),
            "parts": sum(1 for _ in message.walk()),
        },
    )


def read(path, first, credit):
    for number, message in enumerate(mailbox.mbox(path, create=False)):
        if number < first:
            continue
        while credit == 0:  # Millrace has enough for now
            answer = receive()
            if answer["type"] == "stop":
                return
            credit += answer.get("records", 0)
        record(message)
        send("position", partition=path, offset={"next": number + 1})
        credit -= 1


receive()
send("hello", protocol=1, name="mailbox")
start = receive()
if start["type"] == "start":
    path = start["config"]["path"]
    place = start["positions"].get(path, {})
    read(path, place.get("next", 0), start["credit"])
    send("end")
