"""Feeds millrace input that is made to hurt, and checks that it answers within bounded memory.

    hostile.py MILLRACE CASE DIRECTORY
"""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time

MEMORY_LIMIT_MIB = 160
GOOD = '{"id":1}\n'


def pipeline(directory, connector, include, **keys):
    text = {
        "pipeline": "hostile",
        "sources": {"in": {"connector": connector, "include": include, "topic": "events",
                           "errors": {"tolerance": "all",
                                      "deadletterqueue.topic.name": "events-dlq"}, **keys}},
        "sinks": {"out": {"connector": "file", "format": "lines", "topics": ["events"],
                          "path": "out.txt"}},
    }
    with open(f"{directory}/pipeline.yaml", "w") as file:
        json.dump(text, file)


def run(millrace, directory, expected=(0,)):
    command = [millrace, "run", "--data-dir", "data", "pipeline.yaml"]
    with open(f"{directory}/log", "w") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    log = open(f"{directory}/log").read()
    code = os.waitstatus_to_exitcode(status)
    if code not in expected:
        sys.exit(f"exit code {code}, expected {expected}\n{log[-3000:]}")
    peak = usage.ru_maxrss / 1024
    if peak > MEMORY_LIMIT_MIB:
        sys.exit(f"peak memory {peak:.0f} MiB\n{log[-1000:]}")
    print(f"exit code {code}, peak {peak:.0f} MiB")
    return log


def letters(millrace, directory):
    out = subprocess.run([millrace, "topics", "read", "events-dlq", "--json", "--data-dir", "data"],
                         cwd=directory, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def expect(condition, message):
    if not condition:
        sys.exit(message)


def rejects_one(millrace, directory, records):
    got = open(f"{directory}/out.txt").read()
    expect(got.count("\n") == records, f"{got.count(chr(10))} records, expected {records}")
    dead = letters(millrace, directory)
    expect(len(dead) == 1, f"{len(dead)} dead letters, expected 1")


def long_line(millrace, directory, connector, before, after, records):
    with open(f"{directory}/input", "wb") as file:
        file.write(before)
        file.seek(1 << 30, os.SEEK_CUR)
        file.write(after)
    pipeline(directory, connector, "input")
    run(millrace, directory)
    rejects_one(millrace, directory, records)


def case_long_line(millrace, directory):
    long_line(millrace, directory, "file", b"good\n", b"\ngood\n", 2)


def case_long_json_line(millrace, directory):
    long_line(millrace, directory, "json", b'{"id":1}\n{"id":"', b'"}\n{"id":2}\n', 2)


def case_long_csv_line(millrace, directory):
    long_line(millrace, directory, "csv", b"id,text\n1,", b"\n2,x\n", 1)


def case_zip_bomb(millrace, directory):
    with gzip.open(f"{directory}/input.gz", "wb", compresslevel=1) as file:
        file.write(b'{"id":1}\n{"id":"')
        block = b"a" * (1 << 20)
        for _ in range(1024):
            file.write(block)
        file.write(b'"}\n{"id":2}\n')
    pipeline(directory, "json", "input.gz")
    run(millrace, directory)
    rejects_one(millrace, directory, 2)


def case_billion_laughs(millrace, directory):
    entities = ['<!ENTITY a "ha">'] + [
        f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12)]
    with open(f"{directory}/input.xml", "w") as file:
        file.write(f'<?xml version="1.0"?><!DOCTYPE r [{"".join(entities)}]>'
                   "<r><e>fine</e><e>&m;</e></r>")
    pipeline(directory, "xml", "input.xml", **{"record.path": "/r/e"})
    run(millrace, directory, expected=(0, 1))
    dead = letters(millrace, directory) if os.path.isdir(f"{directory}/data") else []
    expect(len(dead) == 1, f"{len(dead)} dead letters, expected 1")


def case_external_entity(millrace, directory):
    with open(f"{directory}/secret", "w") as file:
        file.write("top-secret-content")
    with open(f"{directory}/input.xml", "w") as file:
        file.write(f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{directory}/secret">]>'
                   "<r><e>fine</e><e>&x;</e></r>")
    pipeline(directory, "xml", "input.xml", **{"record.path": "/r/e"})
    log = run(millrace, directory, expected=(0, 1))
    written = open(f"{directory}/out.txt").read() if os.path.exists(f"{directory}/out.txt") else ""
    expect("top-secret" not in log + written, "the external entity was read")
    expect(len(letters(millrace, directory)) == 1, "no dead letter for the entity")


def case_deep_json(millrace, directory):
    with open(f"{directory}/input", "w") as file:
        file.write(GOOD + "[" * 1_000_000 + "]" * 1_000_000 + "\n" + GOOD)
    pipeline(directory, "json", "input")
    run(millrace, directory)
    rejects_one(millrace, directory, 2)


def case_far_index(millrace, directory):
    """Programs that would have libjq ask for gigabytes at once, each for many records."""
    program = """
        {id, n, v: []} | if .n == null then . elif .id % 5 == 0 then .v[.n] = 1
        elif .id % 5 == 1 then .v[.n] |= 1 elif .id % 5 == 2 then .n as $n | setpath(["v", $n]; 1)
        elif .id != 4 then .v = reduce range(40) as $i ("x"; . + .)
        else .v = reduce range(40) as $i (1; [., .]) end"""
    with open(f"{directory}/input", "w") as file:
        for id in range(100):
            file.write(json.dumps({"id": id, "n": 10 ** 9}) + "\n")
        file.write('{"id":100,"n":null}\n{"id":100,"n":0}\n')
    pipeline(directory, "json", "input", transforms=[
        {"type": "Jq", "program": program, "memory.max": "32MiB", "timeout.ms": "60s"}])
    run(millrace, directory)
    got = open(f"{directory}/out.txt").read()
    expect(got.count("\n") == 2, f"{got.count(chr(10))} records, expected 2")
    dead = letters(millrace, directory)
    expect(len(dead) == 100, f"{len(dead)} dead letters, expected 100")
    for letter in dead:
        headers = {header["key"]: header["value"] for header in letter["headers"]}
        expect(headers["__connect.errors.class.name"] == "Jq"
               and headers["__connect.errors.exception.class.name"] == "jq.limit"
               and "memory.max" in headers["__connect.errors.exception.message"], f"{headers}")


def case_cyclic_directories(millrace, directory):
    os.makedirs(f"{directory}/tree/a/b")
    os.symlink(f"{directory}/tree", f"{directory}/tree/a/b/again")
    os.symlink(f"{directory}/tree/a", f"{directory}/tree/a/self")
    with open(f"{directory}/tree/a/b/input.json", "w") as file:
        file.write(GOOD)
    pipeline(directory, "json", "tree/**/*.json")
    run(millrace, directory)
    got = open(f"{directory}/out.txt").read()
    expect(got == GOOD, f"read {got.count(chr(10))} times")


def case_vanishing_directory(millrace, directory):
    os.makedirs(f"{directory}/inbox")
    with open(f"{directory}/inbox/one.json", "w") as file:
        file.write(GOOD)
    pipeline(directory, "json", "inbox/*.json", **{"poll.interval.ms": "50ms"})
    with open(f"{directory}/log", "w") as log:
        process = subprocess.Popen([millrace, "run", "--data-dir", "data", "pipeline.yaml"],
                                   cwd=directory, stdout=log, stderr=log)
        deadline = time.time() + 180
        while time.time() < deadline and not records_so_far(millrace, directory):
            time.sleep(0.1)
        shutil.rmtree(f"{directory}/inbox")
        time.sleep(0.5)
        os.makedirs(f"{directory}/inbox")
        with open(f"{directory}/inbox/two.json", "w") as file:
            file.write('{"id":2}\n')
        while time.time() < deadline and records_so_far(millrace, directory) < 2:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=180)
    text = open(f"{directory}/log").read()
    expect(code == 0, f"exit code {code}\n{text[-3000:]}")
    got = open(f"{directory}/out.txt").read()
    expect(got == GOOD + '{"id":2}\n', f"got {got!r}\n{text[-3000:]}")


def records_so_far(millrace, directory):
    read = subprocess.run([millrace, "topics", "read", "events", "--json", "--data-dir", "data"],
                          cwd=directory, capture_output=True, text=True)
    return len(read.stdout.splitlines()) if read.returncode == 0 else 0


def main(millrace, case, directory):
    globals()["case_" + case](millrace, directory)


main(*sys.argv[1:])
