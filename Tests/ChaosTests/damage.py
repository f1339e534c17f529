"""Damages the last segment of a topic, at random places in three ways, and lets millrace check and read
it. Each time either nothing was lost, or the run says so and ends, having written a beginning of
what was there; `fsck` finds it too. Indexes may go: reading does without.

    damage.py MILLRACE DIRECTORY ROUNDS [SEED]
"""

import collections
import glob
import json
import os
import random
import shutil
import subprocess
import sys

RECORDS = 12_000
TOPICS = "pipeline: damage\ntopics:\n  t: {partitions: 1, segment.bytes: 64KiB}\n"
SOURCE = TOPICS + """sources:
  s: {connector: json, include: in/*.json, files.sort: name, topic: t}
"""
SINK = SOURCE + "sinks:\n  o: {connector: json, topics: [t], path: out/o.jsonl}\n"


class Bench:
    """A data directory with a topic, made once and copied for each round."""

    def __init__(self, millrace, directory):
        self.millrace, self.directory = os.path.abspath(millrace), directory
        os.makedirs(f"{directory}/in")
        for number in range(24):
            with open(f"{directory}/in/{number:02}.json", "w") as file:
                for record in range(number * 500, number * 500 + 500):
                    file.write(json.dumps({"id": record, "t": "x" * (record % 50)}) + "\n")
        for name, text in (("source", SOURCE), ("sink", SINK)):
            with open(f"{directory}/{name}.yaml", "w") as file:
                file.write(text)
        self.run("run", "source.yaml", "base").check_returncode()
        self.records = self.run("topics", "read", "t", "base").stdout.splitlines()
        if len(self.records) != RECORDS:
            sys.exit(f"{len(self.records)} of {RECORDS} records before any damage")

    def run(self, *arguments):
        *words, data = arguments
        return subprocess.run([self.millrace, *words, "--data-dir", data], cwd=self.directory,
                              capture_output=True, text=True, timeout=300)

    def copy(self):
        shutil.rmtree(f"{self.directory}/d", ignore_errors=True)
        shutil.rmtree(f"{self.directory}/out", ignore_errors=True)
        shutil.copytree(f"{self.directory}/base", f"{self.directory}/d")

    def output(self):
        try:
            with open(f"{self.directory}/out/o.jsonl") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


def damage(path, moments):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    at = moments.randrange(len(data))
    kind = moments.choice(["truncate", "flip", "zero"])
    if kind == "truncate":
        data = data[:at]
    elif kind == "flip":
        data[at] ^= 1 << moments.randrange(8)
    else:
        data[at:at + 64] = bytes(len(data[at:at + 64]))
    with open(path, "wb") as file:
        file.write(data)
    return f"{kind} at {at}"


def verdict(bench, what):
    """What came of a damage: `harmless` or `loud`; anything else ends the test."""
    check = bench.run("fsck", "d")
    run = bench.run("run", "sink.yaml", "--until-end", "d")
    output = bench.output()
    said = f"{what}: fsck {check.returncode}, run {run.returncode}, {len(output)} records\n"
    if check.returncode < 0 or run.returncode < 0:
        sys.exit(f"a crash, {said}{check.stderr[-2000:]}{run.stderr[-2000:]}")
    if output != bench.records[:len(output)]:
        sys.exit(f"other records than there were, {said}")
    if run.returncode == 0:
        if len(output) != RECORDS:
            sys.exit(f"lost without a word, {said}{run.stderr[-2000:]}")
        return "harmless"
    if "corrupt" not in run.stderr and "damage" not in run.stderr:
        sys.exit(f"the reason is not named, {said}{run.stderr[-2000:]}")
    if check.returncode != 1:
        sys.exit(f"fsck did not find it, {said}{check.stdout[-2000:]}")
    return "loud"


def main(millrace, directory, rounds, seed=None):
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    bench = Bench(millrace, directory)
    results = collections.Counter()
    for _ in range(int(rounds)):
        bench.copy()
        last = max(glob.glob(f"{directory}/d/topics/t-0/*.log"))
        results[verdict(bench, f"seed {seed}, {damage(last, moments)}")] += 1
    bench.copy()
    for path in glob.glob(f"{directory}/d/topics/t-0/*index"):
        os.unlink(path)
    read = bench.run("topics", "read", "t", "d")
    if read.stdout.splitlines() != bench.records:
        sys.exit(f"without indexes other records are read: {read.stderr[-2000:]}")
    print(f"seed {seed}: {dict(results)}")
    if results["loud"] == 0:
        sys.exit("no damage had an effect: the test tests nothing")


main(*sys.argv[1:])
