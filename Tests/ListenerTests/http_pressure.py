"""More requests than the http source takes: who is told to come later, when, and how.

    http_pressure.py MILLRACE DIRECTORY SCENARIO
"""

import json
import select
import socket
import subprocess
import sys
import threading

from http_source import JSON, LINES, send, source
from worker import Worker, expect, until


def curl(worker, *arguments, client="127.0.0.1"):
    """One request of curl; returns the status, the answer and when to come again."""
    result = subprocess.run(
        ["curl", "-sS", "--interface", client, "-w", "\n%{http_code} %header{retry-after}",
         *arguments, f"http://127.0.0.1:{worker.port()}/"], capture_output=True, text=True)
    expect(result.returncode == 0, f"curl {arguments}: {result.stderr}")
    *answer, last = result.stdout.splitlines()
    status, _, later = last.partition(" ")
    return int(status), json.loads("".join(answer)), later


def pressure(millrace, directory):
    """More than fits: some are told to come later, none is lost."""
    worker = Worker(millrace, directory, source(
        max_body_bytes="1MiB", buffer_bytes="1MiB")).start()
    body = b"".join(b'{"n": %d, "text": "%s"}\n' % (n, b"x" * 60) for n in range(8_000))
    accepted, busy, lock = [0], [0], threading.Lock()

    def client():
        for _ in range(10):
            status, answer, headers = send(worker, body=body, headers=LINES)
            with lock:
                accepted[0] += status == 200
                busy[0] += status == 429
            expect(status in (200, 429), f"{status} {answer}")
            expect(status == 200 or headers["Retry-After"], "when to come again")

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(accepted[0] + busy[0] == 160, f"{accepted} {busy}: all are answered")
    expect(accepted[0] > 0 and busy[0] > 0, f"{accepted} {busy}")
    expect(worker.memory() < 200, f"{worker.memory()} MiB")
    print(f"{accepted[0]} accepted, {busy[0]} told to come later, {worker.memory():.0f} MiB")
    worker.stop()
    expect(len(worker.read()) == accepted[0] * 8_000, "the records of those that were accepted")


class Held:
    """Requests of one address, of which all but the last byte is sent."""

    def __init__(self, worker, client, size, count):
        self.worker, self.client, self.size = worker, client, size
        self.streams = [self.begin() for _ in range(count)]

    def begin(self):
        stream = socket.create_connection(("127.0.0.1", self.worker.port()), timeout=300,
                                          source_address=(self.client, 0))
        head = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                b"Content-Length: %d\r\n\r\n" % self.size)
        try:
            stream.sendall(head + b"x" * (self.size - 1))
        except ConnectionError:
            # It is answered already, and seen to be by whoever looks.
            pass
        return stream

    def renew(self):
        """Begins those again for which there was no room at the time; returns whether all are held."""
        answered = select.select(self.streams, [], [], 0)[0]
        for stream in answered:
            self.streams.remove(stream)
            stream.close()
            self.streams.append(self.begin())
        return not answered

    def finish(self):
        for stream in self.streams:
            stream.sendall(b"\n")
        for stream in self.streams:
            expect(stream.recv(4_096).split()[1] == b"200", "what was begun is taken")
            stream.close()


def share(millrace, directory):
    """One client cannot take what all share; when nobody finds room, all are told so."""
    worker = Worker(millrace, directory, source(
        max_body_bytes="1MiB", buffer_bytes="4MiB", request_timeout_ms="1h")).start()
    with open(f"{directory}/large", "w") as file:
        file.write("x" * 300_000)
    large = ["-H", "Content-Type: text/plain", "--data-binary", f"@{directory}/large"]
    accepted = 0

    def asked(client):
        nonlocal accepted
        status, answer, later = curl(worker, *large, client=client)
        accepted += status == 200
        return status, answer, later

    def refused(held, client):
        # Until what was begun has arrived there is room for this one, and then perhaps not for that.
        if not held.renew():
            return None
        status, answer, later = asked(client)
        return (answer["error"], later) if status == 429 and held.renew() else None

    # Half of the buffer is 2 MiB: two of these, and not a third.
    first = Held(worker, "127.0.0.1", 1_000_000, 2)
    error, later = until(lambda: refused(first, "127.0.0.1"), "a share that is used up")
    expect("client.buffer.percent" in error and later == "1", f"{error} {later}")
    status, answer, _ = asked("127.0.0.2")
    expect((status, answer) == (200, {"records": 1}), f"another client: {status} {answer}")
    second = Held(worker, "127.0.0.2", 1_000_000, 2)
    error, later = until(lambda: refused(second, "127.0.0.3"), "a buffer that is used up")
    expect("memory" in error and later == "1", f"{error} {later}")
    # Whoever comes again when he is told to is served as soon as there is room.
    patient = subprocess.Popen(
        ["curl", "-sS", "--interface", "127.0.0.3", "--retry", "100", *large,
         f"http://127.0.0.1:{worker.port()}/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first.finish()
    output, errors = patient.communicate(timeout=300)
    expect(json.loads(output.splitlines()[-1]) == {"records": 1}, f"{output} {errors}")
    expect(asked("127.0.0.1")[0] == 200, "and the first client again")
    second.finish()
    worker.stop()
    # The patient one and the four that were begun besides.
    expect(len(worker.read()) == accepted + 5, "everything that was answered 200, once")
    expect("answered 429" in worker.log(), f"counted\n{worker.log()}")


def rate(millrace, directory):
    """A client that sends too often is told so; curl comes again and is served."""
    worker = Worker(millrace, directory, source(client_rate_limit="1")).start()
    accepted = 0

    def refused():
        nonlocal accepted
        status, answer, later = curl(worker, "--json", "{}")
        accepted += status == 200
        expect(status in (200, 429), f"{status} {answer}")
        return (answer["error"], later) if status == 429 else None

    error, later = until(refused, "a request too many")
    expect("client.rate.limit" in error and later == "1", f"{error} {later}")
    expect(send(worker, "/health", method="GET")[0] == 200, "health is no request that counts")
    for number in range(3):
        result = subprocess.run(
            ["curl", "-sS", "--retry", "100", "--json", "{}",
             f"http://127.0.0.1:{worker.port()}/"], capture_output=True, timeout=300)
        expect(result.stdout.endswith(b'{"records":1}\n'), f"{result}")
        accepted += 1
    worker.stop()
    expect(len(worker.read()) == accepted, "those that were answered 200")


def failing(millrace, directory):
    """Records that cannot be written: their request, and no other, is told that nothing is taken."""
    worker = Worker(millrace, directory, source(
        transforms="[{type: Cast, spec: {n: int32}}]")).start()
    expect(curl(worker, "--json", '{"n": 1}')[0] == 200, "what can be written")
    status, answer, later = curl(worker, "--json", '{"n": "none"}')
    expect(status == 503 and later == "1" and "error" in answer, f"{status} {answer} {later}")
    expect(worker.process.wait(300) == 1, "the run failed")
    expect(worker.read() == [{"n": 1}], f"{worker.read()}")


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
