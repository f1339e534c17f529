"""Appends numbered lines to eight log files and rotates them, while millrace follows them and is
killed with SIGKILL at random moments. At the end every line that is in any file is in the topic
exactly once, and so is every line that was written, unless the way of rotating loses lines for
whoever reads the files; then what was lost is counted, and nothing else may be missing.

Where files are renamed, the lines of each log are in the topic in their order. STYLE may end in
`+paused`: then millrace is stopped (SIGSTOP) at random for up to 300 ms, so that files are rotated
several times between two of its looks.

    follow.py MILLRACE DIRECTORY STYLE[+paused] KILLS [LINES] [SEED]
"""

import collections
import glob
import gzip
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time

FILES = 8

PIPELINE = """
pipeline: follow
topics:
  logs: {partitions: 1}
sources:
  app:
    connector: file
    follow: true
    include: logs/*.log*
    topic: logs
"""


class Log:
    """One log file: a writer that appends whole lines, in whole and in halves, and rotations."""

    def __init__(self, directory, number, moments):
        self.path = f"{directory}/app-{chr(97 + number)}.log"
        self.number = number
        self.moments = moments
        self.written = 0
        self.rotations = 0
        self.open()

    def open(self):
        self.file = open(self.path, "ab", buffering=0)

    def append(self, count):
        lines = []
        for _ in range(count):
            self.written += 1
            lines.append(b"%d %d %s\n" % (self.number, self.written,
                                          b"x" * self.moments.randrange(120)))
        data = b"".join(lines)
        if self.moments.random() < 0.1:
            cut = self.moments.randrange(len(data))
            self.file.write(data[:cut])
            time.sleep(self.moments.random() * 0.004)
            data = data[cut:]
        self.file.write(data)

    def shift(self):
        """Gives earlier rotations the next number, as logrotate does."""
        taken = sorted((int(path.removesuffix(".gz").rsplit(".", 1)[1]), path)
                       for path in glob.glob(self.path + ".[0-9]*"))
        for number, path in reversed(taken):
            ending = ".gz" if path.endswith(".gz") else ""
            os.rename(path, f"{self.path}.{number + 1}{ending}")

    # The ways of rotating.

    def rename(self):
        self.shift()
        os.rename(self.path, self.path + ".1")
        if self.moments.random() < 0.5:
            # The writer learns of it late.
            self.append(self.moments.randrange(1, 20))
        self.file.close()
        self.open()

    def compress(self):
        """Renames, and compresses what was renamed the time before."""
        last = self.path + ".1"
        if os.path.exists(last):
            with open(last, "rb") as plain, gzip.open(last + ".gz", "wb", 1) as packed:
                shutil.copyfileobj(plain, packed, self.moments.choice([1 << 10, 1 << 16]))
            os.remove(last)
        self.rename()

    def compress_at_once(self):
        self.rename()
        self.compress_last()

    def compress_last(self):
        last = self.path + ".1"
        with open(last, "rb") as plain, gzip.open(last + ".gz", "wb", 1) as packed:
            shutil.copyfileobj(plain, packed)
        os.remove(last)

    def copytruncate(self):
        self.shift()
        shutil.copyfile(self.path, self.path + ".1")
        os.truncate(self.path, 0)

    def copytruncate_racing(self):
        """Writes between the copy and the cut: what is written there is in no file afterwards."""
        self.shift()
        shutil.copyfile(self.path, self.path + ".1")
        self.append(self.moments.randrange(1, 5))
        os.truncate(self.path, 0)

    def dated(self):
        """Begins a file of another name."""
        self.file.close()
        os.rename(self.path, f"{self.path}-202611{self.rotations:04}")
        self.open()

    def truncate(self):
        os.truncate(self.path, 0)

    def rewrite(self):
        """Cuts it off and writes more than there was."""
        size = os.path.getsize(self.path)
        os.truncate(self.path, 0)
        while os.path.getsize(self.path) <= size:
            self.append(50)

    def remove(self):
        """Removes it while it is written to; the next one often has the same inode."""
        os.remove(self.path)
        self.append(self.moments.randrange(1, 20))
        self.file.close()
        with open(os.path.dirname(self.path) + ".removed", "a") as file:
            file.write(f"{self.number} {self.written}\n")
        self.open()

    def mixed(self):
        self.moments.choice([self.rename, self.copytruncate, self.compress_at_once])()


def write(directory, style, lines, kills, seed, counts):
    """The writer's process: appends to all files in turn and rotates them now and then, for about as
    long as it takes to kill millrace so often."""
    moments = random.Random(seed)
    logs = [Log(directory, number, moments) for number in range(FILES)]
    per_file = lines // FILES
    burst = max(4, per_file // 400)
    rest = max(0.01, 1.4 * kills * burst / per_file)
    due = {log: per_file // 12 for log in logs}
    while any(log.written < per_file for log in logs):
        for log in logs:
            if log.written >= per_file:
                continue
            log.append(min(moments.randrange(1, 2 * burst), per_file - log.written))
            counts[log.number] = log.written
            if log.written >= due[log]:
                due[log] = log.written + moments.randrange(1, per_file // 6)
                log.rotations += 1
                getattr(log, style)()
                counts[log.number] = log.written
        time.sleep(moments.random() * rest)


def on_disk(directory):
    """All lines that are in any file."""
    lines = set()
    for path in glob.glob(f"{directory}/*"):
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rt") as file:
            for line in file:
                first, second, _ = line.split(" ", 2)
                lines.add((int(first), int(second)))
    return lines


def in_topic(millrace, directory):
    reader = subprocess.Popen(
        [millrace, "topics", "read", "logs", "--json", "--from", "beginning",
         "--data-dir", f"{directory}/data"], stdout=subprocess.PIPE, text=True)
    lines = collections.Counter()
    order = collections.defaultdict(list)
    for record in reader.stdout:
        value = json.loads(record)["value"]
        first, second, _ = value.split(" ", 2)
        lines[(int(first), int(second))] += 1
        order[int(first)].append(int(second))
    if reader.wait() != 0:
        sys.exit("the topic cannot be read")
    return lines, order


# Ways of rotating that lose lines for whoever reads the files, when they come between a write and
# a read.
LOSSY = {"copytruncate_racing", "truncate", "rewrite", "remove"}


# Ways of rotating that keep the order of each log's lines, whenever they are looked at.
ORDERED = {"rename", "dated"}


def torn(directory, missing):
    """Removed files of which some lines are missing and others are not: they were open, so all of
    their lines could be read. And how many there are of which nothing was seen."""
    ends = collections.defaultdict(list)
    with open(directory + ".removed") as file:
        for line in file:
            number, end = map(int, line.split())
            ends[number].append(end)
    halves, unseen = [], 0
    for number, places in ends.items():
        for begin, end in zip([0, *places], places):
            lost = sum((number, line) in missing for line in range(begin + 1, end + 1))
            unseen += lost == end - begin
            if 0 < lost < end - begin:
                halves.append(f"{lost} of lines {begin + 1} to {end} of file {number}")
    return halves, unseen


def check(directory, style, written, present, lines, order, kills):
    problems = []
    doubled = [key for key, number in lines.items() if number > 1]
    if doubled:
        problems.append(f"{len(doubled)} lines doubled, such as {sorted(doubled)[:5]}")
    unread = sorted(present - set(lines))
    if unread:
        problems.append(f"{len(unread)} lines are in files and not in the topic, "
                        f"such as {unread[:5]}")
    everything = {(number, line) for number in range(FILES)
                  for line in range(1, written[number] + 1)}
    missing = everything - set(lines)
    strange = set(lines) - everything
    if strange:
        problems.append(f"{len(strange)} lines that nobody wrote, such as {sorted(strange)[:5]}")
    if missing and style not in LOSSY:
        problems.append(f"{len(missing)} lines lost, such as {sorted(missing)[:5]}")
    if style == "remove" and kills == 0:
        halves, unseen = torn(directory, missing)
        print(f"{unseen} files came and went between two looks")
        if halves:
            problems.append(f"removed files were not read to their ends: {halves[:5]}")
    if style in ORDERED:
        for number, seen in order.items():
            turns = [pair for pair in zip(seen, seen[1:]) if pair[0] > pair[1]]
            if turns:
                problems.append(f"the lines of file {number} are not in their order: "
                                f"behind {turns[0][0]} comes {turns[0][1]}")
    return problems, len(missing)


def pause(process, moments, is_due):
    """Stops a process and lets it go on, again and again."""
    while is_due():
        time.sleep(moments.uniform(0.001, 0.1))
        process.send_signal(signal.SIGSTOP)
        time.sleep(moments.uniform(0.01, 0.3))
        process.send_signal(signal.SIGCONT)


def main(millrace, directory, style, kills, lines="40000", seed=None):
    kills, lines = int(kills), int(lines)
    style, _, option = style.partition("+")
    seed = int(seed) if seed else random.randrange(1 << 32)
    moments = random.Random(seed)
    millrace = os.path.abspath(millrace)
    os.makedirs(f"{directory}/logs")
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write(PIPELINE)
    command = [millrace, "run", "--data-dir", f"{directory}/data", f"{directory}/pipeline.yaml"]
    counts = multiprocessing.Array("q", FILES)
    writer = multiprocessing.Process(target=write,
                                     args=(f"{directory}/logs", style, lines, kills, seed,
                                           counts))
    begin = time.perf_counter()
    writer.start()
    done = 0
    try:
        while writer.is_alive() or done < kills:
            with open(f"{directory}/log", "a") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                if done < kills:
                    end = time.perf_counter() + moments.uniform(0.02, 1.2)
                    if option == "paused":
                        pause(process, moments, lambda: time.perf_counter() < end)
                    time.sleep(max(0, end - time.perf_counter()))
                    code = process.poll()
                    if code is not None:
                        sys.exit(f"seed {seed}: ended with {code}\n{tail(directory)}")
                    process.kill()
                    done += 1
                else:
                    if option == "paused":
                        pause(process, moments, writer.is_alive)
                    writer.join()
                    time.sleep(0.5)
                    process.send_signal(signal.SIGTERM)
                code = process.wait(timeout=120)
            finally:
                if process.poll() is None:
                    process.kill()
            if code not in (0, -9):
                sys.exit(f"seed {seed}: ended with {code}\n{tail(directory)}")
            if moments.random() < 0.3:
                time.sleep(moments.random() * 0.6)
    finally:
        writer.join(timeout=600)
        if writer.is_alive():
            writer.kill()
    final = subprocess.run(command + ["--until-end"], capture_output=True, text=True, timeout=600)
    if final.returncode != 0:
        sys.exit(f"seed {seed}: the last run ended with {final.returncode}\n{final.stderr[-4000:]}")
    seconds = time.perf_counter() - begin
    topic, order = in_topic(millrace, directory)
    written = list(counts)
    problems, lost = check(f"{directory}/logs", style, written, on_disk(f"{directory}/logs"),
                           topic, order, kills)
    print(f"{style}, seed {seed}: {sum(written)} lines, {done} kills, {seconds:.1f} s, "
          f"{lost} lost with the files they were in", flush=True)
    if problems:
        sys.exit("\n".join(problems) + "\n" + tail(directory))


def tail(directory):
    with open(f"{directory}/log") as file:
        return file.read()[-3000:]


main(*sys.argv[1:])
