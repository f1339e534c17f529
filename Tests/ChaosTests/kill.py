"""Kills millrace with SIGKILL at random moments while it moves records from files through a
partitioned topic into SQLite, into files and into rotated gzip files. At the end every record is
in each of them exactly once, in the order of its key, every bad line is in the dead letter topic
exactly once, and every input file has been moved. A sink makes a row of each part of a record: all
parts are there exactly once, or none of them and the record is one dead letter. With the URL of an empty database in
CHAOS_POSTGRES_URL they go into a table of PostgreSQL as well, by two tasks.

    kill.py MILLRACE DIRECTORY KILLS [SEED] [RECORDS PER RUN]
"""

import collections
import glob
import gzip
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

PIPELINE = """
pipeline: chaos
topics:
  events: {partitions: 4, segment.bytes: 1MiB}
  events-dlq: {partitions: 1}
sources:
  inbox:
    connector: json
    json.style: lines
    include: inbox/*.json
    topic: events
    key.fields: [key]
    cleanup.policy: move
    finished.path: finished
    errors: {tolerance: all, deadletterqueue.topic.name: events-dlq}
sinks:
  database:
    connector: sqlite
    topics: [events]
    path: events.db
    auto.create: true
    offset.flush.interval.ms: 20
  files:
    connector: json
    topics: [events]
    path: files/${topic}-${partition}.jsonl
    offset.flush.interval.ms: 20
  archive:
    connector: file
    format: lines
    topics: [events]
    path: archive/${topic}-${partition}.jsonl.gz
    compression: gzip
    rotate.records: 3000
    offset.flush.interval.ms: 20
  parts:
    connector: sqlite
    topics: [events]
    path: parts.db
    auto.create: true
    fields.include: [id, parts]
    offset.flush.interval.ms: 20
    transforms:
      - {type: Explode, field: parts}
      - {type: Cast, spec: {parts: int32}}
    errors: {tolerance: all, deadletterqueue.topic.name: parts-dlq}
"""

POSTGRES_URL = os.environ.get("CHAOS_POSTGRES_URL")
# Without a key, so that a record that is written twice is there twice.
TABLE = "CREATE TABLE events (n bigserial, id bigint, key text, seq bigint, text text)"
POSTGRES = """
  postgres:
    connector: postgres
    topics: [events]
    url: ${env:CHAOS_POSTGRES_URL}
    fields.include: [id, key, seq, text]
    tasks.max: 2
    offset.flush.interval.ms: 20
"""


def psql(sql):
    return subprocess.run(["psql", "-X", "-q", "-t", "-A", "-F", ",", "-v", "ON_ERROR_STOP=1", "-c",
                           sql, POSTGRES_URL], capture_output=True, text=True, check=True).stdout


class Input:
    """Writes input files, and remembers what was in them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.sequences = collections.Counter()
        self.records = 0
        self.bad = 0
        self.files = 0
        self.parts = set()
        self.unfit = set()

    def make_parts(self):
        parts = list(range(self.random.randrange(4)))
        if self.random.random() < 0.001:
            self.unfit.add(self.records)
            parts.insert(self.random.randrange(len(parts) + 1), "no number")
        else:
            self.parts.update((self.records, part) for part in parts)
        return parts

    def write(self, directory, count):
        self.files += 1
        lines = []
        for _ in range(count):
            if self.random.random() < 0.001:
                self.bad += 1
                lines.append('{"bad": %d, oops' % self.bad)
                continue
            key = "k%d" % self.random.randrange(97)
            self.sequences[key] += 1
            self.records += 1
            lines.append(json.dumps({"id": self.records, "key": key, "seq": self.sequences[key],
                                     "text": "x" * self.random.randrange(200),
                                     "parts": self.make_parts()}))
        name = f"{directory}/inbox/{self.files:06}.json"
        with open(name + ".part", "w") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(name + ".part", name)


def check(name, records, total):
    problems = []
    ids = collections.Counter(record[0] for record in records)
    doubled = [key for key, number in ids.items() if number > 1]
    if doubled:
        problems.append(f"{name}: {len(doubled)} records doubled, such as {doubled[:5]}")
    if len(ids) != total:
        lost = sorted(set(range(1, total + 1)) - set(ids))
        problems.append(f"{name}: {len(ids)} of {total} records; lost such as {lost[:5]}")
    last = collections.Counter()
    for _, key, sequence in records:
        if sequence <= last[key]:
            problems.append(f"{name}: {key} has {sequence} after {last[key]}")
            break
        last[key] = sequence
    return problems


def triples(lines):
    for line in lines:
        record = json.loads(line)
        yield record["id"], record["key"], record["seq"]


def lines_of(pattern, opener):
    for path in sorted(glob.glob(pattern)):
        with opener(path, "rt") as file:
            yield from file


def dead_letters(millrace, directory, topic):
    letters = subprocess.run(
        [millrace, "topics", "read", topic, "--json", "--from", "beginning",
         "--data-dir", f"{directory}/data"], capture_output=True, text=True, check=True)
    return [json.loads(line)["value"] for line in letters.stdout.splitlines()]


def check_parts(millrace, directory, given):
    """What one record becomes is there whole and once, or not at all."""
    database = sqlite3.connect(f"{directory}/parts.db")
    rows = collections.Counter(database.execute("SELECT id, parts FROM events").fetchall())
    problems = []
    if set(rows) != given.parts or len(rows) != sum(rows.values()):
        problems.append(f"parts: {sum(rows.values())} rows, {len(rows)} different, "
                        f"for {len(given.parts)}; such as {list(set(rows) ^ given.parts)[:5]}")
    refused = [value["id"] for value in dead_letters(millrace, directory, "parts-dlq")] \
        if given.unfit else []
    if sorted(refused) != sorted(given.unfit):
        problems.append(f"dead letters of parts: {sorted(refused)} for {sorted(given.unfit)}")
    return problems


def verify(millrace, directory, given):
    database = sqlite3.connect(f"{directory}/events.db")
    rows = database.execute("SELECT id, key, seq FROM events ORDER BY rowid").fetchall()
    problems = check("SQLite", rows, given.records)
    problems += check("files", list(triples(lines_of(f"{directory}/files/*.jsonl", open))),
                      given.records)
    problems += check("gzip archive", list(triples(lines_of(f"{directory}/archive/*", gzip.open))),
                      given.records)
    problems += check_parts(millrace, directory, given)
    if POSTGRES_URL:
        lines = psql("SELECT id, key, seq FROM events ORDER BY n").splitlines()
        rows = [(int(number), key, int(place)) for number, key, place in
                (line.split(",") for line in lines)]
        problems += check("PostgreSQL", rows, given.records)
    values = collections.Counter(
        json.dumps(value) for value in dead_letters(millrace, directory, "events-dlq"))
    if len(values) != given.bad or any(number > 1 for number in values.values()):
        problems.append(f"dead letters: {sum(values.values())} for {given.bad} bad lines")
    finished = len(os.listdir(f"{directory}/finished"))
    if finished != given.files or os.listdir(f"{directory}/inbox"):
        problems.append(f"{finished} of {given.files} input files were moved")
    hidden = glob.glob(f"{directory}/*/.*millrace*")
    if hidden:
        problems.append(f"temporary files remain: {hidden[:5]}")
    return problems


def main(millrace, directory, kills, seed=None, per_run=2000):
    kills, per_run = int(kills), int(per_run)
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    given = Input(seed)
    os.makedirs(f"{directory}/inbox", exist_ok=True)
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(PIPELINE + (POSTGRES if POSTGRES_URL else ""))
    if POSTGRES_URL:
        psql(TABLE)
    command = [millrace, "run", "--data-dir", f"{directory}/data", f"{directory}/pipeline.yaml"]
    done = attempts = 0
    longest = 0.4
    while done < kills:
        attempts += 1
        given.write(directory, moments.randrange(1, per_run * 2))
        with open(f"{directory}/log", "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                process.wait(timeout=moments.uniform(0.005, longest))
                longest = max(0.1, longest * 0.9)
            except subprocess.TimeoutExpired:
                process.kill()
                done += 1
                longest = min(2.0, longest * 1.02)
            code = process.wait()
        if code not in (0, -9):
            sys.exit(f"seed {seed}: exit code {code} after {done} kills\n"
                     + open(f"{directory}/log").read()[-4000:])
    final = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if final.returncode != 0:
        sys.exit(f"seed {seed}: the last run ended with {final.returncode}\n{final.stderr[-4000:]}")
    problems = verify(millrace, directory, given)
    print(f"seed {seed}: {done} kills in {attempts} runs, {given.records} records, "
          f"{given.bad} bad lines, {given.files} files")
    if problems:
        sys.exit("\n".join(problems))


main(*sys.argv[1:])
