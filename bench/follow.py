"""Measures following growing log files.

    follow.py MILLRACE [--seconds N] [--lines N] [--files N] [--runs N] [--only NAME] [--save]

latency: a writer appends 1,000 lines a second; from the write of each to the moment at which another
process sees its record in `state.db`, that is, durable and readable. idle: CPU time that files at rest
cost. growing: lines a second that are followed while a writer appends as fast as it can, and of a file
that is there, first read and then followed.
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

from results import save

TICK = os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, options):
        self.options = options
        self.millrace = os.path.abspath(options.millrace)
        self.directory = tempfile.mkdtemp(prefix="millrace-follow-")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, follow=True):
        """Starts to follow, or to read once; what is in logs/ must be there already."""
        shutil.rmtree(self.directory + "/data", ignore_errors=True)
        text = {"pipeline": "bench", "topics": {"logs": {"partitions": 1}},
                "sources": {"in": {"connector": "file", "follow": follow, "include": "logs/*.log",
                                   "topic": "logs"}}}
        with open(self.directory + "/pipeline.yaml", "w") as file:
            json.dump(text, file)
        with open(self.directory + "/log", "w") as log:
            return subprocess.Popen([self.millrace, "run", "--data-dir", "data", "pipeline.yaml"],
                                    cwd=self.directory, stdout=log, stderr=log)

    def stop(self, process):
        if process.poll() is None:
            process.terminate()
        if process.wait() != 0:
            sys.exit(open(self.directory + "/log").read()[-3000:])

    def fresh(self):
        shutil.rmtree(self.directory + "/logs", ignore_errors=True)
        os.makedirs(self.directory + "/logs")

    def open_database(self):
        deadline = time.time() + 60
        while True:
            try:
                database = sqlite3.connect(f"file:{self.directory}/data/state.db?mode=ro",
                                           uri=True, isolation_level=None)
                self.end(database)
                return database
            except sqlite3.OperationalError:
                if time.time() > deadline:
                    raise
                time.sleep(0.02)

    def end(self, database):
        row = database.execute(
            "SELECT end_offset FROM partitions WHERE partition = 0 AND topic = "
            "(SELECT id FROM topics WHERE name = 'logs')").fetchone()
        return row[0] if row else 0

    def wait(self, database, count):
        while self.end(database) < count:
            time.sleep(0.002)
        return time.perf_counter()

    def latency(self):
        self.fresh()
        path = self.directory + "/logs/app.log"
        open(path, "w").close()
        process = self.start()
        database = self.open_database()
        time.sleep(1)
        code = ("import os, sys, time\n"
                "file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)\n"
                "next = time.time()\n"
                "for number in range(int(sys.argv[2])):\n"
                "    next += 0.001\n"
                "    rest = next - time.time()\n"
                "    if rest > 0: time.sleep(rest)\n"
                "    print(time.time())\n"
                "    os.write(file, b'%d %s\\n' % (number, b'x' * 150))\n")
        count = self.options.seconds * 1000
        times = self.directory + "/times"
        with open(times, "w") as output:
            writer = subprocess.Popen([sys.executable, "-c", code, path, str(count)],
                                      stdout=output)
        seen = []
        while len(seen) < count:
            end, now = self.end(database), time.time()
            seen += [now] * (end - len(seen))
            time.sleep(0.0003)
        writer.wait()
        self.stop(process)
        with open(times) as file:
            written = [float(line) for line in file]
        waits = sorted(1000 * (read - write) for read, write in zip(seen, written))
        return {"name": "latency", "workload": "append → record in a durable topic, 1,000 lines/s",
                "target": "median ≤ 10 ms", "lines": count,
                "result": f"median {statistics.median(waits):.2f} ms, "
                          f"99th percentile {waits[len(waits) * 99 // 100]:.2f} ms, "
                          f"longest {waits[-1]:.1f} ms"}

    def idle(self):
        self.fresh()
        for number in range(self.options.files):
            with open(f"{self.directory}/logs/{number}.x.log", "w") as file:
                file.write(f"a line of file {number}\n")
        process = self.start()
        database = self.open_database()
        begin = time.perf_counter()
        first = self.wait(database, self.options.files) - begin
        time.sleep(3)

        def cpu():
            with open(f"/proc/{process.pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / TICK

        before = cpu()
        time.sleep(self.options.seconds)
        spent = cpu() - before
        with open(f"/proc/{process.pid}/status") as file:
            memory = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
        with open(f"{self.directory}/logs/{self.options.files // 2}.x.log", "a") as file:
            file.write("one more\n")
        begin = time.perf_counter()
        wake = self.wait(database, self.options.files + 1) - begin
        self.stop(process)
        return {"name": "idle", "workload": f"{self.options.files:,} files at rest",
                "target": "< 1 % of a core",
                "result": f"{100 * spent / self.options.seconds:.2f} % of a core, "
                          f"{memory / 1024:.0f} MiB, {descriptors} descriptors; first read of all "
                          f"{first:.2f} s; a line appended to one {1000 * wake:.1f} ms"}

    def line(self, number):
        return b"127.0.0.1 - - [21/Nov/2026:08:12:%02d +0000] \"GET /item/%d HTTP/1.1\" 200 %d " \
               b"\"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"\n" \
               % (number % 60, number, number % 50_000)

    def growing(self):
        rates, cores = [], []
        block = b"".join(self.line(number) for number in range(1000))
        for _ in range(self.options.runs):
            self.fresh()
            path = self.directory + "/logs/access.log"
            open(path, "w").close()
            process = self.start()
            database = self.open_database()
            time.sleep(1)
            begin = time.perf_counter()
            with open(path, "ab", buffering=0) as file:
                for _ in range(self.options.lines // 1000):
                    file.write(block)
            rates.append(self.options.lines / (self.wait(database, self.options.lines) - begin))
            with open(f"/proc/{process.pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            cores.append((int(fields[11]) + int(fields[12])) / TICK)
            self.stop(process)
        return {"name": "growing",
                "workload": f"a file that grows by {self.options.lines:,} lines as fast as a "
                            "writer can",
                "target": "≥ 1 M lines/s; rsyslog imfile → omkafka 0.4 M",
                "result": f"{statistics.median(rates) / 1e6:.2f} M lines/s "
                          f"({', '.join(f'{rate / 1e6:.2f}' for rate in rates)}), "
                          f"{statistics.median(cores):.2f} CPU s"}

    def files(self):
        rates = {True: [], False: []}
        count = self.options.lines // 8000 * 8000
        block = b"".join(self.line(number) for number in range(1000))
        self.fresh()
        for number in range(8):
            with open(f"{self.directory}/logs/{number}.log", "wb") as file:
                for _ in range(count // 8000):
                    file.write(block)
        for _ in range(self.options.runs):
            for follow in (True, False):
                begin = time.perf_counter()
                process = self.start(follow)
                end = self.wait(self.open_database(), count)
                rates[follow].append(count / (end - begin))
                self.stop(process)
        follow, plain = (statistics.median(rates[way]) for way in (True, False))
        return {"name": "files",
                "workload": f"{count:,} lines that are there, in 8 files, start-up included",
                "target": "≥ 1 M lines/s; what reading them once takes",
                "result": f"{follow / 1e6:.2f} M lines/s "
                          f"({', '.join(f'{rate / 1e6:.2f}' for rate in rates[True])}); read once "
                          f"{plain / 1e6:.2f} M lines/s"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("millrace")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--only", action="append")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    results = []
    try:
        for name in ("latency", "idle", "growing", "files"):
            if not options.only or name in options.only:
                results.append(getattr(bench, name)())
                print(json.dumps(results[-1], ensure_ascii=False), file=sys.stderr, flush=True)
    finally:
        bench.remove()
    table = "\n".join(["| workload | result | target |", "|---|---|---|"] +
                      [f"| {r['workload']} | {r['result']} | {r['target']} |" for r in results])
    print(table)
    if options.save:
        save("follow", "Following logs", f"Medians of {options.runs} runs.", results, table)


main()
