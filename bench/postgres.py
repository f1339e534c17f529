"""Workloads of PostgreSQL: a private server with fsync on, and psql as the yardstick."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/Tests/ChaosTests")
import servers  # noqa: E402

COLUMNS = ("id bigint, customer_id integer, amount numeric(12,2), currency text, status text, "
           "created_at timestamptz, note text")
NAMES = "id, customer_id, amount, currency, status, created_at, note"
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min",
            "log_min_messages": "warning", "wal_level": "replica"}


class Server(servers.Server):
    """A server of this run's own, and psql to it as a yardstick."""

    def psql(self, *commands):
        command = [self.programs + "/psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1"]
        for text in commands:
            command += ["-c", text]
        return command + [self.url()]

    def query(self, *commands):
        return subprocess.run(self.psql(*commands), check=True, capture_output=True,
                              text=True).stdout.strip()


def workloads(b):
    """The workloads; the server is started by the first that is run."""
    started = []
    csv = b.data + "/orders.csv"
    load = f"\\copy orders FROM '{csv}' CSV HEADER"

    def server():
        if not started:
            started.append(Server(**SETTINGS))
        return started[0]

    def table(key="", *more):
        server().query("DROP TABLE IF EXISTS orders, __millrace_offsets",
                       f"CREATE TABLE orders ({COLUMNS}{key})", *more)
        server().query("VACUUM ANALYZE", "CHECKPOINT")

    def ours(source, sink, tasks=1):
        text = {"pipeline": "bench", "topics": {"orders": {"partitions": 4}},
                "sources": {"in": {"topic": "orders", "key.fields": ["id"], **source}}}
        if sink is not None:
            text["sinks"] = {"out": {"connector": "postgres", "url": server().url(),
                                     "topics": "orders", "tasks.max": tasks, **sink}}
        b.write(json.dumps(text))

    def rows():
        return int(server().query("SELECT count(*) FROM orders"))

    lines = {"connector": "json", "include": b.data + "/orders.jsonl"}
    key = ", PRIMARY KEY (id)"
    upsert = {"insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}
    changes = ", ".join(f"{name} = excluded.{name}" for name in NAMES.split(", ")[1:])
    by_hand = ("BEGIN", "CREATE TEMP TABLE s (LIKE orders) ON COMMIT DROP",
               load.replace("orders FROM", "s FROM"),
               f"INSERT INTO orders SELECT * FROM s ON CONFLICT (id) DO UPDATE SET {changes}",
               "COMMIT")
    return {
        "json-to-postgres": dict(
            title="JSON Lines → topic → PostgreSQL, no index, exactly once",
            setup=lambda: (table(), ours(lines, {})), count=rows,
            target="≤ 0.8 × \\copy",
            yardstick=("psql \\copy of the CSV", lambda: server().psql(load), table)),
        "json-to-postgres-tasks": dict(
            title="JSON Lines → topic → PostgreSQL, no index, exactly once, two tasks",
            setup=lambda: (table(), ours(lines, {}, tasks=2)), count=rows,
            target="≤ 0.8 × \\copy",
            yardstick=("psql \\copy of the CSV", lambda: server().psql(load), table)),
        "json-to-postgres-key": dict(
            title="JSON Lines → topic → PostgreSQL, primary key, exactly once",
            setup=lambda: (table(key), ours(lines, {})), count=rows,
            target="≤ 1.1 × \\copy",
            yardstick=("psql \\copy of the CSV", lambda: server().psql(load),
                       lambda: table(key))),
        "json-to-postgres-upsert": dict(
            title="JSON Lines → topic → PostgreSQL, upsert of rows that exist",
            setup=lambda: (table(key, load), ours(lines, upsert)), count=rows,
            target="≤ 1.2 × COPY to temp + ON CONFLICT",
            yardstick=("psql: COPY to temp + INSERT ON CONFLICT",
                       lambda: server().psql(*by_hand), lambda: table(key, load))),
        "json-to-postgres-upsert-new": dict(
            title="JSON Lines → topic → PostgreSQL, upsert of new rows",
            setup=lambda: (table(key), ours(lines, upsert)), count=rows,
            target="≤ 1.2 × COPY to temp + ON CONFLICT",
            yardstick=("psql: COPY to temp + INSERT ON CONFLICT",
                       lambda: server().psql(*by_hand), lambda: table(key))),
        "postgres-to-topic": dict(
            title="PostgreSQL table → topic as JSON, 4 partitions, durable",
            setup=lambda: (table(key, load), ours(
                {"connector": "postgres", "url": server().url(), "mode": "bulk",
                 "table.include.list": "public.orders", "poll.interval.ms": 0,
                 "key.fields": []}, None)),
            count=b.topic_count, target="≤ 1.3 × \\copy … to",
            yardstick=("psql \\copy to CSV",
                       lambda: server().psql("\\copy orders TO 'orders.csv' CSV"),
                       lambda: table(key, load))),
    }
