"""Writes N lines of an access log as nginx and Apache write them, the same for every run."""

import os
import random

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "curl/8.5.0", "Googlebot/2.1 (+http://www.google.com/bot.html)", "-",
)
PATHS = ("/", "/index.html", "/api/v1/orders", "/api/v1/orders/{}", "/static/app.{}.js",
         "/search?q={}&page=2", "/images/{}.webp", "/healthz", "/login")
REFERRERS = ("-", "-", "https://www.example.com/", "https://www.example.com/search?q=mill",
             "https://news.example.org/item?id=41234567")
METHODS = ("GET",) * 8 + ("POST", "HEAD")
STATUSES = (200,) * 12 + (304, 304, 301, 404, 403, 500, 502)


def lines(count):
    source = random.Random(42)
    seconds = 0
    for _ in range(count):
        seconds += source.random() < 0.02
        time = (f"{10 + seconds // 86400 % 18:02}/Oct/2026:{seconds // 3600 % 24:02}:"
                f"{seconds // 60 % 60:02}:{seconds % 60:02} +0000")
        host = ".".join(str(source.randrange(1, 255)) for _ in range(4))
        user = "-" if source.random() < 0.9 else f"user{source.randrange(1000)}"
        path = source.choice(PATHS).format(source.randrange(100_000))
        yield (f'{host} - {user} [{time}] "{source.choice(METHODS)} {path} HTTP/1.1" '
               f'{source.choice(STATUSES)} {source.randrange(100_000)} '
               f'"{source.choice(REFERRERS)}" "{source.choice(AGENTS)}"\n')


def path(directory, count):
    name = f"{directory}/access-{count}.log"
    if not os.path.exists(name):
        with open(name + ".new", "w") as file:
            file.writelines(lines(count))
        os.rename(name + ".new", name)
    return name


def workloads(b):
    """`b` is bench.Bench."""
    def setup():
        b.write(b.pipeline({
            "connector": "file", "format": "lines", "include": path(b.data, b.records),
            "transforms": [
                {"type": "Parse", "format": "combined", "timestamp.field": "timestamp"},
                {"type": "Filter", "condition": ".status != 600"},
                {"type": "ReplaceField", "exclude": "identity", "renames": "host:client"},
                {"type": "InsertField", "static.field": "site", "static.value": "www"},
            ]}))

    def awk():
        count = "{n[$9]++} END {for (s in n) print s, n[s]}"
        return f"awk '{count}' {path(b.data, b.records)}"

    return {
        "access-log": dict(
            title="access log → Parse combined → 3 transforms → JSON → topic, durable",
            setup=setup, count=b.topic_count, target="≥ 1.0 M/s",
            yardstick=("awk counting by status", awk, None)),
    }
