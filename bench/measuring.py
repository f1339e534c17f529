"""Runs a program and says what it took."""

import os
import subprocess
import sys
import time


def measure(command, directory):
    """Runs a command, text for a shell; returns wall seconds, CPU seconds and peak MiB."""
    os.sync()
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, shell=isinstance(command, str))
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command} ended with {status}\n{errors.decode()[-3000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
