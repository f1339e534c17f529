"""Moves one file through a topic into SQLite and into JSON Lines with the millrace binary, and
compares both, value by value, with what Python's own csv, json and lxml make of the same file.

    compare.py MILLRACE FORMAT FILE DIRECTORY [KEY=VALUE ...]

Extra keys are given to the source. Prints the differences; exits with 0 when there are none.
"""

import codecs
import csv
import json
import sqlite3
import subprocess
import sys

from lxml import etree

csv.field_size_limit(1 << 30)


def text_of(path):
    raw = open(path, "rb").read()
    for bom, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                          (codecs.BOM_UTF16_BE, "utf-16")):
        if raw.startswith(bom):
            return raw.decode(encoding)
    return raw.decode("utf-8")


class Number(str):
    """A number as it was written: no digit may be lost on the way."""


def load_json(text):
    return json.JSONDecoder(parse_float=Number, parse_int=Number).decode(text)


def many_json(text):
    decoder = json.JSONDecoder(parse_float=Number, parse_int=Number)
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in " \t\r\n":
            at += 1
        if at == end:
            return
        value, at = decoder.raw_decode(text, at)
        yield value


def as_record(value):
    return value if isinstance(value, dict) else {"value": value}


def expected_json(path, keys):
    for document in many_json(text_of(path)):
        pointer = keys.get("record.path", "")
        for step in pointer.split("/")[1:]:
            document = document[step]
        if isinstance(document, list):
            yield from (as_record(item) for item in document)
        else:
            yield as_record(document)


def expected_csv(path, keys):
    delimiter = {"tab": "\t"}.get(keys.get("delimiter", ","), keys.get("delimiter", ","))
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        header = next(rows)
        for row in rows:
            if row:
                yield dict(zip(header, row, strict=True))


def local(name):
    return etree.QName(name).localname


def xml_value(element):
    children = [child for child in element if isinstance(child.tag, str)]
    text = [element.text or ""] + [child.tail or "" for child in element]
    if not element.attrib and not children:
        return "".join(text)
    value = {"@" + local(name): content for name, content in element.attrib.items()}
    for child in children:
        name, content = local(child.tag), xml_value(child)
        if name not in value:
            value[name] = content
        elif isinstance(value[name], list):
            value[name].append(content)
        else:
            value[name] = [value[name], content]
    words = "".join(text) if not children else "".join(part for part in text if part.strip())
    if words:
        value["#text"] = words
    return value


def expected_xml(path, keys):
    steps = keys["record.path"].strip("/").split("/")
    found = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
    level = [found.getroot()] if local(found.getroot().tag) == steps[0] else []
    for step in steps[1:]:
        level = [child for parent in level for child in parent
                 if isinstance(child.tag, str) and local(child.tag) == step]
    yield from (as_record(xml_value(element)) for element in level)


def same_in_json(format, wanted, got):
    if format != "csv":
        return wanted == got
    if set(wanted) != set(got):
        return False
    for name, cell in wanted.items():
        value = got[name]
        if value is None:
            value = ""
        elif isinstance(value, bool):
            value = "true" if value else "false"
        if value != cell:
            return False
    return True


def same_in_sqlite(format, wanted, got):
    if isinstance(wanted, (dict, list)):
        return load_json(got) == wanted
    if wanted is None or wanted == "" and got is None:
        return got is None
    if isinstance(wanted, bool):
        return got == int(wanted)
    if format == "csv" and got != wanted and wanted in ("true", "false"):
        return got == int(wanted == "true")
    if isinstance(got, int):
        return str(got) == wanted
    if isinstance(got, float):
        return float(wanted) == got
    return got == wanted


def run(millrace, format, path, directory, keys):
    lines = [f"pipeline: compare", "sources:", "  source:", f"    connector: {format}",
             f"    include: {json.dumps(path)}", "    topic: records"]
    lines += [f"    {key}: {json.dumps(value)}" for key, value in keys.items()]
    lines += ["sinks:", "  database:", "    connector: sqlite", "    topics: [records]",
              "    path: out.db", "    auto.create: true", "    auto.evolve: true",
              "  files:", "    connector: json", "    topics: [records]", "    path: out.jsonl", ""]
    with open(f"{directory}/pipeline.yaml", "w") as file:
        file.write("\n".join(lines))
    done = subprocess.run([millrace, "run", "--data-dir", f"{directory}/data", "pipeline.yaml"],
                          cwd=directory, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")


def main(millrace, format, path, directory, *pairs):
    keys = dict(pair.split("=", 1) for pair in pairs)
    expected = list({"json": expected_json, "csv": expected_csv, "xml": expected_xml}[format](
        path, keys))
    run(millrace, format, path, directory, keys)

    problems = []
    with open(f"{directory}/out.jsonl", encoding="utf-8") as file:
        got = [load_json(line) for line in file.read().split("\n") if line]
    if len(got) != len(expected):
        problems.append(f"JSON: {len(got)} records, expected {len(expected)}")
    for number, (wanted, found) in enumerate(zip(expected, got)):
        if not same_in_json(format, wanted, found) or format == "json" and (
                list(wanted) != list(found)):
            problems.append(f"JSON record {number}: expected {wanted!r}, got {found!r}")

    database = sqlite3.connect(f"{directory}/out.db")
    database.row_factory = sqlite3.Row
    rows = database.execute("SELECT * FROM records ORDER BY rowid").fetchall()
    if len(rows) != len(expected):
        problems.append(f"SQLite: {len(rows)} rows, expected {len(expected)}")
    for number, (wanted, row) in enumerate(zip(expected, rows)):
        for name in row.keys():
            if not same_in_sqlite(format, wanted.get(name), row[name]):
                problems.append(f"SQLite row {number}, {name}: expected "
                                f"{wanted.get(name)!r}, got {row[name]!r}")
        if missing := set(wanted) - set(row.keys()):
            problems.append(f"SQLite row {number} lacks {missing}")
    print(f"{len(expected)} records compared")
    if problems:
        sys.exit("\n".join(problems[:20]))


main(*sys.argv[1:])
