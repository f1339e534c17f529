"""Measures change data capture from a PostgreSQL server of its own, with commits that wait for the disk.

    capture.py MILLRACE [--runs N] [--changes N] [--seconds N] [--only NAME] [--save]

The same changes wait in a slot for each run; runs of millrace alternate with pg_recvlogical, which
writes what the server sends to /dev/null. Latency is from a commit, as the server stamps it, to the
moment at which another process sees the record in `state.db`.
"""

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import measure
from results import save

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT + "/Tests/ChaosTests")
from servers import Server  # noqa: E402

TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, amount numeric(12, 2), currency text,
    status text, created_at timestamptz, note text);
CREATE TABLE ticks (id bigserial PRIMARY KEY, note text);
CREATE PUBLICATION bench FOR ALL TABLES;
CREATE PROCEDURE change(transactions int, commits bool) LANGUAGE plpgsql AS $$
BEGIN
  FOR t IN 0..transactions - 1 LOOP
    INSERT INTO orders SELECT t * 60 + i, i * 7919 % 100000, i * 1.25 + t, 'EUR', 'new',
      timestamptz '2026-01-01' + make_interval(secs => t), repeat('leave at the door ', 3) || i
      FROM generate_series(1, 60) i;
    UPDATE orders SET status = 'shipped', amount = amount + 1
      WHERE id BETWEEN t * 60 + 1 AND t * 60 + 30;
    DELETE FROM orders WHERE id BETWEEN t * 60 + 31 AND t * 60 + 40;
    IF commits THEN COMMIT; END IF;
  END LOOP;
END $$;
"""
SOURCE = {"connector": "postgres-cdc", "topic.prefix": "bench", "snapshot.mode": "never",
          "publication.name": "bench", "publication.autocreate.mode": "disabled",
          "tombstones.on.delete": False}


class Bench:
    def __init__(self, options):
        self.millrace = os.path.abspath(options.millrace)
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="millrace-capture-")
        self.server = Server(track_commit_timestamp="on", max_wal_size="8GB",
                             max_replication_slots=40)
        self.server.sql(TABLES)

    def remove(self):
        self.server.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def write(self, table, slot):
        shutil.rmtree(self.directory)
        os.makedirs(self.directory)
        topic = f"bench.public.{table}"
        text = {"pipeline": "bench", "topics": {topic: {"partitions": 1}},
                "sources": {"in": {**SOURCE, "url": self.server.url(), "slot.name": slot,
                                   "table.include.list": f"public\\.{table}"}}}
        with open(self.directory + "/pipeline.yaml", "w") as file:
            json.dump(text, file)
        return topic

    def run(self, *more):
        return [self.millrace, "run", "--data-dir", "data", "pipeline.yaml", *more]

    def end_offset(self, topic):
        out = subprocess.run([self.millrace, "topics", "describe", topic, "--json", "--data-dir",
                              "data"], cwd=self.directory, capture_output=True, text=True,
                             check=True).stdout
        return sum(p["end"] - p["start"] for p in json.loads(out)["partitions"])

    def drain(self, name, title, commits):
        slots = [f"{name}_{who}_{run}".replace("-", "_")
                 for run in range(self.options.runs) for who in ("ours", "theirs")]
        self.server.sql("TRUNCATE orders")
        for slot in slots:
            self.server.sql(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
        transactions = self.options.changes // 100
        call = f"CALL change({transactions}, {commits})"
        self.server.sql(call)
        end = self.server.sql("CHECKPOINT; SELECT pg_current_wal_lsn()")
        ours, theirs = [], []
        for slot in slots:
            if "ours" in slot:
                topic = self.write("orders", slot)
                ours.append(measure(self.run("--until-end"), self.directory))
                if (count := self.end_offset(topic)) != transactions * 100:
                    sys.exit(f"{name}: {count} records arrived of {transactions * 100}")
            else:
                theirs.append(measure(
                    [f"{self.server.programs}/pg_recvlogical", "-h", "127.0.0.1", "-p",
                     str(self.server.port), "-U", "postgres", "-d", "postgres", "-S", slot,
                     "--start", "--no-loop", "-o", "proto_version=1", "-o",
                     "publication_names=bench", f"--endpos={end}", "-f", "/dev/null"],
                    self.directory))
            self.server.sql(f"SELECT pg_drop_replication_slot('{slot}')")
        wall = statistics.median(run[0] for run in ours)
        limit = statistics.median(run[0] for run in theirs)
        return {"name": name, "workload": title, "target": "≤ 1.5 × pg_recvlogical, ≤ 96 MiB",
                "seconds": round(wall, 3), "changes_per_second": round(transactions * 100 / wall),
                "cpu_seconds": round(statistics.median(run[1] for run in ours), 3),
                "peak_mib": round(max(run[2] for run in ours), 1),
                "yardstick": "pg_recvlogical, pgoutput, > /dev/null",
                "yardstick_seconds": round(limit, 3), "ratio": round(wall / limit, 2),
                "all_seconds": [round(run[0], 3) for run in ours],
                "all_yardstick_seconds": [round(run[0], 3) for run in theirs]}

    def latency(self):
        """Commits 200 transactions a second, and notes when state.db has each of their records."""
        self.server.sql("SELECT pg_create_logical_replication_slot('latency', 'pgoutput')")
        topic = self.write("ticks", "latency")
        script = self.directory + "/tick.sql"
        with open(script, "w") as file:
            file.write("INSERT INTO ticks (note) VALUES (repeat('x', 100));\n")
        with open(self.directory + "/log", "w") as log:
            worker = subprocess.Popen(self.run(), cwd=self.directory, stdout=log, stderr=log)
        writer = None
        try:
            time.sleep(1)
            writer = subprocess.Popen(
                [f"{self.server.programs}/pgbench", "-h", "127.0.0.1", "-p",
                 str(self.server.port), "-U", "postgres", "-n", "-f", script, "-c", "2", "-R",
                 "200", "-T", str(self.options.seconds), "postgres"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seen = self.watch(topic, lambda: writer.poll() is None)
        finally:
            for process in (writer, worker):
                if process and process.poll() is None:
                    process.terminate()
                    process.wait()
        rows = self.server.sql("SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) "
                               "FROM ticks ORDER BY 1").split()
        if len(rows) > len(seen):
            sys.exit(f"{len(seen)} of {len(rows)} records were seen")
        # Records are in commit order, in one partition.
        waits = sorted(1000 * (moment - float(commit)) for moment, commit in zip(seen, rows))
        return {"name": "latency", "workload": "commit → record in a durable topic, 200 commits/s",
                "target": "median ≤ 3 ms, 99th percentile ≤ 12 ms", "commits": len(waits),
                "median_ms": round(statistics.median(waits), 2),
                "p99_ms": round(waits[len(waits) * 99 // 100], 2), "max_ms": round(waits[-1], 2)}

    def watch(self, topic, goes_on):
        """The moment at which each offset of a partition could first be read."""
        database = sqlite3.connect(f"file:{self.directory}/data/state.db?mode=ro", uri=True)
        seen, quiet = [], 0
        while goes_on() or quiet < 2000:
            row = database.execute(
                "SELECT end_offset FROM partitions WHERE partition = 0 AND topic = "
                "(SELECT id FROM topics WHERE name = ?)", (topic,)).fetchone()
            now = time.time()
            quiet = 0 if row and row[0] > len(seen) else quiet + 1
            seen += [now] * ((row[0] if row else 0) - len(seen))
            time.sleep(0.0003)
        return seen


def show(results):
    lines = ["| workload | s | changes/s | CPU s | peak MiB | pg_recvlogical s | ratio | target |",
             "|---|---|---|---|---|---|---|---|"]
    for r in results:
        figures = ([f"median {r['median_ms']} ms, 99th percentile {r['p99_ms']} ms"] + [""] * 5
                   if r["name"] == "latency" else
                   [r["seconds"], f"{r['changes_per_second']:,}", r["cpu_seconds"], r["peak_mib"],
                    r["yardstick_seconds"], r["ratio"]])
        lines.append("| " + " | ".join(map(str, [r["workload"], *figures, r["target"]])) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("millrace")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--changes", type=int, default=500_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--only", action="append")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    works = {
        "small": lambda: bench.drain(
            "small", f"{options.changes:,} changes in transactions of 100 → topic", True),
        "large": lambda: bench.drain(
            "large", f"{options.changes:,} changes in one transaction → topic", False),
        "latency": bench.latency,
    }
    results = []
    try:
        for name, work in works.items():
            if not options.only or name in options.only:
                results.append(work())
                print(json.dumps(results[-1]), file=sys.stderr)
    finally:
        bench.remove()
    table = show(results)
    print(table)
    if options.save:
        save("capture", "Change data capture", f"Medians of {options.runs} alternating runs.",
             results, table)


main()
