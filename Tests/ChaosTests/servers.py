"""A PostgreSQL server of the test's own, and a proxy that makes the way to it bad."""

import glob
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def programs():
    """The folder of the newest PostgreSQL server."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if found:
        return os.path.dirname(max(found, key=lambda path: float(path.split("/")[4])))
    initdb = shutil.which("initdb")
    if initdb is None:
        raise SystemExit("no initdb: run scripts/setup test")
    return os.path.dirname(initdb)


class Server:
    """A cluster on loopback under /tmp, with commits that wait for the disk."""

    def __init__(self, **settings):
        self.programs = programs()
        # Short, because the path of a socket has at most 107 bytes.
        self.directory = tempfile.mkdtemp(prefix="mr-chaos-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.account = {}
        if os.geteuid() == 0:
            # The server refuses to run as root.
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self.account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.port = free_port()
        self.data = self.directory + "/data"
        # Reads from a pipe whose other end only this process has, so it ends when this one does,
        # whatever ends it.
        self.watcher = subprocess.Popen(
            ["sh", "-c", 'cat; "$0" -D "$1/data" -m immediate -w stop; rm -rf "$1"',
             f"{self.programs}/pg_ctl", self.directory], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            cwd="/tmp", **self.account)
        self.run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
                 "--locale=C", "--no-sync")
        values = {"wal_level": "logical", "max_wal_senders": 20, "max_replication_slots": 20,
                  "listen_addresses": "127.0.0.1", "port": self.port,
                  "unix_socket_directories": self.directory, "shared_buffers": "128MB",
                  "logical_decoding_work_mem": "64kB", "max_wal_size": "1GB",
                  "wal_sender_timeout": "20s", **settings}
        with open(self.data + "/postgresql.conf", "a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in values.items())
        self.start()

    def run(self, program, *arguments, check=True):
        result = subprocess.run([f"{self.programs}/{program}", *arguments], cwd=self.directory,
                                capture_output=True, text=True, env={**os.environ, "HOME": "/tmp"},
                                **self.account)
        if check and result.returncode != 0:
            raise SystemExit(f"{program} {arguments}: {result.stdout}{result.stderr}")
        return result

    def start(self):
        # Without a pipe, which would stay open as long as the server runs.
        subprocess.run([f"{self.programs}/pg_ctl", "-D", self.data, "-l", self.directory + "/log",
                        "-w", "-t", "60", "start"], cwd=self.directory, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.account)

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop")

    def restart(self, mode):
        self.stop(mode)
        self.start()

    def sql(self, text, database="postgres"):
        """Runs statements; gives the output without titles."""
        return self.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
                        "-p", str(self.port), "-U", "postgres", "-d", database, "-c",
                        text).stdout.strip()

    def url(self, port=None):
        return f"postgres://postgres@127.0.0.1:{port or self.port}/postgres"

    def remove(self):
        self.watcher.stdin.close()
        self.watcher.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Proxy:
    """Forwards connections to a port, until it is told to cut them, to delay or to refuse."""

    def __init__(self, target, seed):
        self.target = target
        self.random = random.Random(seed)
        self.delay = 0.0
        self.refuses = False
        self.connections = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.refuses:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self.lock:
                self.connections.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source, sink):
        try:
            while piece := source.recv(1 << 16):
                if self.delay:
                    time.sleep(self.delay * self.random.random())
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends all connections in the middle of whatever they carry."""
        with self.lock:
            connections, self.connections = self.connections, []
        for pair in connections:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
