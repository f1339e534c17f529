"""The process under test."""

import os
import subprocess


class Worker:
    """The process under test."""

    def __init__(self, millrace, directory):
        self.directory = os.path.abspath(directory)
        self.millrace = os.path.abspath(millrace)
        self.command = [self.millrace, "run", "--data-dir", f"{self.directory}/data",
                        f"{self.directory}/pipeline.yaml"]
        self.process = None

    def start(self):
        with open(f"{self.directory}/log", "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log,
                                            cwd=self.directory)

    def kill(self):
        self.check()
        self.process.kill()
        self.process.wait()

    def check(self):
        """The worker must live through whatever happens to its servers."""
        code = self.process.poll()
        if code is not None:
            raise SystemExit(f"the worker ended with {code}\n{self.log()}")

    def finish(self):
        """Runs until everything that was there at the start has arrived."""
        final = subprocess.run(self.command + ["--until-end"], capture_output=True, text=True,
                               timeout=300, cwd=self.directory)
        if final.returncode != 0:
            raise SystemExit(f"the last run ended with {final.returncode}\n{final.stderr[-6000:]}")

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        with open(f"{self.directory}/log") as file:
            return file.read()[-6000:]
