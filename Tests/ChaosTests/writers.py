"""Clients that change tables."""

import subprocess
import time


class Writers:
    """pgbench, which begins again whenever the server throws it out, and is stopped at any moment."""

    def __init__(self, server, *arguments):
        self.server, self.arguments = server, arguments
        self.processes = []

    def start(self):
        common = [f"{self.server.programs}/pgbench", "-h", "127.0.0.1", "-p", str(self.server.port),
                  "-U", "postgres", "-n", "-T", "3600", "--max-tries=10"]
        for more in self.arguments:
            self.processes.append(subprocess.Popen(common + more + ["postgres"],
                                                   stdout=subprocess.DEVNULL,
                                                   stderr=subprocess.DEVNULL))

    def keep(self):
        if any(process.poll() is not None for process in self.processes):
            self.stop()
            self.start()

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def end(self):
        """Stops, and waits until the server has ended what its sessions had begun."""
        self.stop()
        deadline = time.monotonic() + 180
        while self.server.sql("SELECT count(*) FROM pg_stat_activity "
                              "WHERE application_name = 'pgbench'") != "0":
            if time.monotonic() > deadline:
                raise SystemExit("sessions of pgbench do not end")
            time.sleep(0.02)
