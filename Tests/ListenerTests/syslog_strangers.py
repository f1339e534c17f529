"""What strangers send to the syslog source so that it costs or loses more than it should.

    syslog_strangers.py MILLRACE DIRECTORY SCENARIO
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile

from syslog_source import gone, source
from worker import Worker, certificates, connect, expect, until


def messages(worker, topic="events"):
    return [record["message"] for record in worker.read(topic)]


def sockets(millrace, directory):
    """What kill -9 leaves is taken over; what belongs to somebody is not."""
    # Short, because the path of a socket has at most 107 bytes.
    folder = tempfile.mkdtemp(prefix="mr-sock-", dir="/tmp")
    try:
        leftovers(millrace, directory, folder)
        modes(millrace, directory, folder)
        belongings(millrace, directory, folder)
    finally:
        shutil.rmtree(folder)


def leftovers(millrace, directory, folder):
    worker = Worker(millrace, directory, source(f"unixgram:{folder}/d", f"unix:{folder}/s"))
    worker.start(2)
    for turn in range(3):
        worker.kill()
        expect(os.path.exists(f"{folder}/d") and os.path.exists(f"{folder}/s"), "what is left")
        worker.start(2)
        for name in "ds":
            subprocess.run(["logger", "-u", f"{folder}/{name}", f"{name} {turn}"], check=True)
        worker.await_records(2 * turn + 2)
    worker.stop()
    expect(sorted(messages(worker)) == sorted(f"{name} {turn}" for name in "ds"
                                              for turn in range(3)), "each once")
    expect(os.listdir(folder) == [], "a stop leaves nothing")


def modes(millrace, directory, folder):
    """Who may write is as it is configured, whatever the umask."""
    for umask in (0, 0o077):
        for mode, wanted in ((None, 0o660), ("0666", 0o666), ("600", 0o600)):
            keys = {"socket_mode": f'"{mode}"'} if mode else {}
            worker = Worker(millrace, directory, source(
                f"unixgram:{folder}/d", f"unix:{folder}/s", **keys))
            before = os.umask(umask)
            worker.start(2)
            os.umask(before)
            for name in "ds":
                found = os.stat(f"{folder}/{name}").st_mode & 0o7777
                expect(found == wanted, f"{name} with {mode} and {umask:o}: {found:o}")
            worker.stop()
    Worker(millrace, directory, source(f"unix:{folder}/s", socket_mode="rw"))
    result = subprocess.run([millrace, "validate", "pipeline.yaml"], cwd=directory,
                            capture_output=True, text=True, timeout=600)
    expect(result.returncode == 2 and "socket.mode" in result.stdout + result.stderr, f"{result}")


def belongings(millrace, directory, folder):
    """Sockets of others, whatever their kind and however busy, and files."""
    theirs = []
    for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM),
                       ("busy", socket.SOCK_STREAM)):
        owner = socket.socket(socket.AF_UNIX, kind)
        owner.bind(f"{folder}/{name}")
        if kind == socket.SOCK_STREAM:
            owner.listen(0)
        theirs.append(owner)
    waiting = []
    for _ in range(8):
        # So many that the next would have to wait.
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.setblocking(False)
        client.connect_ex(f"{folder}/busy")
        waiting.append(client)
    with open(f"{folder}/file", "w") as file:
        file.write("precious")
    for name in ("stream", "datagram", "busy", "file"):
        for kind in ("unix", "unixgram"):
            Worker(millrace, directory, source(f"{kind}:{folder}/{name}"))
            result = subprocess.run([millrace, "run", "--data-dir", "other", "pipeline.yaml"],
                                    cwd=directory, capture_output=True, text=True, timeout=600)
            expect(result.returncode == 3, f"{kind}:{name}: {result.returncode} {result.stderr}")
            expect(f"{folder}/{name}" in result.stderr, f"{kind}:{name}: {result.stderr}")
    with open(f"{folder}/file") as file:
        expect(file.read() == "precious", "the file is as it was")
    for owner in theirs + waiting:
        owner.close()


def frames(millrace, directory):
    """Counts that lie take no message of anybody else along, and cost no memory."""
    worker = Worker(millrace, directory, source(
        "tcp://127.0.0.1:0", message_timeout_ms="5s", buffer_bytes="1MiB")).start()
    before = worker.memory()
    port = worker.port()
    good = b"<13>1 - h app - - - good"

    def count(text, number):
        return str(number).encode() + b" " + text

    cases = [
        # Shorter than it is: what is left over is no count.
        (count(good, len(good)) + count(good, 10), ["good", "1 - h "]),
        # Longer than it is, so that the next count becomes text.
        (count(good, len(good) + 3) + count(good, len(good)), ["good24 "]),
        # Longer than what follows.
        (count(good, len(good)) + count(good, 5_000), ["good"]),
        # Of nothing, and of more than there is room for.
        (b"3 <1>0 0 0 0 " + count(good, len(good)) + b"!", ["", "good"]),
        (count(good, 65_537), []), (b"1" * 64, []), (b"7", []), (b"77 ", []),
        (b"12345678 x", []), (count(good, len(good)) + b"-5 x", ["good"]),
    ]
    wanted = []
    for bytes, kept in cases:
        with connect(port) as stream:
            stream.sendall(bytes)
            expect(gone(stream), f"closed after {bytes[:60]}")
        wanted += kept
    # One that is a byte at a time, and still in time.
    with connect(port) as stream:
        for byte in count(good, len(good)):
            stream.sendall(bytes_of(byte))
    worker.await_records(len(wanted) + 1)
    # Many that say they will send a long message, and do so but for its end.
    streams = []
    for _ in range(200):
        stream = connect(port)
        try:
            stream.sendall(count(b"<13>" + b"x" * 60_000, 65_000))
        except OSError:
            pass
        streams.append(stream)
    for stream in streams:
        expect(gone(stream), "closed for want of memory or time")
        stream.close()
    memory = worker.memory()
    expect(memory < before + 60, f"{before} to {memory} MiB")
    with connect(port) as stream:
        stream.sendall(count(good, len(good)))
    worker.await_records(len(wanted) + 2)
    worker.stop()
    found = [text or "" for text in messages(worker)]
    # A count that is too long swallows what is behind it; that is its sender's own.
    expect(sorted(found) == sorted(wanted + ["good"] * 2), f"{found}")
    for reason in ("breaking the protocol", "longer than max.message.bytes", "too slow",
                   "for want of buffer.bytes"):
        expect(reason in worker.log(), f"`{reason}` is in the log\n{worker.log()}")


def bytes_of(value):
    return bytes([value])


def datagrams(millrace, directory):
    """Datagrams that are empty, too long, or of any bytes."""
    worker = Worker(millrace, directory, source(
        "udp://127.0.0.1:0", '"udp://[::1]:0"', max_message_bytes="2KiB"))
    worker.start(2)
    for index, (family, host) in enumerate(((socket.AF_INET, "127.0.0.1"),
                                            (socket.AF_INET6, "::1"))):
        sender = socket.socket(family, socket.SOCK_DGRAM)
        address = (host, worker.port(index))
        for bytes in (b"", b"\0", b"<", b"<>", b"<999>x", b"<13>" + b"y" * 3_000,
                      b"<13>1 - h app - - - \xff\xfe", b"<13>1 - h app - - [a b=\"", b"\n" * 50,
                      b"<13>1 - h app - - - fits " + b"z" * 1_900):
            sender.sendto(bytes, address)
        sender.sendto(b"<13>1 - h app - - - last", address)
        sender.close()
    until(lambda: messages(worker).count("last") == 2, "the last of both")
    records = worker.read()
    worker.stop()
    for host in ("127.0.0.1", "::1"):
        own = [record for record in records if record["source_ip"] == host]
        expect(any((record["message"] or "").startswith("fits") for record in own), f"{host}")
        expect(not any("yyy" in (record["message"] or "") for record in own), "none is cut")
    expect("longer than max.message.bytes" in worker.log(), f"counted\n{worker.log()}")


def certificate(millrace, directory):
    """Files that are missing, no certificates, of another key, or out of their time."""
    certificates(directory)
    with open(f"{directory}/empty.crt", "w") as file:
        file.write("no certificate\n")
    cases = [("missing.crt", "server.key", "tls.certificate.file"),
             ("empty.crt", "server.key", "tls.certificate.file"),
             ("server.crt", "missing.key", "tls.key.file"),
             ("server.crt", "server.crt", "tls.key.file"),
             ("server.crt", "client.key", "tls.key.file")]
    for crt, key, culprit in cases:
        Worker(millrace, directory, source("tls://127.0.0.1:0", tls_certificate_file=crt,
                                           tls_key_file=key))
        result = subprocess.run([millrace, "run", "--data-dir", "other", "pipeline.yaml"],
                                cwd=directory, capture_output=True, text=True, timeout=600)
        expect(result.returncode == 2, f"{crt} {key}: {result.returncode} {result.stderr}")
        expect(culprit in result.stderr, f"{crt} {key}: {result.stderr}")
        expect("PRIVATE" not in result.stderr, "nothing of a key is shown")
    # Ended yesterday; openssl takes no negative days for all versions, so the dates are written.
    subprocess.run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey",
                    "ca.key", "-CAcreateserial", "-days", "-1", "-extfile", "names", "-out",
                    "old.crt"], cwd=directory, check=True, capture_output=True)
    worker = Worker(millrace, directory, source(
        "tls://127.0.0.1:0", tls_certificate_file="old.crt", tls_key_file="server.key")).start()
    expect("old.crt has expired" in worker.log(), f"it is in the log\n{worker.log()}")
    doctor = subprocess.run([millrace, "doctor", "pipeline.yaml"], cwd=directory,
                            capture_output=True, text=True, timeout=600)
    expect("old.crt has expired" in doctor.stdout + doctor.stderr, f"doctor: {doctor}")
    worker.stop()


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], sys.argv[2])
