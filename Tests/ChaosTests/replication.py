"""Runs pgbench and further writers on one PostgreSQL server while millrace captures its changes into
durable topics and applies them to a second server and to SQLite, and disturbs all of it: the worker is
killed and frozen, either server is restarted, the connections are cut, delayed and refused. At the
end all tables must be equal.

    replication.py MILLRACE DIRECTORY KILLS [SEED] [SCALE]
"""

import collections
import csv
import io
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time

from servers import Proxy, Server
from worker import Worker
from writers import Writers

PIPELINE = r"""
pipeline: replication
topics:
  bank.public.pgbench_accounts: {partitions: 3}
sources:
  bank:
    connector: postgres-cdc
    errors: {retry.delay.max.ms: 300, retry.timeout: -1}
    url: SOURCE
    topic.prefix: bank
    table.include.list: [public\.(pgbench_.*|parcels|notes)]
    heartbeat.interval.ms: 500
    status.update.interval.ms: 500
    slot.retry.delay.ms: 200
    slot.max.retries: 100
    tasks: 2
sinks:
  copy:
    connector: postgres
    errors: {retry.delay.max.ms: 300, retry.timeout: -1}
    url: TARGET
    topics.regex: bank\.public\..*
    table.name.format: ${table}
    transforms: [{type: unwrap}]
    insert.mode: upsert
    pk.mode: record_key
    delete.enabled: true
    auto.create: true
    offset.flush.interval.ms: 50
    tasks: 2
  file:
    connector: sqlite
    path: copy.db
    topics.regex: bank\.public\..*
    transforms: [{type: unwrap}]
    insert.mode: upsert
    pk.mode: record_key
    delete.enabled: true
    auto.create: true
    offset.flush.interval.ms: 50
"""

# Rows that come and go, change their keys, and have values that are stored apart.
TABLES = """
CREATE TABLE parcels (id int PRIMARY KEY, state text, weight numeric(12, 3), changed timestamptz);
CREATE TABLE notes (id int PRIMARY KEY, n int NOT NULL, body text);
ALTER TABLE notes ALTER body SET STORAGE EXTERNAL;
ALTER TABLE pgbench_history ADD id bigserial PRIMARY KEY;
INSERT INTO notes SELECT i, 0, repeat(md5(i::text), 200) FROM generate_series(1, 100) i;
"""
WRITES = """
\\set id random(1, 2000)
\\set other random(1, 2000)
\\set note random(1, 100)
BEGIN;
DELETE FROM parcels WHERE id = :other;
INSERT INTO parcels VALUES (:id, 'new', :other / 7.0, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET state = 'again', weight = parcels.weight + 1;
UPDATE parcels SET id = :other WHERE id = :id AND :id % 5 = 0;
UPDATE notes SET n = n + 1 WHERE id = :note;
SAVEPOINT s;
UPDATE notes SET n = -1 WHERE id = 101 - :note;
ROLLBACK TO s;
UPDATE notes SET body = repeat(md5(n::text), 200) WHERE id = :note AND n % 7 = 0;
COMMIT;
"""

TABLE_NAMES = ["pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history",
               "parcels", "notes"]


class Chaos:
    def __init__(self, worker, source, target, ways, seed):
        self.worker, self.source, self.target, self.ways = worker, source, target, ways
        self.random = random.Random(seed)
        self.counts = collections.Counter()

    def disturb(self):
        kind = self.random.choices(
            ["kill", "cut", "delay", "refuse", "freeze", "source", "target"],
            [10, 4, 2, 2, 1, 1, 1])[0]
        self.counts[kind] += 1
        way = self.random.choice(self.ways)
        if kind == "kill":
            self.worker.kill()
            self.worker.start()
        elif kind == "cut":
            way.cut()
        elif kind == "delay":
            way.delay = 0.02
            time.sleep(1)
            way.delay = 0.0
        elif kind == "refuse":
            way.refuses = True
            way.cut()
            time.sleep(self.random.uniform(0, 1.5))
            way.refuses = False
        elif kind == "freeze":
            self.worker.process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            self.worker.process.send_signal(signal.SIGCONT)
        else:
            server = self.source if kind == "source" else self.target
            server.restart(self.random.choice(["fast", "immediate"]))


def digest(server, table):
    return server.sql(f"SELECT count(*) || ' ' || coalesce(md5(string_agg(to_jsonb(t)::text, E'\\n' "
                      f"ORDER BY to_jsonb(t)::text COLLATE \"C\")), '') FROM {table} t")


def rows_of(server, table):
    text = server.sql(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT csv, HEADER, NULL '\\N')")
    return list(csv.DictReader(io.StringIO(text)))


def plain(value):
    """A value of SQLite or PostgreSQL in one notation."""
    if value is None or value == "\\N":
        return None
    text = str(value).rstrip()
    try:
        return float(text)
    except ValueError:
        text = text.replace("T", " ").replace("Z", "+00")
        return re.sub(r"(\.\d*?)0+(?=\+|$)", r"\1", text)


def differences(source, target, path):
    problems = []
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master "
                                                 "WHERE type = 'table'")]
    for table in TABLE_NAMES:
        wanted, given = digest(source, table), digest(target, table)
        if wanted != given:
            problems.append(f"{table}: the source has {wanted}, the target {given}")
        names = [name for name in tables if name.split(".")[-1] == table]
        if len(names) != 1:
            problems.append(f"SQLite has {names} for {table}")
            continue
        expected = collections.Counter(
            tuple((name, plain(value)) for name, value in sorted(row.items()))
            for row in rows_of(source, table))
        rows = collections.Counter(
            tuple((name, plain(row[name])) for name in sorted(row.keys()))
            for row in database.execute(f'SELECT * FROM "{names[0]}"'))
        if expected != rows:
            missing, more = expected - rows, rows - expected
            problems.append(f"SQLite's {table}: {sum(missing.values())} rows missing such as "
                            f"{list(missing)[:2]}, {sum(more.values())} too many such as "
                            f"{list(more)[:2]}")
    return problems


def told(worker, table):
    """The changes of a table as the topic has them, partition after partition."""
    command = [worker.millrace, "topics", "read", f"bank.public.{table}", "--json", "--from",
               "beginning", "--data-dir", f"{worker.directory}/data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            value = json.loads(line)["value"]
            if value is not None:
                yield value["op"], value["before"], value["after"]
    if process.returncode != 0:
        raise SystemExit(f"reading the topic of {table} ended with {process.returncode}")


def untrue(worker, source):
    """What the topics tell otherwise than it was: a sink that writes upserts would hide it."""
    problems = []
    inserted, read = collections.Counter(), collections.Counter()
    for op, _, after in told(worker, "pgbench_history"):
        (read if op == "r" else inserted)[after["id"]] += 1
    wanted = set(map(int, source.sql("SELECT id FROM pgbench_history").split()))
    if inserted.keys() | read.keys() != wanted:
        problems.append(f"{len(inserted.keys() | read.keys())} of {len(wanted)} inserts are told")
    for name, counts in (("inserts", inserted), ("rows read", read)):
        if doubled := [key for key, count in counts.items() if count > 1]:
            problems.append(f"{len(doubled)} {name} are told twice, such as {doubled[:5]}")
    # Each transaction counts a note up, and at each seventh step changes it once more.
    states = {}
    for op, _, after in told(worker, "notes"):
        key, n = after["id"], after["n"]
        last, again = states.get(key, (None, False))
        if last is None or op == "r":
            fits = last is None or n == last
            # What an interrupted snapshot has not read yet may be told first by such a step.
            states[key] = (n, again if op == "r" else n % 7 == 0)
        elif again:
            fits = n == last
            states[key] = (n, False)
        else:
            fits = n == last + 1
            states[key] = (n, n % 7 == 0)
        if not fits:
            problems.append(f"note {key} is told to be {n} ({op}) after {last}")
            break
    return problems


def main(millrace, directory, kills, seed=None, scale="1"):
    kills = int(kills)
    seed = int(seed) if seed else random.randrange(1 << 32)
    os.makedirs(directory, exist_ok=True)
    servers = []
    worker = Worker(millrace, directory)
    writers = None
    try:
        source, target = servers = [Server(), Server()]
        script = directory + "/writes.sql"
        with open(script, "w") as file:
            file.write(WRITES)
        source.run("pgbench", "-h", "127.0.0.1", "-p", str(source.port), "-U", "postgres", "-q", "-i",
                   "-s", scale, "postgres")
        source.sql(TABLES)
        ways = [Proxy(source.port, seed), Proxy(target.port, seed + 1)]
        with open(f"{directory}/pipeline.yaml", "w") as file:
            file.write(PIPELINE.replace("SOURCE", source.url(ways[0].port))
                       .replace("TARGET", target.url(ways[1].port)))
        writers = Writers(source, ["-c", "2", "-R", "300"],
                          ["-c", "2", "-R", "100", "-f", script])
        writers.start()
        worker.start()
        moments = random.Random(seed)
        chaos = Chaos(worker, source, target, ways, seed)
        while chaos.counts["kill"] < kills:
            time.sleep(moments.uniform(0.05, 2.0))
            writers.keep()
            chaos.disturb()
        writers.end()
        worker.kill()
        worker.finish()
        problems = differences(source, target, f"{directory}/copy.db") + untrue(worker, source)
        done = ", ".join(f"{number} {kind}" for kind, number in sorted(chaos.counts.items()))
        history = source.sql("SELECT count(*) FROM pgbench_history")
        print(f"seed {seed}: {done}; {history} transactions of pgbench")
        if problems:
            raise SystemExit("\n".join(problems))
    finally:
        if writers:
            writers.stop()
        worker.remove()
        for server in servers:
            server.remove()


main(*sys.argv[1:])
