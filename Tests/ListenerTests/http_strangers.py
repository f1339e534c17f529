"""What strangers send to the http source so that it costs more than it should.

    http_strangers.py MILLRACE DIRECTORY SCENARIO
"""

import gzip
import resource
import socket
import subprocess
import sys
import time

from http_source import JSON, LINES, send, source
from worker import Worker, certificates, connect, expect, until


def rest(stream):
    """Everything that is still sent, and whether the connection ends."""
    text = b""
    try:
        while part := stream.recv(65_536):
            text += part
    except TimeoutError:
        return text, False
    except OSError:
        pass
    return text, True


def unread(millrace, directory):
    """Who asks again and again and reads no answer is closed, and not remembered."""
    worker = Worker(millrace, directory, source()).start()
    before = worker.memory()
    question = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 2_000
    asked = 0
    with socket.socket() as stream:
        # Small, so that answers pile up on the other side.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stream.settimeout(300)
        stream.connect(("127.0.0.1", worker.port()))
        try:
            while asked < 512 << 20:
                asked += stream.send(question)
        except OSError as error:
            expect(not isinstance(error, TimeoutError), f"closed, not waited for: {error!r}")
    expect(asked < 512 << 20, "questions without end are not answered")
    memory = worker.memory()
    print(f"closed after {asked >> 10} KiB of questions; {before:.0f} to {memory:.0f} MiB")
    expect(memory < before + 40, f"{memory} MiB")
    expect(send(worker, body=b'{"n": 1}', headers=JSON)[0] == 200, "others are served")
    worker.stop()
    expect("not reading" in worker.log(), f"it is in the log\n{worker.log()}")


def heads(millrace, directory):
    """Heads that never end cost little, keep nobody else out, and are ended in time."""
    worker = Worker(millrace, directory, source(
        connections_max=2_000, buffer_bytes="1MiB", max_body_bytes="64KiB",
        request_timeout_ms="20s")).start()
    before = worker.memory()
    streams = [connect(worker.port()) for _ in range(900)]
    for number, stream in enumerate(streams):
        fields = b"X-Long: " + b"a" * 15_000 if number % 2 else b"X: a\r\n" * 99
        stream.sendall(b"POST / HTTP/1.1\r\n" + fields)
    until(lambda: attempt(worker), "others are served meanwhile")
    expect(worker.memory() < before + 80, f"{before} to {worker.memory()} MiB")
    print(f"900 heads: {before:.0f} to {worker.memory():.0f} MiB")
    for stream in streams:
        expect(rest(stream)[1], "each is ended")
        stream.close()
    worker.stop()
    expect("too slow" in worker.log(), f"it is in the log\n{worker.log()}")
    # One more field or letter than there may be.
    worker.start()
    for fields in (b"X-Long: " + b"a" * 17_000, b"X: a\r\n" * 101):
        with connect(worker.port()) as stream:
            stream.sendall(b"POST / HTTP/1.1\r\n" + fields + b"\r\n\r\n")
            text, ended = rest(stream)
            expect(ended and b" 200 " not in text, f"{text}")
    worker.stop()


def attempt(worker):
    try:
        return send(worker, body=b'{"n": 1}', headers=JSON)[0] == 200
    except OSError:
        return False


def bombs(millrace, directory):
    """Little that becomes much: bytes, records, levels and fields."""
    worker = Worker(millrace, directory, source()).start()
    before = worker.memory()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    packed = {"Content-Encoding": "gzip"}
    cases = [
        ("spaces", gzip.compress(b"[" + b" " * (200 << 20) + b"]"), JSON | packed, 413),
        ("lines", gzip.compress(b"0\n" * (30 << 20)), LINES | packed, 413),
        ("elements", gzip.compress(b"[" + b"0," * (30 << 20) + b"0]"), JSON | packed, 413),
        ("gzip in gzip", gzip.compress(gzip.compress(b"{}" * (64 << 20))), JSON | packed, 400),
        ("plain lines", b"0\n" * (4 << 20), LINES, 413),
        ("text", b"a\n" * (4 << 20), {"Content-Type": "text/plain"}, 413),
        ("levels", b"[" * (8 << 20), JSON, 400),
        ("levels of objects", b'{"a":' * (1 << 20), JSON, 400),
        ("levels in a line", b'{"a":' * (1 << 20) + b"\n", LINES, 400),
        ("fields", b"&".join(b"f%d=1" % n for n in range(100_000)), form, 400),
        ("a field", b"a=&" * (2 << 20), form, 400),
        ("percent", b"a=" + b"%41" * (2 << 20), form, 200),
    ]
    for name, body, headers, wanted in cases:
        status, answer, _ = send(worker, body=body, headers=headers)
        memory = worker.memory()
        print(f"{name}: {len(body)} bytes, {status}, {memory:.0f} MiB")
        expect(status == wanted, f"{name}: {status} {answer}")
        expect(memory < before + 300, f"{name}: {before} to {memory} MiB")
    worker.stop()


def names(millrace, directory):
    """A path cannot make a topic that cannot be, and does not end the source."""
    prefix = "p" * 100
    worker = Worker(millrace, directory, source(
        topic="${field:path}", paths='["/in/*"]', topics_max=5)).start()
    for path in ("/in/.", "/in/..", "/in/" + "a" * 201, "/in/a%20b", "/in/a/../b", "/in/ä"):
        with connect(worker.port()) as stream:
            stream.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           "Content-Length: 2\r\nConnection: close\r\n\r\n{}".encode())
            text, ended = rest(stream)
            expect(ended and text.split(b"\r\n")[0].split()[1] in (b"404", b"400"),
                   f"{path}: {text}")
    expect(send(worker, "/in/good", b"{}", JSON)[0] == 200, "a name that can be")
    worker.stop()
    worker = Worker(millrace, directory, source(
        topic=prefix + "${field:path}", paths='["/in/*"]')).start()
    expect(send(worker, "/in/" + "a" * 160, b"{}", JSON)[0] == 404, "longer than a topic's name")
    expect(send(worker, "/in/" + "a" * 149, b"{}", JSON)[0] == 200, "as long as a name may be")
    worker.stop()


def uninvited(millrace, directory):
    """A gigabyte of somebody without the token is refused by its head, and counted."""
    worker = Worker(millrace, directory, source(
        auth_bearer_tokens="[open-sesame-1]", max_body_bytes="1GiB", buffer_bytes="1GiB")).start()
    before = worker.memory()
    for secret, wanted in ((b"", b"401"), (b"Authorization: Bearer open-sesame-2\r\n", b"403")):
        sent = 0
        with connect(worker.port()) as stream:
            stream.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           + secret + b"Content-Length: 1073741824\r\n\r\n")
            expect(stream.recv(4_096).split()[1] == wanted, "answered before the body")
            began = time.monotonic()
            try:
                while sent < 1 << 30 and time.monotonic() - began < 60:
                    sent += stream.send(b"x" * (1 << 16))
                    time.sleep(0.002)
            except OSError:
                pass
        expect(sent < 1 << 30, "the connection is closed before all of it is read")
    expect(worker.memory() < before + 40, f"{before} to {worker.memory()} MiB")
    expect(send(worker, body=b"{}", headers=JSON | {
        "Authorization": "Bearer open-sesame-1"})[0] == 200, "the right one")
    worker.stop()
    expect("without the right token or signature" in worker.log(), f"counted\n{worker.log()}")
    expect("sesame" not in worker.log(), "no token is in the log, right or wrong")


def handshakes(millrace, directory):
    """Handshakes that are begun and left cost little, end in time, and are counted."""
    certificates(directory)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(2_000, hard - 500)
    worker = Worker(millrace, directory, source(
        tls_certificate_file="server.crt", tls_key_file="server.key", connections_max=count + 10,
        request_timeout_ms="3s")).start()
    before = worker.memory()
    # The beginning of a ClientHello that says it has 512 bytes, and nothing at all.
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 100
    streams = [connect(worker.port()) for _ in range(count)]
    for number, stream in enumerate(streams):
        try:
            stream.sendall(hello if number % 2 else b"")
        except OSError:
            # It took longer to make all of them than one may be silent.
            pass
    result = subprocess.run(
        ["curl", "-sS", "--cacert", "ca.crt", "--json", "{}", "--retry", "20", "--retry-delay",
         "1", "--retry-all-errors", f"https://localhost:{worker.port()}/"],
        cwd=directory, capture_output=True)
    expect(result.stdout == b'{"records":1}\n', f"others are served: {result}")
    memory = worker.memory()
    for stream in streams:
        expect(rest(stream)[1], "a handshake that is left is ended")
        stream.close()
    print(f"{count} half-open handshakes: {before:.0f} to {memory:.0f} MiB")
    expect(memory < before + 250, f"{before} to {memory} MiB")
    worker.stop()
    expect("too slow" in worker.log(), f"it is in the log\n{worker.log()}")


def files(millrace, directory):
    """Strangers cannot take the files that topics need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    worker = Worker(millrace, directory, source(
        connections_max=5_000, idle_timeout_ms="10m", request_timeout_ms="10m"))
    worker.files = 600
    worker.start()
    expect("open files" in worker.log(), f"it says that there are too few\n{worker.log()}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096), hard))
    streams = [connect(worker.port()) for _ in range(800)]
    for stream in streams[:300]:
        stream.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       b"Content-Length: 2\r\n\r\n{}")
    for stream in streams[:300]:
        expect(b" 200 " in stream.recv(4_096), "those that may connect are served")
    expect(rest(streams[-1])[1], "one that is too many is closed")
    for stream in streams:
        stream.close()
    until(lambda: attempt(worker), "and others when those are gone")
    worker.stop()
    expect("connections beyond connections.max" in worker.log(), f"counted\n{worker.log()}")


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
