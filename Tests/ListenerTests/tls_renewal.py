"""Certificates that are replaced while a listener runs.

    tls_renewal.py MILLRACE DIRECTORY SCENARIO
"""

import os
import shutil
import ssl
import subprocess
import sys
import time

import http_source
import syslog_source
from worker import Worker, certificates, connect, expect, until

FILES = {"tls_certificate_file": "live.crt", "tls_key_file": "live.key"}
REQUEST = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
           b"Content-Length: 2\r\n\r\n{}")


def renew(millrace, directory, text, speak):
    """New connections get the new one, old ones go on, and a broken one changes nothing."""
    certificates(directory)
    for name in ("second", "third"):
        subprocess.run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey",
                        "ca.key", "-CAcreateserial", "-days", "20", "-extfile", "names", "-out",
                        f"{name}.crt"], cwd=directory, check=True, capture_output=True)

    shutil.copy(f"{directory}/names", f"{directory}/nonsense.crt")

    def place(name, key="server.key"):
        """As certbot and others do: each file at once, one after the other."""
        for source, target in ((f"{name}.crt", "live.crt"), (key, "live.key")):
            shutil.copy(f"{directory}/{source}", f"{directory}/new")
            os.rename(f"{directory}/new", f"{directory}/{target}")

    place("server")
    worker = Worker(millrace, directory, text).start()
    context = ssl.create_default_context(cafile=f"{directory}/ca.crt")

    def client():
        return context.wrap_socket(connect(worker.port()), server_hostname="localhost")

    def serial():
        with client() as stream:
            return stream.getpeercert()["serialNumber"]

    old = client()
    first = serial()
    speak(old)
    place("second")
    until(lambda: serial() != first, f"the second certificate\n{worker.log()}")
    second = serial()
    expect("certificate renewed" in worker.log(), f"it is in the log\n{worker.log()}")
    # It was made before, and goes on.
    speak(old)
    # Another one's key, and then none at all.
    for turn, breaking in enumerate((lambda: place("third", "client.key"),
                                     lambda: place("nonsense"))):
        breaking()
        until(lambda: worker.log().count("the one before is kept") == turn + 1,
              f"that it cannot be used is in the log\n{worker.log()}")
        time.sleep(3)
        expect(worker.log().count("the one before is kept") == turn + 1, "and once")
        expect(serial() == second, "the one before is kept")
    expect("PRIVATE" not in worker.log() and "BEGIN" not in worker.log(), "nothing of a key")
    place("third")
    until(lambda: serial() not in (first, second), f"the third certificate\n{worker.log()}")
    speak(old)
    with client() as stream:
        speak(stream)
    worker.await_records(4)
    old.close()
    worker.stop()


def http(millrace, directory):
    def speak(stream):
        stream.sendall(REQUEST)
        text = b""
        while not text.endswith(b"}\n"):
            part = stream.recv(4_096)
            expect(part, f"a request on a connection: {text}")
            text += part
        expect(b" 200 " in text, f"a request on a connection: {text}")

    renew(millrace, directory, http_source.source(idle_timeout_ms="1h", **FILES), speak)


def syslog(millrace, directory):
    def speak(stream):
        stream.sendall(b"<13>1 - h app - - - good\n")

    renew(millrace, directory, syslog_source.source("tls://127.0.0.1:0", **FILES), speak)


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
