"""The process under test: a pipeline with listeners, and what its topics hold."""

import atexit
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

# Slow machines are waited for; nothing here is a measurement.
PATIENCE = 300


def until(condition, what, seconds=PATIENCE):
    """Waits until a condition holds."""
    deadline = time.monotonic() + seconds
    attempts = 0
    while time.monotonic() < deadline or attempts < 200:
        value = condition()
        if value:
            return value
        attempts += 1
        time.sleep(0.02)
    raise SystemExit(f"waited in vain: {what}")


class Worker:
    """Runs a pipeline file of one source, listening at ports that were free."""

    def __init__(self, millrace, directory, source, topics="events: {partitions: 1}"):
        self.millrace = os.path.abspath(millrace)
        self.directory = os.path.abspath(directory)
        self.log_file = f"{self.directory}/log"
        lines = "\n".join(f"    {line}" for line in source.strip().splitlines())
        with open(f"{self.directory}/pipeline.yaml", "w") as file:
            file.write(f"pipeline: listening\ntopics:\n  {topics}\nsources:\n  in:\n{lines}\n")
        self.process = None
        self.addresses = []
        self.files = None

    def start(self, listeners=1):
        offset = os.path.getsize(self.log_file) if os.path.exists(self.log_file) else 0
        with open(self.log_file, "a") as log:
            self.process = subprocess.Popen(
                [self.millrace, "run", "--data-dir", "data", "pipeline.yaml"],
                stdout=log, stderr=log, cwd=self.directory, preexec_fn=self.limit)

        # Of a scenario that fails nothing is left.
        atexit.register(self.process.kill)

        def listening():
            if self.process.poll() is not None:
                raise SystemExit(f"ended with {self.process.returncode}\n{self.log()}")
            with open(self.log_file) as file:
                file.seek(offset)
                found = re.findall(r'listening.*?address"?[=:]\s*"?([^\s",}]+)', file.read())
            return found if len(found) >= listeners else None

        self.addresses = until(listening, f"listening\n{self.log()}")
        return self

    def limit(self):
        if self.files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, self.files))

    def port(self, index=0):
        return int(self.addresses[index].rsplit(":", 1)[1])

    def stop(self, signalled=False):
        """Ends it as a service manager does, which must go well."""
        if not signalled:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit(f"did not end\n{self.log()}")
        if code != 0:
            raise SystemExit(f"ended with {code}\n{self.log()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        if not os.path.exists(self.log_file):
            return ""
        with open(self.log_file) as file:
            return file.read()[-8000:]

    def check(self):
        if self.process.poll() is not None:
            raise SystemExit(f"ended with {self.process.returncode}\n{self.log()}")

    def memory(self):
        """The most memory it has had, in MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) / 1024

    def read(self, topic="events"):
        """What a topic holds: values, as JSON has them."""
        result = subprocess.run(
            [self.millrace, "topics", "read", topic, "--data-dir", "data", "--json"],
            cwd=self.directory, capture_output=True, text=True)
        if result.returncode != 0:
            # Nobody has written to it yet.
            return []
        return [json.loads(line)["value"] for line in result.stdout.split("\n") if line]

    def await_records(self, count, topic="events"):
        return until(lambda: self.at_least(count, topic), f"{count} records\n{self.log()}")

    def at_least(self, count, topic):
        self.check()
        records = self.read(topic)
        return records if len(records) >= count else None


def connect(port, timeout=PATIENCE):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def expect(condition, what):
    if not condition:
        raise SystemExit(f"not so: {what}")


def certificates(directory):
    """An authority, a server's and a client's certificate, and those of a stranger."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    with open(f"{directory}/names", "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for authority in ("ca", "stranger"):
        openssl("req", "-x509", "-subj", f"/CN={authority}", "-keyout", f"{authority}.key",
                "-out", f"{authority}.crt", "-days", "30", *key)
    for name, authority in (("server", "ca"), ("client", "ca"), ("intruder", "stranger")):
        openssl("req", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                *key)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey",
                f"{authority}.key", "-CAcreateserial", "-days", "30", "-extfile", "names",
                "-out", f"{name}.crt")
