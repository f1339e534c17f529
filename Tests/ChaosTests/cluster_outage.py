"""Takes the brokers of a cluster away for longer than any request may take, while a source goes on that
never ends. Memory must stay within bounds meanwhile; afterwards the same process goes on, and in the end
each record is in the topic exactly once, as a client that nobody here wrote reads what is committed, and
SQLite has each exactly once.

    cluster_outage.py MILLRACE DIRECTORY BOOTSTRAP CONTROL [SECONDS [down|frozen]]

CONTROL is the port of the relay's that lets clients in or not.
"""

import collections
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time

from cluster import difference, values

# Requests are given up after 60 s.
SECONDS = 75
# Of which the source would fill more than three hundred while the brokers are away.
LIMIT_MIB = 192
# Attempts as well as time, because a loaded machine may stop all processes for long.
ATTEMPTS = 2400

SOURCE = """
sources:
  in:
    connector: generate
    topic: numbers
    rate: 2000
    columns: [n, text]
    fields: {n: sequence, text: text 2500..2500}
"""
PIPELINE = """
pipeline: outage
broker: {bootstrap.servers: "${env:BOOTSTRAP}", replication.factor: 1}
topics:
  numbers: {partitions: 4}
sinks:
  out:
    connector: sqlite
    topics: [numbers]
    path: out.db
    table.name.format: numbers
    auto.create: true
    offset.flush.interval.ms: 20
"""


class Run:
    def __init__(self, millrace, directory, bootstrap):
        self.directory = os.path.abspath(directory)
        self.command = [os.path.abspath(millrace), "run", "--log-level", "info", "pipeline.yaml"]
        self.environment = {**os.environ, "BOOTSTRAP": bootstrap}
        self.write(PIPELINE + SOURCE)
        with open(f"{self.directory}/log", "w") as log:
            self.process = subprocess.Popen(self.command, cwd=self.directory, stdout=log,
                                            stderr=log, env=self.environment)

    def write(self, pipeline):
        with open(f"{self.directory}/pipeline.yaml", "w") as file:
            file.write(pipeline)

    def drain(self):
        """Lets the sink come to the end of the topic, which grows no more."""
        self.write(PIPELINE)
        result = subprocess.run(self.command, cwd=self.directory, env=self.environment,
                                capture_output=True, text=True, timeout=600)
        if result.returncode != 0:
            self.fail(f"without its source it ended with {result.returncode}: {result.stderr}")

    def fail(self, reason):
        raise SystemExit(f"{reason}\n" + open(f"{self.directory}/log").read()[-6000:])

    def check(self):
        code = self.process.poll()
        if code is not None:
            self.fail(f"it ended with {code}")

    def memory(self):
        """What is in memory now, and what was at the most, in MiB."""
        self.check()
        with open(f"/proc/{self.process.pid}/status") as file:
            status = file.read()
        return [int(re.search(name + r":\s+(\d+)", status).group(1)) // 1024
                for name in ("VmRSS", "VmHWM")]

    def rows(self, what="count(*)"):
        try:
            database = sqlite3.connect(f"file:{self.directory}/out.db?mode=ro", uri=True, timeout=60)
            with database:
                return database.execute(f"SELECT {what} FROM numbers").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def wait_for(self, count):
        for _ in range(ATTEMPTS):
            self.check()
            if self.rows() >= count:
                return
            time.sleep(0.05)
        self.fail(f"waited in vain for {count} rows")


def tell(control, word):
    with socket.create_connection(("127.0.0.1", int(control)), timeout=120) as connection:
        connection.sendall(word.encode() + b"\n")
        if connection.recv(5) != b"done\n":
            raise SystemExit(f"the relay did not do as told: {word}")


def main(millrace, directory, bootstrap, control, seconds=SECONDS, word="down"):
    run = Run(millrace, directory, bootstrap)
    try:
        run.wait_for(2000)
        before = run.memory()[0]
        tell(control, word)
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            run.check()
            time.sleep(0.5)
        away = run.memory()[0]
        tell(control, "up")
        run.wait_for(run.rows() + 8000)
        peak = run.memory()[1]
        run.process.send_signal(signal.SIGTERM)
        code = run.process.wait(timeout=600)
        if code != 0:
            run.fail(f"it ended with {code}")
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
    if peak > LIMIT_MIB:
        run.fail(f"it had {peak} MiB in memory, {before} before the brokers were away")
    run.drain()
    expected = set(range(1, run.rows() + 1))
    found = collections.Counter(
        json.loads(value)["n"] for value in values(bootstrap, "numbers", "read_committed"))
    database = sqlite3.connect(f"{run.directory}/out.db")
    rows = collections.Counter(row[0] for row in database.execute("SELECT n FROM numbers"))
    problems = difference("topic", found, expected) + difference("SQLite", rows, expected)
    if problems:
        run.fail("\n".join(problems))
    print(f"{len(expected)} records; {before} MiB before, {away} MiB after {seconds} s without brokers "
          f"({word}), {peak} MiB at the most")


main(*sys.argv[1:])
