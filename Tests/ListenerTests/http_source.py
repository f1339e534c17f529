"""HTTP clients that others wrote, and some that mean no good.

    http_source.py MILLRACE DIRECTORY SCENARIO
"""

import gzip
import hashlib
import hmac
import http.client
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib

from worker import Worker, certificates, connect, expect, until


def source(topic="events", **keys):
    lines = ["connector: http", "listen: 127.0.0.1:0", f"topic: {topic}"]
    lines += [f"{name.replace('_', '.')}: {value}" for name, value in keys.items()]
    return "\n".join(lines)


def send(worker, path="/", body=b"", headers=None, method="POST"):
    """One request; returns the status, the answer and its headers."""
    connection = http.client.HTTPConnection("127.0.0.1", worker.port(), timeout=300)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None, answer.headers


JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}


def ingest(millrace, directory):
    """Every kind of body, from curl and from Python."""
    worker = Worker(millrace, directory, source(headers_include="[X-Kind]")).start()
    url = f"http://127.0.0.1:{worker.port()}/"

    def curl(*arguments, **options):
        result = subprocess.run(["curl", "-sS", "--fail-with-body", *arguments, url],
                                capture_output=True, **options)
        expect(result.returncode == 0, f"curl {arguments}: {result.stderr} {result.stdout}")
        return json.loads(result.stdout)

    expect(curl("--json", '{"n": 1}') == {"records": 1}, "a document")
    expect(curl("--json", '[{"n": 2}, {"n": 3}]') == {"records": 2}, "an array")
    expect(curl("-H", "Content-Type: application/x-ndjson", "--data-binary", "@-",
                input=b'{"n": 4}\n{"n": 5.50}\n') == {"records": 2}, "lines of JSON")
    expect(curl("-d", "n=6&name=J%C3%B8rn+Utzon&tag=a&tag=b") == {"records": 1}, "a form")
    expect(curl("-H", "Content-Type: text/plain", "--data-binary", "@-",
                input=b"7\n") == {"records": 1}, "a line")
    zstd = subprocess.run(["zstd", "-c"], input=b'{"n": 10}', capture_output=True)
    bodies = [("gzip", gzip.compress(b'{"n": 8}')), ("deflate", zlib.compress(b'{"n": 9}'))]
    if zstd.returncode == 0:
        bodies.append(("zstd", zstd.stdout))
    for encoding, body in bodies:
        status, answer, _ = send(worker, body=body, headers=JSON | {"Content-Encoding": encoding})
        expect((status, answer) == (200, {"records": 1}), f"{encoding}: {status} {answer}")
    expect(send(worker, body=b"[]", headers=JSON)[:2] == (200, {"records": 0}), "nothing")
    # A large body in pieces, for which curl waits to be asked.
    count = 50_000
    body = b"".join(b'{"n": %d, "text": "%s"}\n' % (n, b"x" * 40) for n in range(count))
    expect(curl("-H", "Content-Type: application/x-ndjson", "-H", "Expect: 100-continue",
                "-H", "Transfer-Encoding: chunked", "--data-binary", "@-", input=body) ==
           {"records": count}, "a large body")
    expect(send(worker, body=b'{"n": "kind"}', headers=JSON | {"X-Kind": "push"})[0] == 200, "")
    small = [record for record in worker.read() if not isinstance(record, dict)
             or "text" not in record]
    wanted = [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}, {"n": 5.5},
              {"n": "6", "name": "Jørn Utzon", "tag": ["a", "b"]}, 7, {"n": 8}, {"n": 9}]
    wanted += [{"n": 10}] * (len(bodies) - 2) + [{"n": "kind"}]
    expect(small == wanted, f"{small}")
    shown = subprocess.run([millrace, "topics", "read", "events", "--data-dir", "data", "--json"],
                           cwd=directory, capture_output=True, text=True).stdout
    expect(json.loads(shown.split("\n")[-2])["headers"], f"headers of {shown.splitlines()[-1]}")
    expect(worker.read()[-count - 1:-1] == [json.loads(line) for line in body.splitlines()],
           "each record of the large body, in order")
    worker.stop()


def answers(millrace, directory):
    """What is not taken is answered with the reason, and leaves nothing behind."""
    worker = Worker(millrace, directory, source(
        paths="[/in]", max_body_bytes="4KiB", max_decompressed_bytes="64KiB",
        auth_bearer_tokens="[first, second token]")).start()
    token = JSON | {"Authorization": "Bearer first"}

    def refused(wanted, *arguments, **more):
        status, answer, headers = send(worker, *arguments, **more)
        expect(status == wanted and answer.get("error"), f"{wanted}, not {status} {answer}")
        return answer, headers

    refused(404, "/", b"{}", token)
    refused(404, "/in/deep", b"{}", token)
    _, headers = refused(405, "/in", b"", token, method="GET")
    expect(headers["Allow"] == "POST, PUT", "the methods")
    _, headers = refused(401, "/in", b"{}", JSON)
    expect(headers["WWW-Authenticate"] == "Bearer", "how to authenticate")
    for wrong in ("Bearer firs", "Bearer firstt", "Bearer", "Basic first", "first"):
        answer, _ = refused(403, "/in", b"{}", JSON | {"Authorization": wrong})
        expect("firs" not in json.dumps(answer), "no secret is repeated")
    refused(415, "/in", b"<a/>", token | {"Content-Type": "application/xml"})
    refused(415, "/in", b"{}", token | {"Content-Encoding": "br"})
    refused(413, "/in", b"[" + b" " * 5_000 + b"]", token)
    bomb = gzip.compress(b"[" + b" " * 10_000_000 + b"]")[:4_096]
    refused(413, "/in", bomb, token | {"Content-Encoding": "gzip"})
    refused(400, "/in", b"no gzip", token | {"Content-Encoding": "gzip"})
    answer, _ = refused(400, "/in", b'{"n": 1}\n{"n": 2}\n{"n": secret}\n', token | LINES)
    expect(answer["line"] == 3 and answer["byte"] == 18, f"where: {answer}")
    expect("secret" not in json.dumps(answer), "no data is repeated")
    answer, _ = refused(400, "/in", b'{"n": 1}, oops', token)
    answer, _ = refused(400, "/in", b'{"n": "\xff"}', token)
    answer, _ = refused(400, "/in", b"a=%zz",
                        token | {"Content-Type": "application/x-www-form-urlencoded"})
    expect(answer["byte"] == 2, str(answer))
    # The second token, on a connection that has seen refusals.
    connection = http.client.HTTPConnection("127.0.0.1", worker.port(), timeout=300)
    for body, wanted in ((b"{", 400), (b'{"n": 1}', 200), (b"oops", 400), (b'{"n": 2}', 200)):
        connection.request("PUT", "/in?x=1", body, JSON | {"Authorization": "bearer second token"})
        answer = connection.getresponse()
        expect(answer.status == wanted, f"{body}: {answer.status} {answer.read()}")
        answer.read()
    connection.close()
    expect(send(worker, "/health", method="GET")[:2] == (200, {"status": "ok"}), "health")
    expect(worker.read() == [{"n": 1}, {"n": 2}], f"{worker.read()}")
    worker.stop()
    expect("second token" not in worker.log(), "no secret is logged")


def signature(millrace, directory):
    """GitHub's signatures, and others'."""
    secret = b"It's a Secret to Everybody"
    worker = Worker(millrace, directory, source(
        topic="hooks-${field:path}", paths='["/hooks/*"]', topics_max=2,
        signature_secret='"' + secret.decode() + '"')).start()
    body = b'{"zen": "Hello, World!"}'
    right = hmac.new(secret, body, hashlib.sha256)
    import base64
    for path, text in (("/hooks/a", "sha256=" + right.hexdigest()),
                       ("/hooks/b", right.hexdigest().upper()),
                       ("/hooks/b", base64.b64encode(right.digest()).decode())):
        status, answer, _ = send(worker, path, body, JSON | {"X-Hub-Signature-256": text})
        expect(status == 200, f"{text}: {status} {answer}")
    for text in ("sha256=" + right.hexdigest()[:-1] + "0", "sha1=" + right.hexdigest(), ""):
        status, _, _ = send(worker, "/hooks/a", body, JSON | {"X-Hub-Signature-256": text})
        expect(status == 403, f"{text}: {status}")
    expect(send(worker, "/hooks/a", body, JSON)[0] == 401, "without a signature")
    signed = JSON | {"X-Hub-Signature-256": right.hexdigest()}
    expect(send(worker, "/hooks/a", body + b" ", signed)[0] == 403, "another body")
    expect(send(worker, "/hooks/c", body, signed)[0] == 404, "a third topic")
    for path in ("/hooks/", "/hooks/a/b", "/hooks/..%2f", "/hooks/" + "a" * 300):
        expect(send(worker, path, body, signed)[0] == 404, path)
    expect(len(worker.read("hooks-a")) == 1 and len(worker.read("hooks-b")) == 2, "topics")
    worker.stop()


def tls(millrace, directory):
    """Who has no right certificate stays out."""
    certificates(directory)
    worker = Worker(millrace, directory, source(
        tls_certificate_file="server.crt", tls_key_file="server.key",
        tls_client_ca_file="ca.crt")).start()

    def attempt(certificate=None, authority="ca"):
        context = ssl.create_default_context(cafile=f"{directory}/{authority}.crt")
        if certificate:
            context.load_cert_chain(f"{directory}/{certificate}.crt",
                                    f"{directory}/{certificate}.key")
        connection = http.client.HTTPSConnection("localhost", worker.port(), context=context,
                                                 timeout=300)
        try:
            connection.request("POST", "/", b'{"n": 1}', JSON)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()

    expect(attempt("client") == 200, "a client with a certificate")
    for stranger in (None, "intruder"):
        expect(attempt(stranger) != 200, f"{stranger} stays out")
    result = subprocess.run(
        ["curl", "-sS", "--cacert", "ca.crt", "--cert", "client.crt", "--key", "client.key",
         "--tls-max", "1.2", "--json", '{"n": 2}', f"https://localhost:{worker.port()}/"],
        cwd=directory, capture_output=True)
    expect(json.loads(result.stdout) == {"records": 1}, f"curl: {result}")
    expect(worker.read() == [{"n": 1}, {"n": 2}], f"{worker.read()}")
    worker.stop()


def hostile(millrace, directory):
    """Endless, slow, half-open and malformed requests: each is ended, and others are served."""
    worker = Worker(millrace, directory, source(
        max_body_bytes="1MiB", max_decompressed_bytes="4MiB", buffer_bytes="4MiB",
        request_timeout_ms="5s", idle_timeout_ms="5s")).start()
    port = worker.port()

    def status(bytes, more=None):
        """What is answered to raw bytes, and whether the connection is closed then."""
        with connect(port) as stream:
            try:
                stream.sendall(bytes)
                while more and more(stream):
                    pass
            except OSError:
                pass
            text = b""
            try:
                while part := stream.recv(65_536):
                    text += part
            except OSError:
                pass
            return text.split(b"\r\n")[0]

    for bytes in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"NONSENSE\r\n\r\n",
                  b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                  b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                  b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                  b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
                  b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 20_000 + b"\r\n"):
        found = status(bytes)
        expect(b"200" not in found, f"{bytes[:60]} is answered {found}")
    # A gigabyte, of a length that is said and of one that is not.
    sent = [0]

    def flood(stream):
        sent[0] += stream.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        return sent[0] < 1 << 30

    found = status(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n", flood)
    expect(b"413" in found or sent[0] < 1 << 30, f"{found} after {sent[0]} bytes")
    found = status(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                   b"Content-Length: 1073741824\r\n\r\n")
    expect(b"413" in found, f"a length of a gigabyte is answered {found}")
    slow = [connect(port) for _ in range(30)]
    for number, stream in enumerate(slow):
        stream.sendall([b"POST / HT", b"", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{"]
                       [number % 3])
    for stream in slow:
        try:
            while stream.recv(4_096):
                pass
        except ConnectionError:
            pass
    expect(send(worker, body=b'{"n": 1}', headers=JSON)[0] == 200, "a good request among bad ones")
    expect(worker.memory() < 200, f"{worker.memory()} MiB")
    worker.stop()
    expect(worker.read() == [{"n": 1}], f"{worker.read()}")
    for reason in ("breaking the protocol", "too slow"):
        expect(reason in worker.log(), f"`{reason}` is in the log\n{worker.log()}")


def many(millrace, directory):
    """Ten thousand connections at once, or as many as there may be files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    worker = Worker(millrace, directory, source(
        connections_max=count, idle_timeout_ms="10m", request_timeout_ms="10m")).start()
    streams = [connect(worker.port()) for _ in range(count)]
    body = b'{"n": %d}'
    for number, stream in enumerate(streams):
        text = body % number
        stream.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
    for stream in streams:
        expect(b" 200 " in stream.recv(4_096), "each is answered")
    memory = worker.memory()
    print(f"{count} connections, {memory:.0f} MiB")
    expect(memory < 500, f"{memory} MiB")
    expect(sorted(record["n"] for record in worker.read()) == list(range(count)), "each once")
    for stream in streams:
        stream.close()
    worker.stop()


class Sender(threading.Thread):
    """Sends numbered records until it is told to stop, again when there was no answer."""

    def __init__(self, worker, number, repeats):
        super().__init__(daemon=True)
        self.worker, self.number, self.repeats = worker, number, repeats
        self.answered, self.unanswered, self.refused = [], set(), 0
        self.ending = False

    def run(self):
        connection, next = None, 0
        while not self.ending:
            name = f"{self.number}-{next}"
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.worker.port(),
                                                            timeout=30)
                body = "".join(json.dumps({"id": name, "part": part}) + "\n" for part in range(3))
                connection.request("POST", "/", body.encode(), LINES)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.answered.append(name)
                    next += 1
                else:
                    expect(answer.status in (429, 503), f"{answer.status}")
                    self.refused += 1
                    time.sleep(0.01)
                if answer.will_close:
                    connection = None
            except (OSError, http.client.HTTPException):
                self.unanswered.add(name)
                connection = None
                if not self.repeats:
                    next += 1
                time.sleep(0.05)


def compare(worker, senders):
    """Every request that was answered is there once and whole; returns how many others are."""
    found = {}
    for record in worker.read():
        found.setdefault(record["id"], []).append(record["part"])
    others = 0
    for sender in senders:
        for name in sender.answered:
            parts = found.pop(name, [])
            if name in sender.unanswered:
                # It was sent again, and may have been written before.
                others += len(parts) // 3 - 1
                expect(parts in ([0, 1, 2], [0, 1, 2] * 2, [0, 1, 2] * 3), f"{name}: {parts}")
            else:
                expect(parts == [0, 1, 2], f"{name} was answered and has {parts}")
    unanswered = set().union(*(sender.unanswered for sender in senders))
    for name, parts in found.items():
        expect(name in unanswered, f"{name} came from nowhere")
        expect(len(parts) % 3 == 0, f"{name} is torn: {parts}")
        others += len(parts) // 3
    return others


def kill(millrace, directory):
    """Killed at any moment: what was answered is there once, whole, and nothing is torn."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = source().replace("127.0.0.1:0", f"127.0.0.1:{port}")
    worker = Worker(millrace, directory, text).start()
    senders = [Sender(worker, number, repeats=True) for number in range(8)]
    for sender in senders:
        sender.start()
    for turn in range(8):
        before = sum(len(sender.answered) for sender in senders)
        until(lambda: sum(len(sender.answered) for sender in senders) > before + 40, "answers")
        time.sleep(0.013 * turn)
        worker.kill()
        worker.start()
    for sender in senders:
        sender.ending = True
    for sender in senders:
        sender.join(300)
    worker.stop()
    doubled = compare(worker, senders)
    answered = sum(len(sender.answered) for sender in senders)
    lost = sum(len(sender.unanswered) for sender in senders)
    print(f"{answered} answered; {lost} without an answer in 8 kills, {doubled} of them written "
          "and sent again")


def example(millrace, directory):
    """pipelines/webhooks.yaml, at a port that is free, with what its first lines say."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(f"{root}/pipelines/webhooks.yaml") as file:
        text = file.read()
    worker = Worker(millrace, directory, source())
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(text.replace("listen: 127.0.0.1:8080", "listen: 127.0.0.1:0"))
    worker.start()
    commands = [line[4:] for line in text.splitlines() if line.startswith("#   curl ")]
    expect(len(commands) == 2, "the commands are where they were")
    for command in commands:
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{worker.port()}")
        result = subprocess.run(["bash", "-c", command + " -sS"], capture_output=True, text=True)
        expect(json.loads(result.stdout) == {"records": 1}, f"{command}: {result}")
    expect(worker.read("hooks-github") == [{"action": "opened"}], f"{worker.read('hooks-github')}")
    expect(worker.read("hooks-shop") == [{"order": "17", "state": "paid"}], "the form")
    expect(send(worker, "/hooks/other", b"{}", JSON)[0] == 200, "another topic")
    worker.stop()
    with open(f"{directory}/out/hooks-shop.jsonl") as file:
        expect(json.loads(file.read()) == {"order": "17", "state": "paid"}, "the file")


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
