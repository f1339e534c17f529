"""Syslog clients that others wrote, and some that mean no good.

    syslog_source.py MILLRACE DIRECTORY SCENARIO
"""

import json
import logging
import logging.handlers
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import time

from worker import Worker, certificates, connect, expect, until


def source(*listen, topic="events", **keys):
    lines = ["connector: syslog", f"listen: [{', '.join(listen)}]", f"topic: {topic}"]
    lines += [f"{name.replace('_', '.')}: {value}" for name, value in keys.items()]
    return "\n".join(lines)


def by_message(records):
    return {record.get("message"): record for record in records}


def logger(millrace, directory):
    """util-linux's logger, over everything that it speaks."""
    # Short, because the path of a socket has at most 107 bytes.
    folder = subprocess.check_output(["mktemp", "-d", "/tmp/mr-log-XXXXXX"], text=True).strip()
    worker = Worker(millrace, directory, source(
        "udp://127.0.0.1:0", "tcp://127.0.0.1:0", f"unixgram:{folder}/d", f"unix:{folder}/s"))
    worker.start(4)
    udp, tcp = worker.port(0), worker.port(1)

    def send(message, *arguments):
        subprocess.run(["logger", "-p", "mail.warning", "-t", "app", "--id=77", *arguments,
                        message], check=True)

    send("udp 3164", "-n", "127.0.0.1", "-P", str(udp), "-d", "--rfc3164")
    send("udp 5424", "-n", "127.0.0.1", "-P", str(udp), "-d", "--rfc5424", "--msgid", "ID1",
         "--sd-id", "zoo@123", "--sd-param", 'tiger="hungry"')
    send("tcp lines", "-n", "127.0.0.1", "-P", str(tcp), "-T", "--rfc5424")
    send("tcp counted", "-n", "127.0.0.1", "-P", str(tcp), "-T", "--octet-count")
    send("socket datagram", "-u", f"{folder}/d")
    send("naïve ☃", "-u", f"{folder}/s")
    found = by_message(worker.await_records(6))
    for message in ("udp 3164", "udp 5424", "tcp lines", "tcp counted", "socket datagram",
                    "naïve ☃"):
        record = found.get(message)
        expect(record, f"{message} is in {found}")
        said = {name: record.get(name) for name in ("facility", "severity", "appname", "procid")}
        expect(said == {"facility": "mail", "severity": "warning", "appname": "app",
                        "procid": "77"}, f"{message} says {record}")
        expect(abs(time.time() - seconds(record["timestamp"])) < 86_400, f"time of {record}")
    expect(found["udp 5424"]["structured_data"]["zoo@123"] == {"tiger": "hungry"}, "parameters")
    expect(found["udp 5424"]["msgid"] == "ID1", "message id")
    expect(found["udp 3164"]["source_ip"] == "127.0.0.1", "the sender's address")
    expect(found["tcp counted"]["source_ip"] == "127.0.0.1", "the sender's address")
    expect(found["udp 5424"]["hostname"] == socket.gethostname(), f"{found['udp 5424']}")
    worker.stop()
    expect(not os.path.exists(f"{folder}/d") and not os.path.exists(f"{folder}/s"), "left sockets")
    os.rmdir(folder)


def seconds(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def python(millrace, directory):
    """Python's own handler, and restarts that find what was there."""
    worker = Worker(millrace, directory, source("udp://127.0.0.1:0", "tcp://127.0.0.1:0"))
    worker.start(2)
    log = logging.getLogger("clients")
    log.setLevel(logging.INFO)
    for port, kind in ((worker.port(0), socket.SOCK_DGRAM), (worker.port(1), socket.SOCK_STREAM)):
        handler = logging.handlers.SysLogHandler(("127.0.0.1", port), socktype=kind)
        if kind == socket.SOCK_STREAM:
            # A NUL ends no message of a stream (RFC 6587).
            handler.append_nul = False
            handler.setFormatter(logging.Formatter("app: %(message)s\n"))
        log.handlers = [handler]
        log.warning("from %s", kind.name)
        handler.close()
    found = by_message(worker.await_records(2))
    expect(found["from SOCK_DGRAM"]["severity"] == "warning", str(found))
    expect(found["from SOCK_STREAM"]["appname"] == "app", str(found))
    worker.stop()
    worker.start(2)
    subprocess.run(["logger", "-n", "127.0.0.1", "-P", str(worker.port(1)), "-T", "again"],
                   check=True)
    worker.await_records(3)
    worker.stop()


def rsyslog(millrace, directory):
    """rsyslog forwards a file over TCP, with octet counting, and over UDP."""
    worker = Worker(millrace, directory, source("tcp://127.0.0.1:0"))
    worker.start()
    count = 20_000
    with open(f"{directory}/in.log", "w") as file:
        file.writelines(f"line {number}\n" for number in range(count))
    with open(f"{directory}/rsyslog.conf", "w") as file:
        file.write(f"""
global(workDirectory="{directory}")
module(load="imfile")
input(type="imfile" File="{directory}/in.log" Tag="web" Severity="info" Facility="local3")
action(type="omfwd" Target="127.0.0.1" Port="{worker.port()}" Protocol="tcp"
       TCP_Framing="octet-counted" Template="RSYSLOG_SyslogProtocol23Format")
""")
    daemon = subprocess.Popen(
        ["/usr/sbin/rsyslogd", "-n", "-f", f"{directory}/rsyslog.conf", "-i",
         f"{directory}/rsyslog.pid"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def arrived():
            worker.check()
            expect(daemon.poll() is None, f"rsyslogd runs, and not ended with {daemon.poll()}")
            found = [record for record in worker.read() if record.get("appname") == "web"]
            return found if len(found) >= count else None

        found = until(arrived, "every line")
    finally:
        # Everything has arrived, and it may have been started with SIGTERM blocked.
        daemon.kill()
        daemon.wait()
    expect([record["message"] for record in found] == [f"line {n}" for n in range(count)],
           "every line once and in order")
    expect(all(record["facility"] == "local3" for record in found), "the facility")
    worker.stop()


def tls(millrace, directory):
    """Who has no right certificate stays out; who has may speak."""
    certificates(directory)
    worker = Worker(millrace, directory, source(
        "tls://127.0.0.1:0", tls_certificate_file="server.crt", tls_key_file="server.key",
        tls_client_ca_file="ca.crt", message_timeout_ms="10s"))
    worker.start()

    def client(certificate=None):
        context = ssl.create_default_context(cafile=f"{directory}/ca.crt")
        if certificate:
            context.load_cert_chain(f"{directory}/{certificate}.crt",
                                    f"{directory}/{certificate}.key")
        return context.wrap_socket(connect(worker.port()), server_hostname="localhost")

    with client("client") as stream:
        text = b"<13>1 - h app - - - secret words"
        stream.sendall(str(len(text)).encode() + b" " + text)
    worker.await_records(1)
    for stranger in (None, "intruder"):
        try:
            with client(stranger) as stream:
                stream.sendall(b"<13>1 - h app - - - unwanted\n")
                # With TLS 1.3 a client learns only now that it was refused.
                expect(stream.recv(1) == b"", "refused")
        except (ssl.SSLError, ConnectionError, BrokenPipeError):
            pass
    with connect(worker.port()) as plain:
        plain.sendall(b"<13>in the clear\n" * 10)
        expect(gone(plain), "closed when it does not speak TLS")
    with connect(worker.port()) as silent:
        expect(gone(silent), "closed when it never speaks at all")
    with client("client") as stream:
        stream.sendall(b"<13>1 - h app - - - the last\n")
    found = [record["message"] for record in worker.await_records(2)]
    worker.stop()
    expect(found == ["secret words", "the last"] and len(worker.read()) == 2, str(found))
    expect("TLS handshakes failed" in worker.log(), "failed handshakes are in the log")


def gone(stream):
    """Whether the other side closes the connection."""
    try:
        while stream.recv(4_096):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def hostile(millrace, directory):
    """Malformed, endless, slow and half-open: each is ended, and others are served."""
    worker = Worker(millrace, directory, source(
        "tcp://127.0.0.1:0", message_timeout_ms="2s", buffer_bytes="4MiB"))
    worker.start()
    port = worker.port()
    bad = [b"999999999 <13>x", b"12x <13>y", b"99999999999999999999 z", b"5 abcde77<13>x"]
    for bytes in bad:
        with connect(port) as stream:
            stream.sendall(bytes)
            expect(gone(stream), f"closed after {bytes}")
    # A line that never ends: a gigabyte, as far as it is taken.
    sent = 0
    with connect(port) as stream:
        try:
            while sent < 1 << 30:
                sent += stream.send(b"x" * (1 << 20))
        except OSError:
            pass
    expect(sent < 64 << 20, f"a line without end was read for {sent} bytes")
    slow = [connect(port) for _ in range(50)]
    for stream in slow:
        stream.sendall(b"<13>never comp")
    half = connect(port)
    half.sendall(b"100 <13>half")
    # Random bytes with every value, among them line ends.
    with connect(port) as stream:
        stream.sendall(b"<13>" + bytes_of_all_kinds() + b"\n")
    with connect(port) as stream:
        stream.sendall(b"<13>host app: served\n")
    until(lambda: any("served" in (record["message"] or "") for record in worker.read()),
          "a good message among bad ones")
    for stream in slow + [half]:
        expect(gone(stream), "the slow are closed")
    memory = worker.memory()
    expect(memory < 200, f"{memory} MiB")
    worker.stop()
    for reason in ("breaking the protocol", "longer than max.message.bytes", "too slow"):
        expect(reason in worker.log(), f"`{reason}` is in the log\n{worker.log()}")


def bytes_of_all_kinds():
    return bytes(value for value in range(256) if value != 10) * 50


def many(millrace, directory):
    """Ten thousand connections at once, or as many as there may be files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    worker = Worker(millrace, directory, source(
        "tcp://127.0.0.1:0", connections_max=count, message_timeout_ms="1h"))
    worker.start()
    port = worker.port()
    streams = [connect(port) for _ in range(count)]
    for number, stream in enumerate(streams):
        stream.sendall(b"<13>1 - h app - - - " + str(number).encode() + b"\n<13>unfinished")
    found = worker.await_records(count)
    expect({record["message"] for record in found} == {str(n) for n in range(count)},
           "one message of each")
    with connect(port) as stream:
        expect(gone(stream), "one more is refused")
    memory = worker.memory()
    print(f"{count} connections, {memory:.0f} MiB")
    expect(memory < 400, f"{memory} MiB")
    for stream in streams:
        stream.close()
    worker.stop()
    # Lines that had no end when their connections were closed.
    expect(len(worker.read()) == 2 * count, "every last line")


def drain(millrace, directory):
    """What was sent before SIGTERM is in the topic, and a small buffer holds a flood back."""
    worker = Worker(millrace, directory, source(
        "tcp://127.0.0.1:0", "udp://127.0.0.1:0", buffer_bytes="1MiB", linger_ms="100ms"))
    worker.start(2)
    count = 200_000
    text = b"".join(b"<13>1 - h app - - - %d %s\n" % (n, b"x" * 100) for n in range(count))
    with connect(worker.port(0)) as stream:
        stream.sendall(text)
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(100):
        datagram.sendto(b"<14>1 - h udp - - - %d" % number, ("127.0.0.1", worker.port(1)))
    worker.stop()
    memory_bound(worker)
    records = worker.read()
    lines = [record["message"].split()[0] for record in records if record["appname"] == "app"]
    expect(lines == [str(n) for n in range(count)], f"{len(lines)} of {count} lines, in order")
    datagrams = [record["message"] for record in records if record["appname"] == "udp"]
    expect(datagrams == [str(n) for n in range(100)], f"{len(datagrams)} of 100 datagrams")


def memory_bound(worker):
    usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    expect(usage < 200, f"{usage} MiB")


def overflow(millrace, directory):
    """What the kernel drops is counted in the log."""
    worker = Worker(millrace, directory, source(
        "udp://127.0.0.1:0", udp_receive_buffer_bytes="4096", buffer_bytes="1MiB"))
    worker.start()
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.connect(("127.0.0.1", worker.port()))
    # Stopped, it reads nothing, so that the kernel must drop something.
    os.kill(worker.process.pid, 19)
    sent = 2_000
    for number in range(sent):
        datagram.send(b"<13>1 - h app - - - %d" % number)
    os.kill(worker.process.pid, 18)
    worker.await_records(1)
    worker.stop()
    import re
    lost = re.findall(r"datagrams lost.*?total\"?[=:]\s*\"?(\d+)", worker.log()) or \
        re.findall(r"total\"?[=:]\s*\"?(\d+).*?datagrams lost", worker.log())
    expect(lost, f"the log has a number\n{worker.log()}")
    expect(len(worker.read()) + int(lost[-1]) == sent,
           f"{len(worker.read())} arrived, {lost[-1]} lost, {sent} sent")


def severity(millrace, directory):
    """A topic for each severity."""
    worker = Worker(millrace, directory,
                    source("udp://127.0.0.1:0", topic="log-${field:severity}", raw="true"),
                    topics="log-err: {partitions: 1}")
    worker.start()
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(24):
        datagram.sendto(b"<%d>1 - h app - - - %d" % (number, number),
                        ("127.0.0.1", worker.port()))
    datagram.sendto(b"no priority", ("127.0.0.1", worker.port()))
    worker.await_records(4, "log-notice")
    errors = worker.await_records(3, "log-err")
    expect([record["message"] for record in errors] == ["3", "11", "19"], str(errors))
    expect(errors[0]["raw"] == "<3>1 - h app - - - 3", str(errors[0]))
    expect(worker.read("log-notice")[-1]["message"] == "no priority", "user.notice")
    worker.stop()


def example(millrace, directory):
    """pipelines/syslog-by-severity.yaml, at a port that is free, with what its first lines say."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(f"{root}/pipelines/syslog-by-severity.yaml") as file:
        text = file.read()
    expect(text.count("5514") == 4, "the port is where it was")
    worker = Worker(millrace, directory, source(f"udp://127.0.0.1:{port}"))
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(text.replace("5514", str(port)))
    worker.start(2)
    for level in ("err", "crit", "info"):
        subprocess.run(["logger", "-n", "127.0.0.1", "-P", str(port), "-T", "-p", f"user.{level}",
                        f"It is {level}."], check=True)
    for level in ("err", "crit", "info"):
        found = worker.await_records(1, f"syslog-{level}")
        expect([record["message"] for record in found] == [f"It is {level}."], str(found))
    worker.stop()
    with open(f"{directory}/out/syslog-bad.jsonl") as file:
        bad = sorted(json.loads(line)["severity"] for line in file)
    expect(bad == ["crit", "err"], str(bad))


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
