"""Keeps what was measured in bench/results/, with the machine it was measured on."""

import json
import os
import platform
import time

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")


def save(name, title, note, results, table):
    """Writes the day's results of one script, for programs and for people."""
    day = time.strftime("%Y-%m-%d")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    machine = f"{os.cpu_count()} cores, {memory} GiB, Linux {platform.release()}"
    stem = os.path.join(DIRECTORY, f"{day}-{name}")
    with open(stem + ".json", "w") as file:
        json.dump({"machine": machine, "results": results}, file, indent=1, ensure_ascii=False)
    with open(stem + ".md", "w") as file:
        file.write(f"# {title}, {day}\n\n{machine}. {note}\n\n{table}\n")
