"""Measures what listeners take: syslog over TCP, and HTTP requests of many records and of few.

    network.py MILLRACE [--records N] [--runs N] [--only NAME] [--save]

What is sent is made beforehand. Time is from the first byte sent to the moment at which another process
sees the last record below the committed end in `state.db`; records are counted there. Everything runs
on the same two cores, the senders too. Runs alternate with those of the yardstick, which gets the same
bytes: rsyslog, that takes messages apart and writes JSON lines to a file, without fsync; and for HTTP a
server of Python's library that appends the body to a file, has it on the disk, and answers. With one
record to a request, wrk asks (if it is installed) over 64 connections.
"""

import argparse
import os
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

from results import save  # noqa: E402

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


class Port:
    """What a sender needs to know of whom it sends to."""

    def __init__(self, port):
        self.number = port

    def port(self):
        return self.number


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def await_port(port, process):
    for _ in range(1_000):
        try:
            return connect(port).close()
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    raise SystemExit("the yardstick does not listen")


RSYSLOG = """
global(workDirectory="{0}")
module(load="imtcp")
template(name="json" type="list" option.jsonf="on") {{
  property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="appname" name="app-name" format="jsonf")
  property(outname="procid" name="procid" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="structured_data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="source_ip" name="fromhost-ip" format="jsonf")
}}
ruleset(name="r") {{ action(type="omfile" file="{0}/out.log" template="json") }}
input(type="imtcp" address="127.0.0.1" port="{1}" ruleset="r")
"""


def rsyslog(send, count):
    """The same messages to rsyslog; wall and CPU seconds and MiB."""
    directory = tempfile.mkdtemp(prefix="mr-bench-")
    port = free_port()
    with open(f"{directory}/conf", "w") as file:
        file.write(RSYSLOG.format(directory, port))
    process = subprocess.Popen(
        ["/usr/sbin/rsyslogd", "-n", "-f", f"{directory}/conf", "-i", f"{directory}/pid"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port, process)
        before = cpu(process.pid)
        start = time.perf_counter()
        send(Port(port))
        found, last = 0, start
        with open(f"{directory}/out.log", "rb") as file:
            while found < count:
                new = file.read(1 << 20)
                found += new.count(b"\n")
                if new:
                    last = time.perf_counter()
                elif time.perf_counter() - last > 30:
                    raise SystemExit(f"rsyslog wrote {found} of {count}")
                else:
                    time.sleep(0.002)
        return time.perf_counter() - start, cpu(process.pid) - before, memory(process.pid)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory)


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024


PYTHON = """
import http.server, os, sys, threading
out = open(sys.argv[2], "ab", buffering=0)
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            out.write(body)
            os.fdatasync(out.fileno())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def python(send, count):
    """The same requests to a server of Python's library; wall and CPU seconds and MiB."""
    directory = tempfile.mkdtemp(prefix="mr-bench-")
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", PYTHON, str(port), f"{directory}/out"])
    try:
        await_port(port, process)
        before = cpu(process.pid)
        start = time.perf_counter()
        send(Port(port))
        wall = time.perf_counter() - start
        return wall, cpu(process.pid) - before, memory(process.pid)
    finally:
        process.kill()
        process.wait()
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
    few = options.records // 50
    workloads = {
        "syslog-tcp": ("RFC 5424 messages, 4 connections", options.records, rsyslog,
                       lambda: syslog(options.records, 4)),
        "http-ndjson-1000": ("1,000 records a request, 8 connections", options.records, python,
                             lambda: requests(options.records, 8, 1_000)),
        "http-ndjson-10": ("10 records a request, 32 connections", few, python,
                           lambda: requests(few, 32, 10)),
    }
    results = []
    for name, (title, count, yardstick, make) in workloads.items():
        if options.only in (None, name):
            results.append(compare(options, name, title, count, yardstick, make))
    if shutil.which("wrk") and options.only in (None, "http-wrk"):
        found = wrk(options.millrace, 5)
        print("http-wrk          ", found)
        results.append({"name": "http-wrk", "workload": "one record a request, wrk, 64 connections"}
                       | found)
    if options.save:
        save("network", "What listeners take",
             f"Medians of {options.runs} runs, alternating with the yardstick's: rsyslog writing JSON "
             "lines without fsync; a server of Python's library with fdatasync for each request. "
             "Senders are Python threads on the same cores.", results, table(results))


def compare(options, name, title, count, yardstick, make):
    """Measures one workload and its yardstick in turn."""
    source, send = make()
    ours, theirs = [], []
    for _ in range(options.runs):
        ours.append(measure(options.millrace, source, send, count))
        theirs.append(yardstick(send, count))
    median = [statistics.median(run[part] for run in ours) for part in range(3)]
    other = [statistics.median(run[part] for run in theirs) for part in range(3)]
    print(f"{name:18} {count / median[0]:>9,.0f} records/s  {median[0]:.2f} s  CPU {median[1]:.2f} s  "
          f"{median[2]:.0f} MiB   {yardstick.__name__} {count / other[0]:>9,.0f} records/s  "
          f"CPU {other[1]:.2f} s  {other[2]:.0f} MiB", flush=True)
    return {"name": name, "workload": f"{count:,} records: {title}", "records": count,
            "records_per_s": round(count / median[0]), "wall_s": round(median[0], 3),
            "cpu_s": round(median[1], 2), "peak_mib": round(median[2], 1),
            "yardstick": yardstick.__name__, "yardstick_records_per_s": round(count / other[0]),
            "yardstick_cpu_s": round(other[1], 2), "yardstick_peak_mib": round(other[2], 1),
            "runs": [[round(value, 3) for value in run] for run in ours + theirs]}


def table(results):
    lines = ["| workload | records/s | CPU s | peak MiB | yardstick | records/s | CPU s | peak MiB |",
             "|---|---|---|---|---|---|---|---|"]
    for result in results:
        if "records" in result:
            lines.append(
                f"| {result['workload']} | {result['records_per_s']:,} | {result['cpu_s']} "
                f"| {result['peak_mib']} | {result['yardstick']} "
                f"| {result['yardstick_records_per_s']:,} | {result['yardstick_cpu_s']} "
                f"| {result['yardstick_peak_mib']} |")
        else:
            lines.append(f"| {result['workload']} | {result.get('requests_per_second')} requests/s, "
                         f"median {result.get('p50')}, 99th percentile {result.get('p99')}, "
                         f"refused {result.get('refused', 0)} | | | | | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
