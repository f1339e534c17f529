"""Kills millrace with SIGKILL at random moments while it captures a SQLite database that another
process writes, and applies what it captured to a second database. At the end

- the topics hold every change exactly once and in order: applied one after the other, each fits the
  row that the ones before it left, and the last state is that of the tables;
- transactions are told in commit order, and none is told in part;
- the second database holds the same rows, and was never seen with a part of a transaction.

    capture.py MILLRACE DIRECTORY KILLS [SEED]      every fourth seed without a write-ahead log
"""

import base64
import collections
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time

PIPELINE = """
pipeline: capture
sources:
  app:
    connector: sqlite-cdc
    path: app.db
    topic.prefix: app
    snapshot.fetch.size: 50
    poll.interval.ms: 2
    prune.interval.ms: 20
    provide.transaction.metadata: true
sinks:
  copy:
    connector: sqlite
    topics: [app.accounts, app.tags, app.events, app.totals]
    transaction.topic: app.transaction
    path: copy.db
    transforms: [{type: unwrap}]
    table.name.format: ${table}
    insert.mode: upsert
    pk.mode: record_key
    delete.enabled: true
    offset.flush.interval.ms: 20
"""

SCHEMA = """
PRAGMA journal_mode = %s;
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT UNIQUE, balance INT, version INT);
CREATE TABLE tags (account INT, tag TEXT, version INT, bytes BLOB, ratio REAL,
                   shout AS (upper(tag)), PRIMARY KEY (tag, account)) WITHOUT ROWID;
CREATE TABLE events (seq INTEGER PRIMARY KEY, note TEXT);
CREATE TABLE totals (id INTEGER PRIMARY KEY, total INT);
INSERT INTO totals VALUES (1, 0);
"""

KEYS = {"accounts": ["id"], "tags": ["tag", "account"], "events": ["seq"], "totals": ["id"]}


class Writer(threading.Thread):
    """Changes rows in several tables, each time with a version of its own, until it is told to stop.

    The sum of all balances is what `totals` holds after each transaction.
    """

    def __init__(self, path, seed):
        super().__init__()
        self.path = path
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.version = self.sequence = self.transactions = 0
        self.failure = None

    def run(self):
        try:
            connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            connection.execute("PRAGMA synchronous = off")
            while not self.stopping.is_set():
                self.transaction(connection)
                if self.random.random() < 0.3:
                    time.sleep(self.random.random() * 0.004)
            connection.close()
        except Exception as failure:  # told by the main thread
            self.failure = failure

    def transaction(self, connection):
        connection.execute("BEGIN IMMEDIATE")
        # Now and then more than one commit of the topics takes.
        count = 5_000 if self.random.random() < 0.001 else self.random.randrange(1, 8)
        for _ in range(count):
            self.change(connection)
        self.sequence += 1
        connection.execute("INSERT INTO events VALUES (?, ?)", (self.sequence, "n\u00f6te " * 3))
        connection.execute(
            "UPDATE totals SET total = (SELECT coalesce(sum(balance), 0) FROM accounts)")
        if self.random.random() < 0.1:
            self.sequence -= 1
            connection.execute("ROLLBACK")
        else:
            connection.execute("COMMIT")
            self.transactions += 1

    def change(self, connection):
        self.version += 1
        version, number = self.version, self.random.randrange(1, 300)
        other = self.random.randrange(1, 300)
        name = f"name {other}"
        tag = f"t{other % 40}"
        statement, values = self.random.choice([
            ("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", (number, name, other, version)),
            ("INSERT OR IGNORE INTO accounts VALUES (?, ?, ?, ?)", (number, name, other, version)),
            ("INSERT INTO accounts VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE "
             "SET balance = balance + ?3, version = ?4", (number, name, other, version)),
            ("UPDATE accounts SET balance = ?, version = ? WHERE id = ?", (other, version, number)),
            ("UPDATE OR REPLACE accounts SET id = ?, version = ? WHERE id = ?",
             (other, version, number)),
            ("DELETE FROM accounts WHERE id = ?", (number,)),
            ("REPLACE INTO tags VALUES (?, ?, ?, ?, ?)",
             (number % 40, tag, version, os.urandom(other % 9), [1.5, float("inf"), 1e300][number % 3])),
            ("UPDATE OR IGNORE tags SET tag = ?, version = ? WHERE account = ?",
             (tag, version, number % 40)),
            ("DELETE FROM tags WHERE tag = ? AND account < ?", (tag, number % 40)),
        ])
        try:
            connection.execute(statement, values)
        except sqlite3.IntegrityError:
            pass


def topic(millrace, directory, name):
    output = subprocess.run(
        [millrace, "topics", "read", name, "--json", "--from", "beginning",
         "--data-dir", f"{directory}/data"], capture_output=True, text=True)
    if output.returncode != 0:
        sys.exit(f"cannot read {name}: {output.stderr}")
    return [json.loads(line) for line in output.stdout.splitlines()]


def header_of(record):
    return next((header["value"] for header in record["headers"]
                 if header["key"] == "millrace.transaction"), None)


def plain(value):
    """A value as Debezium's envelope has it in JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value == float("inf"):
        return "Infinity"
    return value


def check_topics(millrace, directory):
    problems = []
    app = sqlite3.connect(f"{directory}/app.db")
    app.row_factory = sqlite3.Row
    orders, events = {}, collections.Counter()
    changes = 0
    for table, key in KEYS.items():
        rows = {}
        last = (0, 0)
        for record in topic(millrace, directory, f"app.{table}"):
            change, mark = record["value"], header_of(record)
            if mark is not None:
                sequence, order = (int(part) for part in mark.split(":"))
                if (sequence, order) <= last:
                    problems.append(f"{table}: {mark} comes after {last}")
                last = (sequence, order)
                orders.setdefault(sequence, []).append(order)
                events[sequence] += change is not None
            if change is None:
                continue
            changes += mark is not None
            before, after, operation = change["before"], change["after"], change["op"]
            image = after or before
            name = tuple(image[column] for column in key)
            if (operation == "r") != (mark is None):
                problems.append(f"{table}: {operation} of {name} has the mark {mark}")
            if operation in "cr" and name in rows:
                problems.append(f"{table}: {operation} of {name}, which is there")
            if operation in "ud" and rows.get(name) != before:
                problems.append(f"{table}: {operation} of {name} from {before}, not {rows.get(name)}")
            if operation == "d":
                rows.pop(name, None)
            else:
                rows[name] = after
            if len(problems) > 5:
                return problems, changes
        wanted = {}
        for row in app.execute(f"SELECT * FROM {table}"):
            row = {column: plain(row[column]) for column in row.keys()}
            wanted[tuple(row[column] for column in key)] = row
        if rows != wanted:
            differing = [name for name in set(rows) | set(wanted)
                         if rows.get(name) != wanted.get(name)]
            problems.append(f"{table}: {len(differing)} rows differ, such as {differing[:3]}")
    ends = {}
    for record in topic(millrace, directory, "app.transaction"):
        event = record["value"]
        if event["status"] == "END":
            sequence = int(event["id"].split(":")[0])
            if sequence in ends:
                problems.append(f"transaction {sequence} ended twice")
            ends[sequence] = event["event_count"]
    for sequence, found in orders.items():
        # Every record has a number, tombstones too; every change is an event.
        if sorted(found) != list(range(1, len(found) + 1)):
            problems.append(f"transaction {sequence} has records {sorted(found)[:9]}")
        if ends.get(sequence) != events[sequence]:
            problems.append(f"transaction {sequence}: {events[sequence]} of {ends.get(sequence)}")
    if sorted(ends) != sorted(orders):
        problems.append("there are transactions that end without changes")
    return problems[:9], changes


def check_copy(directory):
    problems = []
    app = sqlite3.connect(f"{directory}/app.db")
    copy = sqlite3.connect(f"{directory}/copy.db")
    for table, columns in [("accounts", "id, name, balance, version"),
                           ("tags", "account, tag, version, bytes, ratio, shout"),
                           ("events", "seq, note"), ("totals", "id, total")]:
        query = f"SELECT {columns} FROM {table}"
        wanted, found = set(app.execute(query)), set(copy.execute(query))
        if wanted != found:
            problems.append(f"copy of {table}: {len(wanted - found)} rows lack, "
                            f"{len(found - wanted)} are too many")
    if app.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        problems.append("app.db is damaged")
    return problems


class Copy:
    """Looks at the copy: whether it is as the tables were after some transaction."""

    def __init__(self, directory):
        self.directory = directory
        self.looks = self.torn = 0
        self.begin = None

    def read(self, name, query):
        database = sqlite3.connect(f"file:{self.directory}/{name}.db?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(query).fetchone()
        finally:
            database.close()

    def look(self):
        try:
            total, balance, events = self.read(
                "copy", "SELECT (SELECT total FROM totals), "
                "(SELECT coalesce(sum(balance), 0) FROM accounts), (SELECT max(seq) FROM events)")
        except sqlite3.OperationalError:
            return
        # Rows of the first reading come table by table. When all are there, what was committed
        # meanwhile has to come, too.
        if self.begin is None and total is not None:
            self.begin = self.read("app", "SELECT max(seq) FROM events")[0]
        if self.begin is not None and events is not None and events > self.begin:
            self.looks += 1
            self.torn += total != balance


def main(millrace, directory, kills, seed=None):
    kills = int(kills)
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    app = sqlite3.connect(f"{directory}/app.db")
    app.executescript(SCHEMA % ("DELETE" if seed % 4 == 0 else "WAL"))
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(PIPELINE)
    writer = Writer(f"{directory}/app.db", seed)
    for _ in range(300):
        writer.change(app)
    app.execute("UPDATE totals SET total = (SELECT coalesce(sum(balance), 0) FROM accounts)")
    app.commit()
    app.close()
    writer.start()
    command = [millrace, "run", "--data-dir", f"{directory}/data", f"{directory}/pipeline.yaml"]
    copy = Copy(directory)
    for number in range(kills):
        with open(f"{directory}/log", "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            start = time.monotonic()
            # The last one goes on until the copy follows, so that it is seen in motion.
            is_last = number + 1 == kills
            life = moments.uniform(0.1, 1.3)
            while (time.monotonic() - start < life
                   or is_last and copy.looks < 20 and time.monotonic() - start < 30):
                time.sleep(0.05)
                copy.look()
            process.kill()
            code = process.wait()
        if code != -9:
            sys.exit(f"seed {seed}: millrace ended by itself with {code}\n"
                     + open(f"{directory}/log").read()[-4000:])
    writer.stopping.set()
    writer.join()
    if writer.failure:
        sys.exit(f"seed {seed}: the writer failed: {writer.failure}")
    last = subprocess.run(command[:2] + ["--until-end"] + command[2:], capture_output=True,
                          text=True, timeout=600)
    if last.returncode != 0:
        sys.exit(f"seed {seed}: the last run ended with {last.returncode}\n{last.stderr[-4000:]}")
    problems, changes = check_topics(millrace, directory)
    problems += check_copy(directory)
    verified = subprocess.run([millrace, "verify", "--settle", "0", f"{directory}/pipeline.yaml"],
                              capture_output=True, text=True, timeout=600)
    if verified.returncode != 0:
        problems.append(f"verify: {verified.stdout[-2000:]}{verified.stderr[-2000:]}")
    if copy.looks == 0:
        problems.append("the copy never followed")
    if copy.torn:
        problems.append(f"{copy.torn} of {copy.looks} looks saw a part of a transaction")
    left = sqlite3.connect(f"{directory}/app.db").execute(
        "SELECT count(*) FROM __millrace_cdc_log").fetchone()[0]
    if left != 1:
        problems.append(f"{left} changes are left in the log")
    print(f"seed {seed}: {kills} kills, {writer.transactions} transactions, {changes} changes, "
          f"{copy.looks} looks at the copy")
    if changes < 10 * kills:
        problems.append(f"only {changes} changes were captured")
    if problems:
        sys.exit("\n".join(problems))


main(*sys.argv[1:])
