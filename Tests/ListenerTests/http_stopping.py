"""SIGTERM: what was begun is answered when it is durable, and nothing else is taken.

    http_stopping.py MILLRACE DIRECTORY SCENARIO
"""

import http.client
import json
import signal
import socket
import sys
import time

from http_source import LINES, Sender, source
from worker import Worker, connect, expect, until

# How long the source waits for requests that have begun.
GRACE = 10

HEAD = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
        b"Content-Length: %d\r\n")


def line(name):
    return json.dumps({"id": name}).encode() + b"\n"


def begin(worker, body):
    """Sends a request without its last byte, when the head has certainly been read."""
    stream = connect(worker.port())
    stream.sendall(HEAD % len(body) + b"Expect: 100-continue\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = stream.recv(4_096)
        expect(part, "an answer to the head")
        answer += part
    expect(b" 100 " in answer, f"{answer}")
    stream.sendall(body[:-1])
    return stream


def rest(stream):
    """All that still comes; a connection that is reset has nothing more."""
    text = b""
    try:
        while part := stream.recv(4_096):
            text += part
    except ConnectionResetError:
        pass
    stream.close()
    return text


def idle(worker):
    """A connection on which one request was answered, and nothing is asked."""
    connection = http.client.HTTPConnection("127.0.0.1", worker.port(), timeout=300)
    connection.request("GET", "/health")
    connection.getresponse().read()
    return connection.sock


def is_refused(worker):
    try:
        connect(worker.port()).close()
        return False
    except OSError:
        return True


def stop(worker, quiet):
    """Asks the worker to end, and waits until it takes nothing new."""
    worker.process.send_signal(signal.SIGTERM)
    expect(rest(quiet) == b"", "a connection that asks nothing is closed")
    until(lambda: is_refused(worker), "nobody else is let in")
    worker.check()


def crowded(millrace, directory):
    """Clients that go on sending: each answer is 200, for what is there, or says come later."""
    worker = Worker(millrace, directory, source()).start()
    senders = [Sender(worker, number, repeats=False) for number in range(8)]
    for sender in senders:
        sender.start()
    until(lambda: sum(len(sender.answered) for sender in senders) > 200, "answers")
    late, quiet = begin(worker, line("late")), idle(worker)
    began = time.monotonic()
    stop(worker, quiet)
    # A second request behind it comes when nothing is taken any more.
    late.sendall(b"\n" + HEAD % len(line("behind")) + b"\r\n" + line("behind"))
    answer = rest(late)
    is_late = time.monotonic() - began > GRACE and not answer
    if not is_late:
        expect(answer.startswith(b"HTTP/1.1 200 "), f"what had begun is answered: {answer}")
        expect(b"connection: close" in answer.lower(), f"and its connection closed: {answer}")
        expect(b" 200 " not in answer[15:], f"what came later is not taken: {answer}")
    # Another signal would end it at once.
    worker.stop(signalled=True)
    for sender in senders:
        sender.ending = True
    for sender in senders:
        sender.join(300)
    found = [record["id"] for record in worker.read()]
    expect(found.count("late") == (0 if is_late else 1), "what was begun is there once")
    expect("behind" not in found, "what came later is not there")
    for sender in senders:
        for name in sender.answered:
            expect(found.count(name) == 3, f"{name} was answered and is there {found.count(name)}")


def waiting(millrace, directory):
    """Requests whose records wait for their turn: SIGTERM ends the wait, and they are answered."""
    worker = Worker(millrace, directory, source(
        transforms="[{type: Throttle, records.per.second: 1}]")).start()
    count = 5_000
    waiting = {name: begin(worker, line(name) * count) for name in ("one", "two", "three")}
    for stream in waiting.values():
        stream.sendall(b"\n")
    late, quiet = begin(worker, line("late")), idle(worker)
    began = time.monotonic()
    stop(worker, quiet)
    expect(not is_answered(late), "what is not complete is not answered")
    late.sendall(b"\n")
    waiting["late"] = late
    answers = {name: rest(stream) for name, stream in waiting.items()}
    worker.stop(signalled=True)
    found = [record["id"] for record in worker.read()]
    for name, answer in answers.items():
        records = 1 if name == "late" else count
        is_whole = answer.startswith(b"HTTP/1.1 200 ") and found.count(name) == records
        # A machine that takes longer than the source waits has them closed without an answer.
        is_late = time.monotonic() - began > GRACE and not answer and found.count(name) == 0
        expect(is_whole or is_late, f"{name} was answered {answer} and has {found.count(name)}")


def is_answered(stream):
    stream.setblocking(False)
    try:
        return bool(stream.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        stream.settimeout(300)


def unfinished(millrace, directory):
    """A client that never ends its request holds the end up for a while, and nothing of it stays."""
    worker = Worker(millrace, directory, source()).start()
    never, quiet = begin(worker, line("one") + line("two")), idle(worker)
    stop(worker, quiet)
    answer = rest(never)
    expect(not answer or answer.startswith(b"HTTP/1.1 503 "), f"{answer}")
    worker.stop(signalled=True)
    expect(worker.read() == [], "nothing was written")


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
