"""Measures millrace against yardsticks in the same run, and writes bench/results/.

    bench.py MILLRACE DATA [--runs N] [--only NAME] [--records N] [--save]

Each workload alternates with its yardstick. Wall time is that of the whole process, start-up and
final fsync included; records are counted at the destination; memory is the operating system's peak
resident set. A figure is a median.
"""

import argparse
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

COLUMNS = ("id INTEGER PRIMARY KEY, customer_id INTEGER, amount NUMERIC, currency TEXT, "
           "status TEXT, created_at TEXT, note TEXT")


def measure(command, directory):
    """Runs a command; returns wall seconds, CPU seconds and peak MiB."""
    os.sync()
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, shell=isinstance(command, str))
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command} ended with {status}\n{errors.decode()[-3000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def pipeline(source, sink=None, partitions=4):
    text = {"pipeline": "bench", "topics": {"orders": {"partitions": partitions}},
            "sources": {"in": {"topic": "orders", **source}} if source else {},
            "sinks": {"out": {"topics": "orders", **sink}} if sink else {}}
    return json.dumps({key: value for key, value in text.items() if value})


class Bench:
    def __init__(self, options):
        self.millrace = os.path.abspath(options.millrace)
        self.data = os.path.abspath(options.data)
        self.records = options.records
        self.scratch = self.data + "/scratch"

    def fresh(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        os.makedirs(self.scratch)

    def write(self, text):
        with open(self.scratch + "/pipeline.yaml", "w") as file:
            file.write(text)

    def run(self):
        return [self.millrace, "run", "--data-dir", "data", "pipeline.yaml"]

    def topic_count(self):
        out = subprocess.run([self.millrace, "topics", "describe", "orders", "--json",
                              "--data-dir", "data"], cwd=self.scratch, capture_output=True,
                             text=True, check=True).stdout
        return sum(p["end"] - p["start"] for p in json.loads(out)["partitions"])

    def line_count(self, name="out.jsonl"):
        return int(subprocess.check_output(["wc", "-l", name], cwd=self.scratch).split()[0])

    def row_count(self):
        return sqlite3.connect(self.scratch + "/out.db").execute(
            "SELECT count(*) FROM orders").fetchone()[0]

    def table(self):
        database = sqlite3.connect(self.scratch + "/out.db")
        database.execute(f"CREATE TABLE orders ({COLUMNS})")
        database.commit()
        database.close()

    def filled_topic(self):
        self.write(pipeline({"connector": "file", "include": self.data + "/orders.jsonl"}, None))
        subprocess.run(self.run(), cwd=self.scratch, check=True, capture_output=True)
        self.write(json.dumps({"pipeline": "bench", "sinks": {"out": {
            "connector": "file", "topics": "orders", "path": "out.jsonl", "format": "lines"}}}))


def workloads(b):
    d = b.data
    db_sink = {"connector": "sqlite", "path": "out.db", "insert.mode": "insert"}
    return {
        "lines-to-topic": dict(
            title="JSON Lines file → topic, opaque, 4 partitions, durable",
            setup=lambda: b.write(pipeline({"connector": "file", "include": d + "/orders.jsonl"})),
            count=b.topic_count, target="≤ 2.0 × cp + sync, ≥ 2.5 M/s",
            yardstick=("cp + sync", f"cp {d}/orders.jsonl copy && sync -d copy", None)),
        "json-to-topic": dict(
            title="JSON Lines → parse → 2 transforms → JSON → topic, 4 partitions, durable",
            setup=lambda: b.write(pipeline({
                "connector": "json", "include": d + "/orders.jsonl",
                "transforms": [{"type": "ReplaceField", "renames": "customer_id:customer"},
                               {"type": "InsertField", "static.field": "source",
                                "static.value": "bench"}]})),
            count=b.topic_count, target="≥ 2.5 M/s a core", yardstick=None),
        "json-to-sqlite": dict(
            title="JSON Lines → topic → SQLite, typed table, primary key, exactly once",
            setup=lambda: (b.table(), b.write(pipeline(
                {"connector": "json", "include": d + "/orders.jsonl"}, db_sink))),
            count=b.row_count, target="≤ 0.8 × sqlite3 .import",
            yardstick=("sqlite3 .import of the CSV",
                       f"sqlite3 out.db '.import --csv --skip 1 {d}/orders.csv orders'",
                       b.table)),
        "csv-to-file": dict(
            title="CSV → topic → JSON Lines file",
            setup=lambda: b.write(pipeline(
                {"connector": "csv", "include": d + "/orders.csv"},
                {"connector": "json", "path": "out.jsonl"})),
            count=b.line_count, target="≥ 1.5 M/s", yardstick=None),
        "xml-to-topic": dict(
            title="XML → topic",
            setup=lambda: b.write(pipeline({"connector": "xml", "include": d + "/orders.xml",
                                            "record.path": "/orders/order"})),
            count=b.topic_count, target="≤ 1.0 × xmllint --stream",
            yardstick=("xmllint --stream --noout", f"xmllint --stream --noout {d}/orders.xml",
                       None)),
        "sqlite-to-topic": dict(
            title="SQLite table → topic",
            setup=lambda: b.write(json.dumps({
                "pipeline": "bench", "topics": {"orders": {"partitions": 4}},
                "sources": {"in": {"connector": "sqlite", "path": d + "/orders.db",
                                   "mode": "bulk", "table.include.list": "orders",
                                   "topic.prefix": ""}}})),
            count=b.topic_count, target="≥ 1.5 M/s", yardstick=None),
        "topic-to-file": dict(
            title="topic → file, opaque",
            setup=b.filled_topic, count=b.line_count, target="≥ 4 M/s", yardstick=None),
    }


def bench(b, name, work, runs):
    ours, theirs = [], []
    for _ in range(runs):
        b.fresh()
        work["setup"]()
        ours.append(measure(b.run(), b.scratch))
        if (count := work["count"]()) != b.records:
            sys.exit(f"{name}: {count} records arrived of {b.records}")
        if work["yardstick"]:
            _, command, prepare = work["yardstick"]
            b.fresh()
            if prepare:
                prepare()
            theirs.append(measure(command, b.scratch))
    wall = statistics.median(run[0] for run in ours)
    result = {
        "name": name, "workload": work["title"], "target": work["target"], "runs": runs,
        "seconds": round(wall, 3), "records_per_second": round(b.records / wall),
        "cpu_seconds": round(statistics.median(run[1] for run in ours), 3),
        "peak_mib": round(max(run[2] for run in ours), 1),
        "all_seconds": [round(run[0], 3) for run in ours],
    }
    if theirs:
        yard = statistics.median(run[0] for run in theirs)
        result |= {"yardstick": work["yardstick"][0], "yardstick_seconds": round(yard, 3),
                   "ratio": round(wall / yard, 2),
                   "all_yardstick_seconds": [round(run[0], 3) for run in theirs]}
    return result


def start_up(b, runs):
    times = [measure([b.millrace, "--help"], b.data)[0] for _ in range(runs * 4)]
    return {"name": "start-up", "workload": "millrace --help", "target": "≤ 30 ms",
            "runs": len(times), "seconds": round(statistics.median(times), 4)}


def show(results):
    lines = ["| workload | s | M records/s | CPU s | peak MiB | yardstick | its s | ratio | target |",
             "|---|---|---|---|---|---|---|---|---|"]
    for r in results:
        rate = f"{r['records_per_second'] / 1e6:.2f}" if "records_per_second" in r else ""
        lines.append(" | ".join(str(part) for part in (
            "| " + r["workload"], r["seconds"], rate, r.get("cpu_seconds", ""),
            r.get("peak_mib", ""), r.get("yardstick", ""), r.get("yardstick_seconds", ""),
            r.get("ratio", ""), r["target"])) + " |")
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (f"{os.cpu_count()} cores, {model}, {memory:.0f} GiB, Linux {platform.release()}, "
            f"SQLite {sqlite3.sqlite_version}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("millrace")
    parser.add_argument("data")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--only", action="append")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    b = Bench(options)
    results = []
    for name, work in workloads(b).items():
        if not options.only or name in options.only:
            results.append(bench(b, name, work, options.runs))
            print(json.dumps(results[-1]), file=sys.stderr)
    if not options.only:
        results.append(start_up(b, options.runs))
    table = show(results)
    print(table)
    if options.save:
        folder = os.path.dirname(os.path.abspath(__file__)) + "/results"
        os.makedirs(folder, exist_ok=True)
        stem = f"{folder}/{time.strftime('%Y-%m-%d')}-{options.records}"
        with open(stem + ".json", "w") as file:
            json.dump({"machine": machine(), "records": options.records, "results": results}, file,
                      indent=1, ensure_ascii=False)
        with open(stem + ".md", "w") as file:
            file.write(f"# {options.records:,} orders, {time.strftime('%Y-%m-%d')}\n\n{machine()}."
                       f" Medians of {options.runs} alternating runs.\n\n{table}\n")
    shutil.rmtree(b.scratch, ignore_errors=True)


main()
