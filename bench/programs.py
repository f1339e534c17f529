"""Measures programs in jq's language against the command jq, which runs the same program."""

PROGRAMS = {
    "jq": ("a product", "{id, total: (.amount * 2), who: .customer_id}"),
    "jq-sum": ("a sum", "{id, total: (.amount + 2), who: .customer_id}"),
}


def workloads(b):
    """`b` is bench.Bench."""
    def setup(program):
        b.write(b.pipeline({"connector": "json", "include": b.data + "/orders.jsonl",
                            "transforms": [{"type": "Jq", "program": program}]}))

    return {
        name: dict(
            title=f"JSON Lines → Jq, three members, one of them {what} → topic, durable",
            setup=lambda program=program: setup(program),
            count=b.topic_count, target="≤ 1.2 × jq",
            yardstick=("jq -c into a file + sync",
                       f"jq -c '{program}' {b.data}/orders.jsonl > copy && sync -d copy", None))
        for name, (what, program) in PROGRAMS.items()
    }
