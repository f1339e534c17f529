"""A server that behaves in several ways, for the http sink.

    http_sink.py MILLRACE DIRECTORY SCENARIO
"""

import gzip
import http.server
import json
import ssl
import subprocess
import sys
import threading
import time

from worker import certificates, expect, until


class Server:
    """Takes requests; `answer` decides on the status by the request."""

    def __init__(self, answer=lambda request: 200, context=None):
        self.requests = []
        self.connections = 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                server.connections += 1
                super().setup()

            def handle_request(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request = {"path": self.path, "headers": self.headers, "body": body,
                           "method": self.command, "time": time.monotonic()}
                server.requests.append(request)
                status = answer(request)
                if status is None:
                    self.close_connection = True
                    return
                status, headers = status if isinstance(status, tuple) else (status, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_PUT = handle_request

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def records(self):
        found = []
        for request in self.requests:
            if request.get("taken", True):
                found += json.loads(request["body"])
        return found


def run(millrace, directory, sink, records, wanted=0):
    """Sends records of a file through a topic to the server, to the end."""
    with open(f"{directory}/in.jsonl", "w") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    lines = "\n".join(f"    {line}" for line in sink.strip().splitlines())
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write("pipeline: sending\ntopics: {out: {partitions: 1}, bad: {partitions: 1}}\n"
                   "sources:\n  in: {connector: json, include: in.jsonl, topic: out}\n"
                   f"sinks:\n  web:\n    connector: http\n    topics: [out]\n{lines}\n")
    result = subprocess.run([millrace, "run", "--data-dir", "data", "pipeline.yaml"],
                            cwd=directory, capture_output=True, text=True, timeout=600)
    expect(result.returncode == wanted, f"{result.returncode}: {result.stderr}")
    return result.stderr


def batches(millrace, directory):
    """Arrays, lines and single records, compressed or not, on one connection."""
    records = [{"id": n, "name": f"naïve {n}", "amount": n / 4} for n in range(2_500)]
    server = Server()
    run(millrace, directory, f"url: http://127.0.0.1:{server.port}/in/${{topic}}\n"
        "compression: gzip\nbatch.max.records: 400\nheaders: ['X-Api-Key: sesame']\n"
        "auth.user: me\nauth.password: 'pass:word'", records)
    expect(server.records() == records, "every record once and in order")
    expect(all(len(json.loads(request["body"])) <= 400 for request in server.requests), "sizes")
    expect(server.connections == 1, f"{server.connections} connections")
    first = server.requests[0]
    expect(first["path"] == "/in/out" and first["method"] == "POST", f"{first}")
    expect(first["headers"]["X-Api-Key"] == "sesame", "own headers")
    expect(first["headers"]["Authorization"] == "Basic bWU6cGFzczp3b3Jk", "credentials")
    expect(first["headers"]["Content-Type"] == "application/json", "the type")
    expect(first["headers"]["Idempotency-Key"] == "out-0-0-399", f"{first['headers']}")

    server = Server()
    subprocess.run(["rm", "-rf", f"{directory}/data"])
    run(millrace, directory, f"url: http://127.0.0.1:{server.port}/\nbody.format: ndjson\n"
        "batch.max.bytes: 4KiB\nauth.bearer.token: sesame\nmethod: PUT", records)
    lines = b"".join(request["body"] for request in server.requests).splitlines()
    expect([json.loads(line) for line in lines] == records, "every line")
    expect(all(len(request["body"]) <= 4_096 for request in server.requests), "sizes")
    expect(server.requests[0]["headers"]["Authorization"] == "Bearer sesame", "the token")
    expect(server.requests[0]["method"] == "PUT", "the method")

    server = Server()
    subprocess.run(["rm", "-rf", f"{directory}/data"])
    run(millrace, directory, f"url: http://127.0.0.1:{server.port}/at/${{field:id}}?n=${{field:name}}\n"
        "body.format: record", [{"id": "a/../b c", "name": "é&="}, {"id": "..", "name": "x"}])
    expect([request["path"] for request in server.requests] ==
           ["/at/a%2F..%2Fb%20c?n=%C3%A9%26%3D", "/at/%2E%2E?n=x"],
           f"{[request['path'] for request in server.requests]}")
    expect(json.loads(server.requests[1]["body"]) == {"id": "..", "name": "x"}, "a record alone")


def refusals(millrace, directory):
    """A record that is refused is found, and the others arrive once."""
    def answer(request):
        bad = any(record["id"] % 100 == 7 for record in json.loads(request["body"]))
        request["taken"] = not bad
        return 422 if bad else 200

    server = Server(answer)
    records = [{"id": n} for n in range(1_000)]
    run(millrace, directory, f"url: http://127.0.0.1:{server.port}/\n"
        "errors: {tolerance: all, deadletterqueue.topic.name: bad}", records)
    expect(server.records() == [record for record in records if record["id"] % 100 != 7],
           "the others once and in order")
    shown = subprocess.run([millrace, "topics", "read", "bad", "--data-dir", "data", "--json"],
                           cwd=directory, capture_output=True, text=True).stdout
    dead = [json.loads(line)["value"]["id"] for line in shown.split("\n") if line]
    expect(dead == list(range(7, 1_000, 100)), f"dead letters {dead}")
    for status, hint in ((401, "auth.bearer.token"), (307, "sends us elsewhere"), (404, "url")):
        subprocess.run(["rm", "-rf", f"{directory}/data"])
        server = Server(lambda request: (status, {"Location": "http://127.0.0.1:1/"}))
        log = run(millrace, directory, f"url: http://127.0.0.1:{server.port}/\n"
                  "auth.bearer.token: sesame", records[:3], wanted=3)
        expect(str(status) in log and hint in log, f"{status}: {log}")
        expect("sesame" not in log, "no secret is logged")
    log = run(millrace, directory, "url: http://127.0.0.1:1/\n"
              'auth.bearer.token: "sesame\\r\\nX-Admin: yes"', records[:1], wanted=2)
    expect("auth.bearer.token" in log and "sesame" not in log, f"a header smuggled in: {log}")


def retries(millrace, directory):
    """Busy, broken and silent servers are asked again, and then have everything."""
    count = [0]

    def answer(request):
        count[0] += 1
        request["taken"] = count[0] % 4 == 0
        return {1: (503, {"Retry-After": "1"}), 2: 500, 3: None, 0: 200}[count[0] % 4]

    server = Server(answer)
    records = [{"id": n} for n in range(20)]
    run(millrace, directory, f"url: http://127.0.0.1:{server.port}/\nbatch.max.records: 10",
        records)
    found = [record["id"] for record in server.records()]
    expect(set(found) == set(range(20)), f"{found}")
    first, second = server.requests[0], server.requests[1]
    expect(second["time"] - first["time"] >= 0.9, "as long as the server asks for")
    expect(first["headers"]["Idempotency-Key"] == second["headers"]["Idempotency-Key"], "keys")


def tls(millrace, directory):
    """Servers must show who they are, and so must we."""
    certificates(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/server.crt", f"{directory}/server.key")
    context.load_verify_locations(f"{directory}/ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(context=context)
    url = f"url: https://localhost:{server.port}/\n"
    run(millrace, directory, url + "tls.ca.file: ca.crt\ntls.certificate.file: client.crt\n"
        "tls.key.file: client.key", [{"id": 1}])
    expect(server.records() == [{"id": 1}], f"{server.records()}")
    subprocess.run(["rm", "-rf", f"{directory}/data"])
    log = run(millrace, directory, url + "tls.ca.file: stranger.crt", [{"id": 2}], wanted=3)
    expect("tls.ca.file" in log, log)
    expect(server.records() == [{"id": 1}], f"{server.records()}")


def pace(millrace, directory):
    """No more requests than asked for."""
    server = Server()
    # The first one may be seen late, but none is sent before this.
    start = time.monotonic()
    run(millrace, directory, f"url: http://127.0.0.1:{server.port}/\nbody.format: record\n"
        "rate.limit: 20", [{"id": n} for n in range(81)])
    times = [request["time"] - start for request in server.requests]
    expect(len(times) == 81 and times[-1] >= 4, f"{len(times)} until {times[-1]} s")


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
