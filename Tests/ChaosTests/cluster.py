"""Kills millrace with SIGKILL at random moments while two sources move lines of JSON through a topic of
a Kafka cluster into SQLite. At the end, as a client that nobody here wrote reads what is committed, each
line is in the topic exactly once and in the order of its key; and SQLite has each exactly once.

    cluster.py MILLRACE DIRECTORY BOOTSTRAP KILLS [SEED]
"""

import collections
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition

PIPELINE = """
pipeline: chaos
broker: {bootstrap.servers: "${env:BOOTSTRAP}", cluster: "${env:CLUSTER}", replication.factor: 1}
topics:
  TOPIC: {partitions: 4}
sources:
  left: {connector: json, json.style: lines, include: left/*.json, topic: TOPIC, key.fields: [key]}
  right: {connector: json, json.style: lines, include: right/*.json, topic: TOPIC, key.fields: [key]}
sinks:
  database:
    connector: sqlite
    topics: [TOPIC]
    path: events.db
    table.name.format: events
    auto.create: true
    offset.flush.interval.ms: 20
"""


class Inbox:
    """The files of one source, and what was written to them."""

    def __init__(self, directory, name):
        self.name, self.path = name, f"{directory}/{name}"
        self.records = self.files = 0
        self.sequences = collections.Counter()
        os.makedirs(self.path, exist_ok=True)

    def write(self, moments, count):
        lines = []
        for _ in range(count):
            key = f"{self.name} {moments.randrange(97)}"
            self.sequences[key] += 1
            self.records += 1
            lines.append(json.dumps({"id": f"{self.name} {self.records}", "key": key,
                                     "seq": self.sequences[key],
                                     "text": "x" * moments.randrange(200)}))
        self.files += 1
        name = f"{self.path}/{self.files:06}.json"
        with open(name + ".part", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(name + ".part", name)


def values(bootstrap, topic, isolation):
    """What a reader of this isolation level sees, partition after partition."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "judge",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": isolation,
        "auto.offset.reset": "error",
    })
    numbers = consumer.list_topics(topic, 60).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
    found, ended = collections.defaultdict(list), set()
    last = time.monotonic()
    while len(ended) < len(numbers):
        messages = consumer.consume(5000, 1)
        # Attempts as well as time, because a loaded machine may stop this process for long.
        if messages:
            last = time.monotonic()
        elif time.monotonic() - last > 120:
            sys.exit(f"{topic} cannot be read to its end")
        for message in messages:
            if not message.error():
                found[message.partition()].append(message.value())
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                sys.exit(str(message.error()))
    consumer.close()
    return [value for number in sorted(found) for value in found[number]]


def difference(place, found, expected):
    doubled = sorted(key for key, number in found.items() if number > 1)
    lost = sorted(expected - set(found))
    foreign = sorted(set(found) - expected)
    if doubled or lost or foreign:
        return [f"{place}: {len(doubled)} doubled such as {doubled[:5]}, {len(lost)} lost such as "
                f"{lost[:5]}, {len(foreign)} that were never written such as {foreign[:5]}"]
    return []


def verify(bootstrap, topic, directory, expected):
    problems, ids, last = [], collections.Counter(), collections.Counter()
    for value in values(bootstrap, topic, "read_committed"):
        record = json.loads(value)
        ids[record["id"]] += 1
        if record["seq"] <= last[record["key"]]:
            problems.append(f"{record['key']} has {record['seq']} after {last[record['key']]}")
        last[record["key"]] = record["seq"]
    database = sqlite3.connect(f"{directory}/events.db")
    rows = collections.Counter(row[0] for row in database.execute("SELECT id FROM events"))
    problems = difference("topic", ids, expected) + difference("SQLite", rows, expected) + problems
    everything = len(values(bootstrap, topic, "read_uncommitted"))
    return problems[:10], everything - sum(ids.values())


def main(millrace, directory, bootstrap, kills, seed=None):
    kills = int(kills)
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    topic = f"events-{seed}"
    inboxes = [Inbox(directory, name) for name in ("left", "right")]
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(PIPELINE.replace("TOPIC", topic))
    environment = {**os.environ, "BOOTSTRAP": bootstrap, "CLUSTER": f"chaos-{seed}"}
    command = [millrace, "run", "--data-dir", f"{directory}/data", f"{directory}/pipeline.yaml"]
    done = attempts = 0
    longest = 1.0
    while done < kills:
        attempts += 1
        for inbox in inboxes:
            inbox.write(moments, moments.randrange(1, 20000))
        with open(f"{directory}/log", "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            try:
                process.wait(timeout=moments.uniform(0.05, longest))
                longest = max(0.2, longest * 0.9)
            except subprocess.TimeoutExpired:
                process.kill()
                done += 1
                longest = min(5.0, longest * 1.1)
            code = process.wait()
        if code not in (0, -9):
            sys.exit(f"seed {seed}: exit code {code} after {done} kills\n"
                     + open(f"{directory}/log").read()[-4000:])
    final = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment)
    if final.returncode != 0:
        sys.exit(f"seed {seed}: the last run ended with {final.returncode}\n{final.stderr[-4000:]}")
    expected = {f"{inbox.name} {number + 1}" for inbox in inboxes for number in range(inbox.records)}
    problems, aborted = verify(bootstrap, topic, directory, expected)
    print(f"seed {seed}: {done} kills in {attempts} runs, "
          f"{sum(inbox.records for inbox in inboxes)} records, {aborted} of aborted transactions")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
