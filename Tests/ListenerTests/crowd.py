"""Ten thousand who mean no good, all at once, while others go on: nothing of those is lost.

    crowd.py MILLRACE DIRECTORY http|https|syslog|syslog-tls [CONNECTIONS [SECONDS]]

Each of the hostile connections is one of KINDS, and is made again as soon as it is closed. They come
from 127.0.0.2, and honest clients from 127.0.0.1.
"""

import errno
import http.client
import json
import multiprocessing
import os
import resource
import selectors
import socket
import ssl
import struct
import sys
import threading
import time

import http_source
import syslog_source
from worker import Worker, certificates, connect, expect, until

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 40
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
LARGE = b"x" * 65_536

# What each kind sends at first, and again and again; None for nothing.
HTTP = {
    "silent": (b"", None),
    "slow head": (b"POST / HTTP/1.1\r\nHost: a\r\n", b"X: a\r\n"),
    "slow body": (POST + b"Content-Length: 5000\r\n\r\n", b"x"),
    "half open": (POST + b"Content-Length: 50\r\n\r\nx", "half"),
    "malformed head": (b"NONSENSE \0\xff\r\n\r\n", None),
    "malformed chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", None),
    "malformed body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 4\r\n\r\n{\"a\"", None),
    "too many fields": (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200, None),
    "oversized": (POST + b"Content-Length: 1073741824\r\n\r\n", LARGE),
    "endless": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n"),
    "TLS garbage": (HELLO, b"r" * 10),
    "reads nothing": (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 100, "deaf"),
    "reset": (b"POST / HT", "reset"),
}
# Whoever says anything else than the beginning of a handshake is closed at once: of all kinds there
# would be few at a time.
HTTPS = {
    "slow hello": (HELLO[:20], b"r"),
    **{kind: HTTP[kind]
       for kind in ("silent", "TLS garbage", "malformed head", "oversized", "reset")},
}
SYSLOG = {
    "silent": (b"", None),
    "slow count": (b"1", b""),
    "slow message": (b"200 <13>", b"x"),
    "half open": (b"100 <13>half", "half"),
    "counts that lie": (b"12x <13>y", None),
    "counts too much": (b"999999999 <13>x", None),
    "count without end": (b"9" * 64, None),
    "oversized": (b"<13>", LARGE),
    "almost a message": (b"60000 " + b"x" * 59_000, None),
    "TLS garbage": (HELLO, b"r" * 10),
    "reset": (b"77 <13>x", "reset"),
}


class Hostile:
    """One of the crowd."""

    def __init__(self, kind, behaviour, address):
        self.kind, (self.first, self.again) = kind, behaviour
        self.is_open = False
        self.stream = socket.socket()
        self.stream.setblocking(False)
        self.stream.bind(("127.0.0.2", 0))
        if self.again == "deaf":
            self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        if self.again == "reset":
            self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        code = self.stream.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))

    def act(self, is_readable):
        """Does what it does; returns whether the connection is still there."""
        try:
            if not self.is_open:
                code = self.stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    return False
                self.is_open = True
                self.stream.send(self.first)
                if self.again == "half":
                    self.stream.shutdown(socket.SHUT_WR)
                return self.again != "reset"
            if is_readable and self.again != "deaf":
                # An answer, or the end.
                return self.stream.recv(65_536) != b""
            if self.again == "deaf":
                self.stream.send(self.first)
            elif isinstance(self.again, bytes):
                self.stream.send(self.again)
            return True
        except BlockingIOError:
            return True
        except OSError:
            return False


def crowd(port, kinds, count, stop, report):
    """Keeps `count` hostile connections, as a process of its own."""
    selector = selectors.EpollSelector()
    members = set()
    closed = {kind: 0 for kind in kinds}
    names = list(kinds)
    made = most = turn = 0
    while not stop.is_set():
        # Not faster than that, or there would be no time for anything but accepting.
        for _ in range(min(500, count - len(members))):
            kind = names[made % len(names)]
            try:
                member = Hostile(kind, kinds[kind], ("127.0.0.1", port))
            except OSError:
                break
            made += 1
            members.add(member)
            selector.register(member.stream, selectors.EVENT_READ | selectors.EVENT_WRITE, member)

        def leave(member):
            selector.unregister(member.stream)
            member.stream.close()
            members.discard(member)
            closed[member.kind] += 1

        for key, events in selector.select(0.05):
            member = key.data
            if not member.act(bool(events & selectors.EVENT_READ) and member.is_open):
                leave(member)
            elif member.is_open:
                selector.modify(member.stream, selectors.EVENT_READ, member)
        # One in fifty goes on each time: some are slow, and those that flood do.
        turn = (turn + 1) % 50
        for index, member in enumerate(list(members)):
            if member.is_open and index % 50 == turn and not member.act(False):
                leave(member)
        most = max(most, sum(member.is_open for member in members))
        report["most"], report["made"], report["closed"] = most, made, dict(closed)
        time.sleep(0.02)


class HonestRequests(threading.Thread):
    """Sends numbered records until told to stop; each request again until it is answered 200."""

    def __init__(self, worker, number, context):
        super().__init__(daemon=True)
        self.worker, self.number, self.context = worker, number, context
        self.sent, self.later, self.failure, self.ending = 0, 0, None, False

    def connection(self):
        if self.context:
            return http.client.HTTPSConnection("localhost", self.worker.port(), timeout=300,
                                               context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.worker.port(), timeout=300)

    def run(self):
        try:
            connection = self.connection()
            while not self.ending:
                names = [f"{self.number}-{self.sent + part}" for part in range(10)]
                body = "".join(json.dumps({"id": name}) + "\n" for name in names)
                connection.request("POST", "/", body.encode(), http_source.LINES)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    self.sent += 10
                elif answer.status in (408, 429):
                    self.later += 1
                    time.sleep(0.2)
                else:
                    raise OSError(f"{answer.status} {text}")
                if answer.will_close:
                    connection.close()
                    connection = self.connection()
        except (OSError, http.client.HTTPException) as error:
            self.failure = repr(error)


class HonestMessages(threading.Thread):
    """Sends numbered messages on one connection, which nobody may close."""

    def __init__(self, worker, number, context):
        super().__init__(daemon=True)
        self.worker, self.number, self.context = worker, number, context
        self.sent, self.later, self.failure, self.ending = 0, 0, None, False

    def run(self):
        try:
            stream = connect(self.worker.port())
            if self.context:
                stream = self.context.wrap_socket(stream, server_hostname="localhost")
            while not self.ending:
                texts = [b"<13>1 - h honest - - - %d-%d" % (self.number, self.sent + part)
                         for part in range(50)]
                if self.number % 2:
                    stream.sendall(b"".join(b"%d %s" % (len(text), text) for text in texts))
                else:
                    stream.sendall(b"\n".join(texts) + b"\n")
                self.sent += 50
                time.sleep(0.01)
            stream.close()
        except OSError as error:
            self.failure = repr(error)


def held(millrace, directory, text, kinds, honest, context, count, seconds):
    """Runs both; returns how often each honest record is there."""
    worker = Worker(millrace, directory, text).start()
    before = worker.memory()
    clients = [honest(worker, number, context) for number in range(4)]
    for client in clients:
        client.start()
    until(lambda: all(client.sent or client.failure for client in clients), "honest clients")
    manager = multiprocessing.Manager()
    stop, report = multiprocessing.Event(), manager.dict(most=0, made=0, closed={})
    process = multiprocessing.Process(target=crowd, args=(worker.port(), kinds, count, stop, report),
                                      daemon=True)
    process.start()

    def is_there():
        worker.check()
        return report["most"] >= count * 0.95

    until(is_there, f"{count} at once: {dict(report)}")
    began, sent = time.monotonic(), [client.sent for client in clients]
    # Each honest one gets on while all of the others are there.
    until(lambda: time.monotonic() - began > seconds and all(
        client.sent >= before + 200 or client.failure for client, before in zip(clients, sent)),
        "honest clients that get on")
    for client in clients:
        client.ending = True
    for client in clients:
        client.join(300)
    stop.set()
    process.join(60)
    memory = worker.memory()
    closed, most = report["closed"], report["most"]
    print(f"{most} at once, {report['made']} made, {memory:.0f} MiB (before: {before:.0f}), "
          f"honest: {[client.sent for client in clients]}, "
          f"told to come later: {sum(client.later for client in clients)}\nclosed: {closed}")
    expect(not any(client.failure for client in clients),
           f"{[client.failure for client in clients]}\n{worker.log()}")
    worker.stop()
    # D7: what buffers hold, and a little for each connection.
    bound = before + 100 + count * (24 if context else 16) / 1_024 * 1.5
    expect(memory < bound, f"{memory} MiB, more than {bound}")
    return worker, clients


def compare(found, clients):
    """D6: each honest record is there once, and none that was not sent."""
    wanted = [f"{client.number}-{number}" for client in clients for number in range(client.sent)]
    expect(len(found) == len(wanted) and sorted(found) == sorted(wanted),
           f"{len(found)} honest records, and {len(wanted)} were sent")


def main(millrace, directory, scenario, count=10_000, seconds=0):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(int(count), hard - 1_000)
    keys = {"connections_max": count + 500, "buffer_bytes": "16MiB"}
    context = None
    if scenario in ("https", "syslog-tls"):
        certificates(directory)
        keys |= {"tls_certificate_file": "server.crt", "tls_key_file": "server.key"}
        context = ssl.create_default_context(cafile=f"{directory}/ca.crt")
    if scenario.startswith("http"):
        text = http_source.source(request_timeout_ms="20s", max_body_bytes="1MiB", **keys)
        kinds = HTTPS if context else HTTP
        worker, clients = held(millrace, directory, text, kinds, HonestRequests, context, count,
                               float(seconds))
        compare([record["id"] for record in worker.read() if isinstance(record, dict)], clients)
    else:
        scheme = "tls" if context else "tcp"
        text = syslog_source.source(f"{scheme}://127.0.0.1:0", message_timeout_ms="20s", **keys)
        worker, clients = held(millrace, directory, text, SYSLOG, HonestMessages, context, count,
                               float(seconds))
        compare([record["message"] for record in worker.read()
                 if record.get("appname") == "honest"], clients)


if __name__ == "__main__":
    main(*sys.argv[1:])
