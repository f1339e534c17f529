"""Fills the disk under millrace's data directory: the run stops or waits cleanly, says why, loses
nothing, and goes on when there is room.

    disk_full.py MILLRACE DIRECTORY

DIRECTORY/small is a mounted file system of a few MiB.
"""

import json
import os
import sqlite3
import subprocess
import sys

PIPELINE = """
pipeline: full
topics:
  events: {partitions: 2}
sources:
  inbox:
    connector: json
    include: input.json
    topic: events
    key.fields: [id]
    errors.retry.timeout: 2s
sinks:
  database:
    connector: sqlite
    topics: [events]
    path: events.db
"""
RECORDS = 60_000


def main(millrace, directory):
    small = f"{directory}/small"
    with open(f"{directory}/input.json", "w") as file:
        for number in range(1, RECORDS + 1):
            file.write(json.dumps({"id": number, "text": "x" * 150}) + "\n")
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(PIPELINE)
    # Leaves room for a part of the records only.
    with open(f"{small}/ballast", "wb") as file:
        file.write(b"\0" * (9 << 20))
    command = [millrace, "run", "--data-dir", f"{small}/data", f"{directory}/pipeline.yaml"]

    full = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if full.returncode != 3 or "topics.disk_full" not in full.stderr:
        sys.exit(f"on a full disk: exit code {full.returncode}\n{full.stderr[-3000:]}")
    if "Fatal error" in full.stderr:
        sys.exit(f"crashed: {full.stderr[-3000:]}")

    os.unlink(f"{small}/ballast")
    again = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if again.returncode != 0:
        sys.exit(f"with room again: exit code {again.returncode}\n{again.stderr[-3000:]}")
    rows = sqlite3.connect(f"{directory}/events.db").execute(
        "SELECT count(*), count(DISTINCT id), sum(id) FROM events").fetchone()
    if rows != (RECORDS, RECORDS, RECORDS * (RECORDS + 1) // 2):
        sys.exit(f"rows, distinct ids and their sum: {rows}")
    print(full.stderr[-600:])


main(*sys.argv[1:])
