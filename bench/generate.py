"""Writes the same N orders as JSON Lines, CSV, XML and a SQLite table, the same for every run.

    generate.py DIRECTORY [N]
"""

import json
import os
import random
import sqlite3
import sys

WORDS = ("leave at the door please ring twice call before delivery gift wrap fragile handle with "
         "care second floor blue gate opposite the mill behind the bakery").split()


def orders(count):
    source = random.Random(42)
    for number in range(1, count + 1):
        note = " ".join(source.choice(WORDS) for _ in range(source.randrange(9, 15)))[:62]
        if source.random() < 0.04:
            note = note[:40] + ' "caf\u00e9"\nline two'
        yield {
            "id": number,
            "customer_id": source.randrange(1, 100_000),
            "amount": f"{source.randrange(100, 1_000_000) / 100:.2f}",
            "currency": source.choice(("EUR", "USD", "GBP", "SEK", "CZK")),
            "status": source.choice(("new", "paid", "shipped", "returned")),
            "created_at": f"2026-{source.randrange(1, 13):02}-{source.randrange(1, 29):02}T"
                          f"{source.randrange(24):02}:{source.randrange(60):02}:"
                          f"{source.randrange(60):02}Z",
            "note": note,
        }


def xml_text(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def csv_cell(text):
    if any(c in text for c in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def main(directory, count=1_000_000):
    count = int(count)
    if os.path.exists(f"{directory}/complete-{count}"):
        return
    os.makedirs(directory, exist_ok=True)
    database = sqlite3.connect(f"{directory}/orders.db")
    database.execute("DROP TABLE IF EXISTS orders")
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, "
                     "amount NUMERIC, currency TEXT, status TEXT, created_at TEXT, note TEXT)")
    with open(f"{directory}/orders.jsonl", "w") as lines, \
            open(f"{directory}/orders.csv", "w") as csv, \
            open(f"{directory}/orders.xml", "w") as xml:
        xml.write('<?xml version="1.0" encoding="UTF-8"?>\n<orders>\n')
        rows = []
        for order in orders(count):
            if order["id"] == 1:
                csv.write(",".join(order) + "\n")
            text = json.dumps(order, separators=(",", ":"))
            amount = order["amount"]
            lines.write(text.replace(f'"amount":"{amount}"', f'"amount":{amount}') + "\n")
            csv.write(",".join(csv_cell(str(value)) for value in order.values()) + "\n")
            xml.write('  <order id="%d">' % order["id"] + "".join(
                f"<{name}>{xml_text(str(value))}</{name}>"
                for name, value in order.items() if name != "id") + "</order>\n")
            rows.append(tuple(order.values()))
            if len(rows) == 50_000:
                database.executemany("INSERT INTO orders VALUES (?,?,?,?,?,?,?)", rows)
                rows.clear()
        database.executemany("INSERT INTO orders VALUES (?,?,?,?,?,?,?)", rows)
        xml.write("</orders>\n")
    database.commit()
    open(f"{directory}/complete-{count}", "w").close()


main(*sys.argv[1:])
