"""Measures what listeners take: syslog over TCP and UDP, and HTTP requests of many records and of one.

    network.py MILLRACE [--records N] [--runs N] [--only NAME] [--save]

What is sent is made beforehand. Time is from the first byte sent to the moment at which another process
sees the last record below the committed end in `state.db`; records are counted there. Everything runs
on the same two cores. With one record to a request, wrk asks (if it is installed) over 64 connections.
"""

import argparse
import json
import os
import platform
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT + "/Tests/ListenerTests")
from worker import Worker, connect  # noqa: E402

SYSLOG = "connector: syslog\nlisten: [{}://127.0.0.1:0]\ntopic: events"
HTTP = "connector: http\nlisten: 127.0.0.1:0\ntopic: events"


def committed(directory):
    """The records that are durable."""
    database = sqlite3.connect(f"file:{directory}/data/state.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT coalesce(sum(end_offset), 0) FROM partitions").fetchone()[0]
    finally:
        database.close()


def cpu(pid):
    """CPU seconds that a process has used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(millrace, source, send, count):
    """Runs a listener, sends, and waits; returns wall and CPU seconds and MiB."""
    directory = tempfile.mkdtemp(prefix="mr-bench-")
    worker = Worker(millrace, directory, source).start()
    try:
        before = cpu(worker.process.pid)
        start = time.perf_counter()
        send(worker)
        while committed(directory) < count:
            worker.check()
            time.sleep(0.002)
        wall = time.perf_counter() - start
        return wall, cpu(worker.process.pid) - before, worker.memory()
    finally:
        worker.stop()
        shutil.rmtree(directory)


def line(number):
    return (b"<165>1 2026-11-21T22:14:15.003Z web-%d.example.com nginx 8710 ID47 "
            b'[meta@32473 zone="eu" rack="12"] GET /orders/%d HTTP/1.1 200 in 12 ms\n'
            % (number % 50, number))


def syslog(count, connections):
    parts = [b"".join(line(n) for n in range(part, count, connections))
             for part in range(connections)]

    def send(worker):
        def one(text):
            with connect(worker.port()) as stream:
                stream.sendall(text)

        threads = [threading.Thread(target=one, args=(text,)) for text in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return SYSLOG.format("tcp"), send


def requests(count, connections, records):
    """Requests of many records, each sent when the one before is answered."""
    def body(first):
        return b"".join(
            b'{"id":%d,"customer":"customer %d","amount":%d.25,"currency":"EUR","status":"new",'
            b'"note":"leave at the door"}\n' % (n, n % 1000, n % 977)
            for n in range(first, min(first + records, count)))

    def request(first):
        text = body(first)
        return (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(text), text))

    all = [[request(first) for first in range(part * records, count, connections * records)]
           for part in range(connections)]

    def send(worker):
        def one(mine):
            with connect(worker.port()) as stream:
                for text in mine:
                    stream.sendall(text)
                    answer = stream.recv(4_096)
                    if b" 200 " not in answer:
                        raise SystemExit(f"answered {answer}")

        threads = [threading.Thread(target=one, args=(mine,)) for mine in all]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return HTTP, send


def wrk(millrace, seconds):
    """Single records over 64 connections; returns requests a second and latencies."""
    directory = tempfile.mkdtemp(prefix="mr-bench-")
    worker = Worker(millrace, directory, HTTP).start()
    try:
        with open(f"{directory}/post.lua", "w") as file:
            file.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                       'wrk.body = [[{"id":1,"customer":"customer 1","amount":12.25}]]\n')
        result = subprocess.run(
            ["wrk", "-t1", "-c64", f"-d{seconds}s", "--latency", "-s", "post.lua",
             f"http://127.0.0.1:{worker.port()}/"], cwd=directory, capture_output=True, text=True)
        found = {name: re.search(pattern, result.stdout) for name, pattern in {
            "requests_per_second": r"Requests/sec:\s+([\d.]+)", "p50": r"50%\s+(\S+)",
            "p99": r"99%\s+(\S+)", "refused": r"Non-2xx or 3xx responses: (\d+)"}.items()}
        return {name: match.group(1) for name, match in found.items() if match}
    finally:
        worker.stop()
        shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("millrace")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    workloads = {
        "syslog-tcp": lambda: syslog(options.records, 4),
        "http-ndjson-1000": lambda: requests(options.records, 8, 1_000),
        "http-ndjson-10": lambda: requests(options.records // 10, 32, 10),
    }
    results = {}
    for name, make in workloads.items():
        if options.only and options.only != name:
            continue
        source, send = make()
        count = options.records // 10 if name == "http-ndjson-10" else options.records
        runs = [measure(options.millrace, source, send, count) for _ in range(options.runs)]
        wall, used, memory = (statistics.median(run[part] for run in runs) for part in range(3))
        results[name] = {"records": count, "wall_s": round(wall, 3), "cpu_s": round(used, 2),
                         "records_per_s": round(count / wall), "peak_mib": round(memory),
                         "runs": [[round(value, 3) for value in run] for run in runs]}
        print(f"{name:18} {count / wall:>10,.0f} records/s  {wall:.2f} s  CPU {used:.2f} s  "
              f"{memory:.0f} MiB", flush=True)
    if shutil.which("wrk") and options.only in (None, "http-wrk"):
        results["http-wrk"] = wrk(options.millrace, 5)
        print("http-wrk          ", results["http-wrk"])
    if options.save:
        day = time.strftime("%Y-%m-%d")
        with open(f"{ROOT}/bench/results/{day}-network.json", "w") as file:
            json.dump({"machine": platform.platform(), "cores": os.cpu_count(),
                       "results": results}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
