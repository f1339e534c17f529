"""Several workers of one cluster share the tasks of a pipeline, from a table of SQLite through a topic
into another table, while one is killed, one is stopped, one is frozen beyond its session and comes back,
and one is started with other files; all the while `cluster status` shows who has what. Rows are added all
the time. At the end each row is in the topic exactly once, as a client that nobody here wrote reads what is
committed, and SQLite has each exactly once.

    workers.py MILLRACE DIRECTORY BOOTSTRAP [SEED]
"""

import collections
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from cluster import verify

PIPELINE = """
pipeline: shared
broker:
  bootstrap.servers: "${env:BOOTSTRAP}"
  cluster: "${env:CLUSTER}"
  replication.factor: 1
  session.timeout.ms: 6000
topics:
  TOPIC-rows: {partitions: 4}
sources:
  in:
    connector: sqlite
    path: source.db
    mode: incrementing
    incrementing.column.name: id
    table.include.list: rows
    topic.prefix: TOPIC-
    poll.interval.ms: 20
    key.fields: [key]
sinks:
  out:
    connector: sqlite
    topics: [TOPIC-rows]
    path: events.db
    table.name.format: events
    auto.create: true
    offset.flush.interval.ms: 20
"""

# Attempts as well as time, because a loaded machine may stop all processes for long.
ATTEMPTS = 2400


class Feeder(threading.Thread):
    """Adds rows until it is stopped."""

    def __init__(self, directory, moments):
        super().__init__(daemon=True)
        self.path, self.moments = f"{directory}/source.db", moments
        self.total = 0
        self.sequences = collections.Counter()
        self.ended = threading.Event()
        database = self.connect()
        database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, key TEXT, seq INTEGER)")
        database.close()

    def connect(self):
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        return database

    def run(self):
        database = self.connect()
        while not self.ended.wait(0.02):
            database.execute("BEGIN IMMEDIATE")
            for _ in range(self.moments.randrange(1, 60)):
                key = "k%d" % self.moments.randrange(17)
                self.sequences[key] += 1
                database.execute("INSERT INTO rows VALUES (?, ?, ?)",
                                 (self.total + 1, key, self.sequences[key]))
                self.total += 1
            database.execute("COMMIT")
        database.close()

    def stop(self):
        self.ended.set()
        self.join()


class Worker:
    """One process of the cluster, with a log of its own."""

    def __init__(self, test, name):
        self.test, self.name, self.process = test, name, None
        self.path = f"{test.directory}/{name}.log"

    def start(self, pipeline="pipeline.yaml"):
        self.seen = os.path.getsize(self.path) if os.path.exists(self.path) else 0
        command = [self.test.millrace, "run", "--cluster", self.test.cluster, "--data-dir",
                   f"{self.test.directory}/data-{self.name}", "--log-level", "info",
                   f"{self.test.directory}/{pipeline}"]
        with open(self.path, "a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            env=self.test.environment, cwd=self.test.directory)
        return self

    def id(self):
        """What the others call this process."""
        return f"{socket.gethostname()}-{self.process.pid}"

    def log(self):
        """What this process has said since it was started."""
        with open(self.path) as file:
            file.seek(self.seen)
            return file.read()

    def tasks(self):
        """The tasks that it was given and has not lost, as its log tells."""
        held = set()
        for line in self.log().splitlines():
            found = re.search(r"tasks=(\S.*)$", line)
            tasks = set(re.findall(r"\b(?:in|out)-0\b", found.group(1))) if found else set()
            if "slots assigned" in line:
                held |= tasks
            elif "slots go to another worker" in line:
                held -= tasks
            elif "not heard of this worker" in line:
                held = set()
        return held

    def check(self):
        code = self.process.poll()
        if code is not None:
            self.test.fail(f"the worker {self.name} ended with {code}")

    def end(self, number):
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.send_signal(signal.SIGCONT)
        return self.process.wait(timeout=600)


class Test:
    def __init__(self, millrace, directory, bootstrap, seed):
        self.millrace = os.path.abspath(millrace)
        self.directory = os.path.abspath(directory)
        self.bootstrap, self.seed = bootstrap, seed
        self.topic, self.cluster = f"shared-{seed}", f"workers-{seed}"
        self.environment = {**os.environ, "BOOTSTRAP": bootstrap, "CLUSTER": self.cluster}
        self.workers = []
        os.makedirs(self.directory, exist_ok=True)
        text = PIPELINE.replace("TOPIC", self.topic)
        for name, content in (("pipeline.yaml", text), ("other.yaml", text + "# Another.\n")):
            with open(f"{self.directory}/{name}", "w") as file:
                file.write(content)
        self.feeder = Feeder(self.directory, random.Random(seed))

    def fail(self, reason):
        logs = "\n".join(f"--- {worker.name}\n{worker.log()[-3000:]}" for worker in self.workers)
        raise SystemExit(f"seed {self.seed}: {reason}\n{logs}")

    def start(self, name):
        worker = Worker(self, name).start()
        self.workers.append(worker)
        return worker

    def wait(self, what, condition, *alive):
        for _ in range(ATTEMPTS):
            for worker in alive:
                worker.check()
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.fail(f"waited in vain until {what}")

    def written(self):
        try:
            database = sqlite3.connect(f"file:{self.directory}/events.db?mode=ro", uri=True,
                                       timeout=600)
            with database:
                return database.execute("SELECT max(id) FROM events").fetchone()[0] or 0
        except sqlite3.OperationalError:
            return 0

    def wait_for_rows(self, *alive):
        """Waits until rows that are added from now on have arrived."""
        total = self.feeder.total
        self.wait("rows arrive", lambda: self.written() > total, *alive)

    def owner(self, *workers):
        """The worker that runs the source, once all take part and both tasks run."""
        def found():
            held = [worker.tasks() for worker in workers]
            if (sum(len(tasks) for tasks in held) == 2
                    and all("slots assigned" in worker.log() for worker in workers)):
                return next((worker for worker, tasks in zip(workers, held) if "in-0" in tasks),
                            None)
        return self.wait("each task has one worker", found, *workers)

    def status(self):
        """The workers that there are, and which of them has which task, as others are told."""
        result = subprocess.run(
            [self.millrace, "cluster", "status", self.cluster, "--json",
             f"{self.directory}/pipeline.yaml"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)
        if result.returncode != 0:
            self.fail(f"cluster status: {result.stderr.decode()}")
        told = json.loads(result.stdout)
        workers = {worker["worker_id"] for worker in told["workers"]}
        owners = {connector["name"]: task["worker_id"] for connector in told["connectors"]
                  for task in connector["tasks"] if task["state"] == "RUNNING"}
        if not set(owners.values()) <= workers:
            self.fail(f"a task runs where no worker is: {told}")
        return workers, owners

    def wait_for_status(self, *alive):
        """Waits until those workers, and no others, are shown, each with the tasks that it has."""
        def shown():
            names = {worker.id(): worker.tasks() for worker in alive}
            owners = {task[:-2]: name for name, tasks in names.items() for task in tasks}
            return self.status() == (set(names), owners)
        self.wait("the status shows who has what", shown, *alive)

    def run(self):
        self.feeder.start()
        times = {}
        workers = [self.start("a"), self.start("b")]
        owner = self.owner(*workers)
        self.wait_for_rows(*workers)
        self.wait_for_status(*workers)

        # Killed: the others take over when the session is over.
        began = time.monotonic()
        owner.end(signal.SIGKILL)
        rest = [worker for worker in workers if worker is not owner]
        self.wait("the other has all", lambda: len(rest[0].tasks()) == 2, *rest)
        self.wait_for_rows(*rest)
        times["killed"] = time.monotonic() - began
        self.wait_for_status(*rest)

        # Other files: refused, and nobody else notices.
        other = Worker(self, "other").start("other.yaml")
        if other.process.wait(timeout=600) != 2 or "other pipeline files" not in other.log():
            self.fail(f"other files were not refused: {other.log()[-2000:]}")

        owner.start()
        workers = [owner] + rest
        owner = self.owner(*workers)
        self.wait_for_rows(*workers)

        # Stopped: the group is left before the process ends.
        began = time.monotonic()
        if owner.end(signal.SIGTERM) != 0:
            self.fail(f"{owner.name} did not end well")
        if "could not be told that this worker leaves" in owner.log():
            self.fail(f"{owner.name} ended without leaving the group")
        rest = [worker for worker in workers if worker is not owner]
        self.wait("the other has all", lambda: len(rest[0].tasks()) == 2, *rest)
        self.wait_for_rows(*rest)
        times["stopped"] = time.monotonic() - began

        owner.start()
        workers = [owner] + rest
        owner = self.owner(*workers)
        self.wait_for_rows(*workers)

        # Frozen beyond its session: it comes back when others run its tasks.
        owner.process.send_signal(signal.SIGSTOP)
        rest = [worker for worker in workers if worker is not owner]
        self.wait("the other has all", lambda: len(rest[0].tasks()) == 2, *rest)
        self.wait_for_rows(*rest)
        self.wait_for_status(*rest)
        owner.process.send_signal(signal.SIGCONT)
        self.wait("the zombie knows", lambda: "not heard of this worker" in owner.log(), *workers)
        self.owner(*workers)
        self.wait_for_rows(*workers)
        self.wait_for_status(*workers)

        self.feeder.stop()
        total = self.feeder.total
        self.wait("all rows arrive", lambda: self.written() == total, *workers)
        self.wait("nothing more arrives", lambda: not self.verify(), *workers)
        for worker in workers:
            if worker.end(signal.SIGTERM) != 0:
                self.fail(f"{worker.name} did not end well")
        problems = self.verify()
        if problems:
            self.fail("\n".join(problems))
        print(f"seed {self.seed}: {total} rows; tasks were at work elsewhere "
              + ", ".join(f"{taken:.1f} s after one was {what}" for what, taken in times.items()))

    def verify(self):
        expected = set(range(1, self.feeder.total + 1))
        return verify(self.bootstrap, self.topic + "-rows", self.directory, expected)[0]

    def close(self):
        self.feeder.ended.set()
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.end(signal.SIGKILL)


def main(millrace, directory, bootstrap, seed=None):
    test = Test(millrace, directory, bootstrap, int(seed) if seed else random.randrange(1 << 32))
    try:
        test.run()
    finally:
        test.close()


main(*sys.argv[1:])
