"""Kills millrace with SIGKILL at random moments while it moves lines of JSON through a topic of a
Kafka cluster into SQLite. At the end each line is in the topic exactly once, as far as transactions
were committed, in the order of its key, and SQLite has each record that the cluster shows exactly
once.

Topics are read batch by batch, by a decoder that nobody here wrote, and the markers in them say which
transactions were committed. A broker that does not hide what was aborted, as Kafka does, shows a source
the position of an aborted transaction as well: behind each of those, and only there, the lines of that
one transaction may be missing, one run of them.

    cluster.py MILLRACE DIRECTORY BOOTSTRAP KILLS [SEED]
"""

import collections
import json
import os
import random
import socket
import sqlite3
import struct
import subprocess
import sys

from kafka.record import MemoryRecords

PIPELINE = """
pipeline: chaos
broker: {bootstrap.servers: "${env:BOOTSTRAP}", cluster: "${env:CLUSTER}", replication.factor: 1}
topics:
  TOPIC: {partitions: 4}
sources:
  inbox:
    connector: json
    json.style: lines
    include: inbox/*.json
    topic: TOPIC
    key.fields: [key]
sinks:
  database:
    connector: sqlite
    topics: [TOPIC]
    path: events.db
    table.name.format: events
    auto.create: true
    offset.flush.interval.ms: 20
"""


class Broker:
    """Asks one broker for batches as they are."""

    def __init__(self, address):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.id = 0

    def ask(self, key, version, body):
        self.id += 1
        client = b"chaos"
        request = struct.pack(">hhih", key, version, self.id, len(client)) + client + body
        self.socket.sendall(struct.pack(">i", len(request)) + request)
        return self.take(struct.unpack(">i", self.take(4))[0])[4:]

    def take(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise SystemExit("the broker has closed the connection")
            data += part
        return data

    def fetch(self, topic, partition, offset):
        """Fetch, version 4, of one partition, read_uncommitted; returns (high watermark, bytes)."""
        name = topic.encode()
        body = struct.pack(">iiiibi", -1, 500, 1, 1 << 23, 0, 1)
        body += struct.pack(">h", len(name)) + name
        body += struct.pack(">iiqi", 1, partition, offset, 1 << 23)
        answer = self.ask(1, 4, body)
        at = 4 + 4 + 2 + len(name) + 4
        _, error, high, _ = struct.unpack_from(">ihqq", answer, at)
        if error:
            raise SystemExit(f"fetch answered {error}")
        at += 4 + 2 + 8 + 8
        aborted, = struct.unpack_from(">i", answer, at)
        at += 4 + max(aborted, 0) * 16
        size, = struct.unpack_from(">i", answer, at)
        return high, answer[at + 4:at + 4 + max(size, 0)]


def records_of(broker, topic, partition):
    """The values of a partition: all of them, and those of committed transactions; and producers,
    with their epochs, whose last transaction was aborted."""
    everything, committed, open_ones = [], [], collections.defaultdict(list)
    aborted = set()
    offset = 0
    while True:
        high, data = broker.fetch(topic, partition, offset)
        if offset >= high:
            break
        batches = MemoryRecords(data)
        before = offset
        while batches.has_next():
            batch = batches.next_batch()
            for record in batch:
                if record.offset < offset:
                    continue
                offset = record.offset + 1
                if batch.is_control_batch:
                    kind, = struct.unpack_from(">h", record.key, 2)
                    held = open_ones.pop(batch.producer_id, [])
                    if kind == 1:
                        committed += [(at, value) for at, value, _ in held]
                    else:
                        aborted |= {owner for _, _, owner in held}
                else:
                    everything.append(record.value)
                    if batch.is_transactional:
                        owner = batch.producer_id, batch.producer_epoch
                        open_ones[batch.producer_id].append((record.offset, record.value, owner))
                    else:
                        committed.append((record.offset, record.value))
        if offset == before:
            raise SystemExit(f"partition {partition} cannot be read from {offset} to {high}")
    left = sum(len(held) for held in open_ones.values())
    if left:
        raise SystemExit(f"partition {partition}: {left} records of transactions that are open")
    return everything, [value for _, value in sorted(committed)], aborted


def runs_of(numbers):
    """How many runs of consecutive numbers there are."""
    return sum(1 for number in numbers if number - 1 not in numbers)


def verify(broker, topic, cluster, directory, total):
    problems, shown = [], collections.Counter()
    ids, last = collections.Counter(), collections.Counter()
    aborted = 0
    for partition in range(4):
        everything, committed, _ = records_of(broker, topic, partition)
        aborted += len(everything) - len(committed)
        shown.update(json.loads(value)["id"] for value in everything)
        for value in committed:
            record = json.loads(value)
            ids[record["id"]] += 1
            if record["seq"] <= last[record["key"]]:
                problems.append(f"{record['key']} has {record['seq']} after {last[record['key']]}")
            last[record["key"]] = record["seq"]
    doubled = [key for key, number in ids.items() if number > 1]
    lost = sorted(set(range(1, total + 1)) - set(ids))
    positions = set().union(*(records_of(broker, f"{cluster}-offsets", partition)[2]
                              for partition in range(25)))
    if doubled or runs_of(set(lost)) > len(positions):
        problems.append(f"topic: {len(doubled)} doubled such as {doubled[:5]}, "
                        f"{len(lost)} lost in {runs_of(set(lost))} runs such as {lost[:5]}, "
                        f"{len(positions)} positions of aborted transactions")
    database = sqlite3.connect(f"{directory}/events.db")
    rows = collections.Counter(row[0] for row in database.execute("SELECT id FROM events"))
    # What the cluster shows is what a sink can go by.
    if rows != shown and rows != ids:
        problems.append(f"SQLite: {sum(rows.values())} rows for {sum(shown.values())} records that "
                        f"are shown and {sum(ids.values())} that are committed")
    return problems[:10], aborted


def write(directory, moments, given, count):
    lines = []
    for _ in range(count):
        key = "k%d" % moments.randrange(97)
        given["sequences"][key] += 1
        given["records"] += 1
        lines.append(json.dumps({"id": given["records"], "key": key, "seq": given["sequences"][key],
                                 "text": "x" * moments.randrange(200)}))
    given["files"] += 1
    name = f"{directory}/inbox/{given['files']:06}.json"
    with open(name + ".part", "w") as file:
        file.write("\n".join(lines) + "\n")
    os.rename(name + ".part", name)


def main(millrace, directory, bootstrap, kills, seed=None):
    kills = int(kills)
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    topic = f"events-{seed}"
    given = {"records": 0, "files": 0, "sequences": collections.Counter()}
    os.makedirs(f"{directory}/inbox", exist_ok=True)
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(PIPELINE.replace("TOPIC", topic))
    environment = {**os.environ, "BOOTSTRAP": bootstrap, "CLUSTER": f"chaos-{seed}"}
    command = [millrace, "run", "--data-dir", f"{directory}/data", f"{directory}/pipeline.yaml"]
    done = attempts = 0
    longest = 1.0
    while done < kills:
        attempts += 1
        write(directory, moments, given, moments.randrange(1, 40000))
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
    problems, aborted = verify(Broker(bootstrap), topic, f"chaos-{seed}", directory,
                               given["records"])
    print(f"seed {seed}: {done} kills in {attempts} runs, {given['records']} records, "
          f"{aborted} of aborted transactions")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
