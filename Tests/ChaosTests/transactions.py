"""Applies captured transactions whole: while pgbench moves amounts between tables and the worker is
killed, whoever looks at a target sees the sums of all tables agree, at every moment.

    transactions.py MILLRACE DIRECTORY KILLS [SEED]
"""

import os
import random
import sqlite3
import sys
import threading
import time

from servers import Server
from worker import Worker
from writers import Writers

PIPELINE = r"""
pipeline: transactions
sources:
  bank:
    connector: postgres-cdc
    url: SOURCE
    topic.prefix: bank
    table.include.list: [public\.pgbench_.*]
    provide.transaction.metadata: true
    heartbeat.interval.ms: 500
    slot.retry.delay.ms: 200
    slot.max.retries: 100
sinks:
  file:
    connector: sqlite
    path: copy.db
    topics.regex: bank\.(public\..*|transaction)
    table.name.format: ${table}
    transaction.topic: bank.transaction
    transforms: [{type: unwrap}]
    insert.mode: upsert
    pk.mode: record_key
    auto.create: true
    offset.flush.interval.ms: 20
  server:
    connector: postgres
    url: TARGET
    topics.regex: bank\.(public\..*|transaction)
    table.name.format: ${table}
    transaction.topic: bank.transaction
    transforms: [{type: unwrap}]
    insert.mode: upsert
    pk.mode: record_key
    auto.create: true
    offset.flush.interval.ms: 20
"""

SUMS = """SELECT (SELECT sum(abalance) FROM pgbench_accounts),
    (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches),
    (SELECT coalesce(sum(delta), 0) FROM pgbench_history)"""

ACCOUNTS = "SELECT count(*) FROM pgbench_accounts"


class Watcher(threading.Thread):
    """Looks at the sums of a target, over and over, as of one moment each time."""

    def __init__(self, look):
        super().__init__(daemon=True)
        self.look = look
        self.states = []
        self.torn = None
        self.failure = None
        self.ends = threading.Event()

    def run(self):
        try:
            while not self.ends.is_set():
                sums = self.look()
                if len(set(sums)) != 1:
                    self.torn = self.torn or sums
                elif not self.states or self.states[-1] != sums[0]:
                    self.states.append(sums[0])
                time.sleep(0.005)
        except BaseException as error:
            self.failure = error

    def end(self, name):
        self.ends.set()
        self.join()
        if self.failure:
            raise SystemExit(f"{name} could not be looked at: {self.failure}")
        if self.torn:
            raise SystemExit(f"{name} showed a part of a transaction: sums {self.torn}")
        if len(self.states) < 10:
            raise SystemExit(f"{name} showed {len(self.states)} states only")
        return len(self.states)


def look_into_file(path, question=SUMS):
    def look():
        # A connection of each look's own: closed, it keeps nobody waiting.
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        try:
            return database.execute(question).fetchone()
        finally:
            database.close()
    return look


def look_into_server(server):
    return lambda: tuple(server.sql(SUMS).split("|"))


def wait_for(condition, what, worker):
    deadline = time.monotonic() + 180
    while not condition():
        worker.check()
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {what}\n{worker.log()}")
        time.sleep(0.05)


def is_copied_to_file(path):
    try:
        return look_into_file(path, ACCOUNTS)() == (100_000,) and look_into_file(path)()
    except sqlite3.OperationalError:
        return False


def is_copied_to_server(server):
    there = server.sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'pgbench%'")
    return there == "4" and server.sql(ACCOUNTS) == "100000"


def main(millrace, directory, kills, seed=None):
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    os.makedirs(directory, exist_ok=True)
    worker = Worker(millrace, directory)
    servers, writers = [], None
    try:
        source, target = servers = [Server(), Server()]
        source.run("pgbench", "-h", "127.0.0.1", "-p", str(source.port), "-U", "postgres", "-q", "-i",
                   "postgres")
        source.sql("ALTER TABLE pgbench_history ADD id bigserial PRIMARY KEY")
        with open(f"{directory}/pipeline.yaml", "w") as file:
            file.write(PIPELINE.replace("SOURCE", source.url()).replace("TARGET", target.url()))
        # All balances are nought until every table has arrived: a snapshot is no transaction.
        writers = Writers(source, ["-c", "2", "-R", "200"])
        path = f"{directory}/copy.db"
        worker.start()
        source.sql("INSERT INTO pgbench_history (tid, bid, aid, delta) VALUES (1, 1, 1, 0)")
        wait_for(lambda: is_copied_to_file(path), "the copy in SQLite", worker)
        wait_for(lambda: is_copied_to_server(target), "the copy on the server", worker)
        watchers = {"SQLite": Watcher(look_into_file(path)),
                    "PostgreSQL": Watcher(look_into_server(target))}
        for watcher in watchers.values():
            watcher.start()
        writers.start()
        for _ in range(int(kills)):
            time.sleep(moments.uniform(0.2, 2))
            worker.kill()
            worker.start()
        writers.end()
        worker.kill()
        worker.finish()
        seen = {name: watcher.end(name) for name, watcher in watchers.items()}
        wanted = source.sql(SUMS)
        for name, given in (("SQLite", look_into_file(path)()),
                            ("PostgreSQL", look_into_server(target)())):
            if "|".join(map(str, given)) != wanted:
                raise SystemExit(f"{name} has {given} at the end, the source {wanted}")
        print(f"seed {seed}: states seen {seen}")
    finally:
        if writers:
            writers.stop()
        worker.remove()
        for server in servers:
            server.remove()


main(*sys.argv[1:])
