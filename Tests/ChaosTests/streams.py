"""Kills millrace with SIGKILL at random moments while records go from files through topics: a topic
source filters them, a topic sink copies them, and aggregates sum them up in windows of event time,
in two tasks by key and in one by a field. At the end every record is in each topic exactly once,
and the newest result of every group and window is what Python computes.

    streams.py MILLRACE DIRECTORY KILLS [SEED]
"""

import collections
import decimal
import json
import os
import random
import subprocess
import sys
import time

PIPELINE = """
pipeline: streams
topics:
  events: {partitions: 4, segment.bytes: 1MiB}
  sums: {partitions: 4, cleanup.policy: compact}
sources:
  inbox:
    connector: json
    json.style: lines
    include: inbox/*.json
    topic: events
    key.fields: [user]
    cleanup.policy: move
    finished.path: finished
  clean:
    connector: topic
    topics: [events]
    topic: clean
    tasks.max: 2
    transforms:
      - {type: Filter, condition: '.amount != 13'}
  sums:
    connector: topic
    topics: [clean]
    topic: sums
    tasks.max: 2
    transforms:
      - type: Aggregate
        window.size: 20s
        window.advance: 5s
        group.by: [user]
        group.by.key: true
        aggregates: {n: count, total: sum(amount), least: min(amount), items: distinct(item)}
        timestamp.field: at
        grace: 60s
  finals:
    connector: topic
    topics: [clean]
    topic: finals
    transforms:
      - type: Aggregate
        window.size: 10s
        group.by: [item]
        aggregates: {n: count, total: sum(price), mean: avg(amount)}
        timestamp.field: at
        grace: 120s
        emit: final
sinks:
  copy:
    connector: topic
    topics: [clean]
    topic: copy
    partition: hash
    offset.flush.interval.ms: 20
"""

# Today: results have the times of their events, and retention takes old ones away.
START = int(time.time()) // 86_400 * 86_400_000


class Input:
    """Writes input files, and computes what is to come of them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.files = 0
        self.ids = 0
        self.clean = {}
        self.sums = {}
        self.finals = {}

    def write(self, directory, count):
        self.files += 1
        lines = []
        for _ in range(count):
            self.ids += 1
            record = {"id": self.ids, "user": "u%d" % self.random.randrange(40),
                      "item": self.random.randrange(9), "amount": self.random.randrange(100),
                      "price": "%d.%02d" % (self.random.randrange(1000), self.random.randrange(100)),
                      # Up to six seconds out of order.
                      "at": START + self.ids * 20 + self.random.randrange(-3000, 3000)}
            text = json.dumps(record).replace('"price": "%s"' % record["price"],
                                              '"price": %s' % record["price"])
            lines.append(text)
            if record["amount"] != 13:
                self.add(record)
        name = f"{directory}/inbox/{self.files:06}.json"
        with open(name + ".part", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(name + ".part", name)

    def add(self, record):
        self.clean[record["id"]] = record["user"]
        start = record["at"] // 5000 * 5000
        while start > record["at"] - 20000:
            sums = self.sums.setdefault((start, record["user"]), [0, 0, 1000, set()])
            sums[0] += 1
            sums[1] += record["amount"]
            sums[2] = min(sums[2], record["amount"])
            sums[3].add(record["item"])
            start -= 5000
        start = record["at"] // 10000 * 10000
        final = self.finals.setdefault((start, record["item"]), [0, decimal.Decimal(0), 0])
        final[0] += 1
        final[1] += decimal.Decimal(record["price"])
        final[2] += record["amount"]


def read(millrace, directory, topic):
    result = subprocess.run(
        [millrace, "topics", "read", topic, "--json", "--from", "beginning", "--data-dir",
         f"{directory}/data"], capture_output=True, text=True, check=True)
    for line in result.stdout.splitlines():
        yield json.loads(line, parse_float=decimal.Decimal)


def milliseconds(text):
    moment = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    import calendar
    return calendar.timegm(moment) * 1000


def check_once(name, records, wanted):
    counts = collections.Counter(record["value"]["id"] for record in records)
    problems = []
    doubled = [key for key, number in counts.items() if number > 1]
    if doubled:
        problems.append(f"{name}: {len(doubled)} records doubled, such as {doubled[:5]}")
    if set(counts) != set(wanted):
        problems.append(f"{name}: {len(counts)} records instead of {len(wanted)}")
    last = collections.Counter()
    for record in sorted(records, key=lambda r: (r["partition"], r["offset"])):
        user = record["value"]["user"]
        if record["key"] != {"user": user}:
            problems.append(f"{name}: the key {record['key']} of {user}")
            break
        if record["value"]["id"] < last[user]:
            problems.append(f"{name}: {user} has {record['value']['id']} after {last[user]}")
            break
        last[user] = record["value"]["id"]
    return problems


def newest(records):
    found = {}
    for record in records:
        assert record["key"]["window_start"] == record["value"]["window_start"], record
        found[json.dumps(record["key"], default=str)] = record["value"]
    return found.values()


def verify(millrace, directory, given):
    problems = check_once("clean", list(read(millrace, directory, "clean")), given.clean)
    problems += check_once("copy", list(read(millrace, directory, "copy")), given.clean)
    found = {}
    for value in newest(read(millrace, directory, "sums")):
        found[(milliseconds(value["window_start"]), value["user"])] = [
            value["n"], value["total"], value["least"], value["items"]]
    wanted = {key: [n, total, least, len(items)]
              for key, (n, total, least, items) in given.sums.items()}
    problems += compare("sums", found, wanted)
    found = {}
    for value in newest(read(millrace, directory, "finals")):
        assert abs(float(value["mean"]) * value["n"] - round(float(value["mean"]) * value["n"])) \
            < 1e-6, value
        found[(milliseconds(value["window_start"]), value["item"])] = [
            value["n"], value["total"], round(float(value["mean"]) * value["n"])]
    wanted = {key: [n, total, amounts] for key, (n, total, amounts) in given.finals.items()}
    return problems + compare("finals", found, wanted)


def compare(name, found, wanted):
    wrong = [(key, found.get(key), wanted.get(key)) for key in sorted(set(found) | set(wanted))
             if found.get(key) != wanted.get(key)]
    return [f"{name}: {len(wrong)} of {len(wanted)} results are wrong, such as (found, wanted) "
            f"{wrong[:3]}"] if wrong else []


def main():
    millrace, directory, kills = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    print(f"seed {seed}")
    given = Input(seed)
    os.makedirs(f"{directory}/inbox", exist_ok=True)
    with open(f"{directory}/p.yaml", "w") as file:
        file.write(PIPELINE)
    command = [millrace, "run", "p.yaml", "--json", "--data-dir", "data"]
    killed = ended = 0
    longest = 0.4
    while killed < kills:
        given.write(directory, given.random.randrange(200, 1500))
        with open(f"{directory}/log", "w") as log:
            process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
            try:
                process.wait(given.random.uniform(0.02, longest))
                if process.returncode != 0:
                    print(open(f"{directory}/log").read())
                    sys.exit(f"exit code {process.returncode}")
                ended += 1
                # The machine is faster than was thought.
                longest = max(0.1, longest * 0.9)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
                # Some runs should come to their end.
                longest = min(5, longest * 1.02)
    last = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if last.returncode != 0:
        print(last.stderr)
        sys.exit(f"the last run: exit code {last.returncode}")
    problems = verify(millrace, directory, given)
    print(f"{given.ids} records, {killed} kills, {ended} runs to the end, "
          f"{len(given.sums) + len(given.finals)} results")
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


main()
