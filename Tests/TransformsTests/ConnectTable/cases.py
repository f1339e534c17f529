"""The cases that scripts/connect-transforms runs through Kafka Connect's own transforms.

A case has a name, the `type` and `config` of a transform or predicate, and a record; or a `path` of
fields with its `syntax`. A record has `key` and `value`, each null or {"schema", "value"}, without
"schema" for data that has none, `headers` [[name, {"schema", "value"}]], and topic, partition, offset and
timestamp where they are not the usual ones. Schemas are a type's name or an object; values are named by
their Java type: {"int32": 1}, {"struct": [[name, value]]}, {"date": milliseconds}.
"""

import base64

LOGICAL = "org.apache.kafka.connect.data."
DATE = {"type": "int32", "name": LOGICAL + "Date", "version": 1}
TIME = {"type": "int32", "name": LOGICAL + "Time", "version": 1}
TIMESTAMP = {"type": "int64", "name": LOGICAL + "Timestamp", "version": 1}
DAY = 86_400_000
INSTANT = 1_700_000_000_123


def decimal(scale):
    return {"type": "bytes", "name": LOGICAL + "Decimal", "version": 1, "scale": str(scale)}


def optional(schema, default=None):
    description = {"type": schema} if isinstance(schema, str) else dict(schema)
    description["optional"] = True
    if default is not None:
        description["default"] = default
    return description


def struct(*fields, **more):
    return {"type": "struct", "fields": [[name, schema] for name, schema in fields], **more}


def typed(schema, value):
    return {"schema": schema, "value": value}


def untyped(value):
    return {"value": value}


def s(text):
    return {"string": text}


def i(number):
    return {"int32": number}


def long(number):
    return {"int64": number}


def raw(data):
    return {"bytes": base64.b64encode(data).decode()}


def fields(*entries):
    """Name, schema and value of each field, as a struct with a schema."""
    return typed(struct(*[(name, schema) for name, schema, _ in entries]),
                 {"struct": [[name, value] for name, _, value in entries]})


def entries(*pairs):
    """Names and values, without a schema."""
    return untyped({"map": [[name, value] for name, value in pairs]})


def bare(value):
    """A struct's value as a map."""
    if value is None:
        return None
    kind, content = next(iter(value.items()))
    if kind in ("struct", "map"):
        return {"map": [[name, bare(inner)] for name, inner in content]}
    if kind == "array":
        return {"array": [bare(item) for item in content]}
    return value


def without_schema(data):
    return untyped(bare(data["value"]))


def record(value=None, key=None, **more):
    return {"key": key, "value": value, **more}


# One value of each type; the schema, the value.
VALUES = {
    "int8": ("int8", {"int8": 5}),
    "int16": ("int16", {"int16": -300}),
    "int32": ("int32", i(70_000)),
    "int64": ("int64", long(5_000_000_000)),
    "float32": ("float32", {"float32": "1.5"}),
    "float64": ("float64", {"float64": "-3.0"}),
    "float64 with a fraction": ("float64", {"float64": "3.7"}),
    "large float64": ("float64", {"float64": "1.0E300"}),
    "true": ("boolean", {"boolean": True}),
    "false": ("boolean", {"boolean": False}),
    "digits": ("string", s("12")),
    "negative digits": ("string", s("-7")),
    "a fraction as text": ("string", s("1.5")),
    "letters": ("string", s("abc")),
    "empty text": ("string", s("")),
    "the word TRUE": ("string", s("TRUE")),
    "bytes": ("bytes", raw(b"\x00\xff\x10")),
    "decimal": (decimal(2), {"decimal": "12.50"}),
    "Date": (DATE, {"date": 19_000 * DAY}),
    "Time": (TIME, {"date": 3_723_004}),
    "Timestamp": (TIMESTAMP, {"date": INSTANT}),
    "null": (optional("int32"), None),
}
NESTED = (struct(("x", "int32"), ("y", "string")), {"struct": [["x", i(1)], ["y", s("z")]]})
LIST = ({"type": "array", "items": "int32"}, {"array": [i(1), i(2)]})
MAP = ({"type": "map", "items": "int32"}, {"map": [["a", i(1)]]})
WORDS = {"int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"}


class Cases:
    def __init__(self):
        self.all = []

    def add(self, name, kind, config, data, **more):
        self.all.append({"name": f"{kind}: {name}", "type": kind, "config": config,
                         "record": data, **more})

    def both(self, name, kind, config, value, key=None, **more):
        """The same with and without schemas."""
        self.add(f"{name}, typed", kind, config, record(value, key, **more))
        self.add(f"{name}, untyped", kind, config, record(
            value and without_schema(value), key and without_schema(key), **more))

    def every_side(self, name, kind, config, data, **more):
        """Both, as a value and as a key."""
        self.both(name, kind + "$Value", config, data, **more)
        other = fields(("other", "int32", i(1)))
        self.both(name, kind + "$Key", config, other, data, **more)

    def tombstones(self, kind, config):
        self.add("no value", kind + "$Value", config, record(None, typed("string", s("k"))))
        self.add("no key", kind + "$Key", config, record(fields(("a", "int32", i(1)))))


ORDER = fields(("id", "int32", i(7)), ("name", "string", s("Åsa")),
               ("note", optional("string"), None), ("amount", decimal(2), {"decimal": "1.50"}))


def cast(c):
    for word in sorted(WORDS):
        for name, (schema, value) in VALUES.items():
            data = fields(("a", schema, value), ("b", "string", s("x")))
            c.add(f"{name} to {word}, typed", "Cast$Value", {"spec": f"a:{word}"}, record(data))
            if word in ("string", "int16", "boolean"):
                c.add(f"{name} to {word}, untyped", "Cast$Value", {"spec": f"a:{word}"},
                      record(without_schema(data)))
    for name, (schema, value) in {"struct": NESTED, "array": LIST, "map": MAP}.items():
        c.both(f"{name} to string", "Cast$Value", {"spec": "a:string"}, fields(("a", schema, value)))
        c.both(f"{name} to int32", "Cast$Value", {"spec": "a:int32"}, fields(("a", schema, value)))
    c.every_side("several fields", "Cast", {"spec": "id:string,name:string,note:int32"}, ORDER)
    c.every_side("a field that is missing", "Cast", {"spec": "nope:int32,id:int64"}, ORDER)
    for word, value in {"int64": i(5), "string": i(5), "int8": i(300), "boolean": s("true"),
                        "float64": s("1.5"), "int32": s("x")}.items():
        schema = "int32" if "int32" in value else "string"
        c.both(f"a whole {schema} to {word}", "Cast$Value", {"spec": word}, typed(schema, value))
        c.both(f"a whole {schema} to {word}", "Cast$Key", {"spec": word}, None, typed(schema, value))
    c.both("a whole struct", "Cast$Value", {"spec": "int32"}, ORDER)
    c.both("fields of a whole number", "Cast$Value", {"spec": "a:int32"}, typed("string", s("1")))
    c.tombstones("Cast", {"spec": "a:int32"})
    for spec in ("", "a:nope", "nope", "a:int32,int64", "a", "a:int32:b"):
        c.add(f"spec `{spec}`", "Cast$Value", {"spec": spec}, record(ORDER))
    c.add("a null with a default", "Cast$Value", {"spec": "a:string"}, record(
        fields(("a", optional("int32", i(4)), None))))


def drop_headers(c):
    headers = [["a", typed("string", s("1"))], ["b", typed("int32", i(2))], ["a", untyped(s("3"))],
               ["c", None]]
    for names in ("a", "b,c", "nope", "a,b,c", " a , c "):
        c.add(f"`{names}`", "DropHeaders", {"headers": names}, record(ORDER, headers=headers))
    c.add("of a record without any", "DropHeaders", {"headers": "a"}, record(ORDER))
    c.add("of a tombstone", "DropHeaders", {"headers": "a"}, record(None, headers=headers))
    c.add("none named", "DropHeaders", {}, record(ORDER))


def extract_field(c):
    for name, (schema, value) in VALUES.items():
        data = fields(("z", "int32", i(1)), ("a", schema, value))
        c.both(name, "ExtractField$Value", {"field": "a"}, data)
        c.add(name, "ExtractField$Key", {"field": "a"}, record(ORDER, data))
    for name, (schema, value) in {"struct": NESTED, "array": LIST, "map": MAP}.items():
        c.both(name, "ExtractField$Value", {"field": "a"}, fields(("a", schema, value)))
    c.every_side("a field that is missing", "ExtractField", {"field": "nope"}, ORDER)
    deep = fields(("a", struct(("b", struct(("c.d", "int32"), ("e", optional("string"))))),
                   {"struct": [["b", {"struct": [["c.d", i(4)], ["e", None]]}]]}),
                  ("a.b", "string", s("dotted")), ("none", optional(struct(("x", "int32"))), None))
    for path in ("a.b", "a.b.`c.d`", "a.b.e", "`a.b`", "a.nope", "nope.b", "a.b.nope.x", "`a.b`.c",
                 "none.x", "a.", "a"):
        for version in ("V1", "v2"):
            c.both(f"`{path}` {version}", "ExtractField$Value",
                   {"field": path, "field.syntax.version": version}, deep)
    c.both("of a whole number", "ExtractField$Value", {"field": "a"}, typed("int32", i(1)))
    c.tombstones("ExtractField", {"field": "a"})
    c.add("no field named", "ExtractField$Value", {}, record(ORDER))
    c.add("syntax V3", "ExtractField$Value", {"field": "a", "field.syntax.version": "V3"},
          record(ORDER))
    c.add("half a backquote pair", "ExtractField$Value",
          {"field": "`a", "field.syntax.version": "V2"}, record(ORDER))
    c.add("a null with a default", "ExtractField$Value", {"field": "a"}, record(
        fields(("a", optional("int32", i(4)), None))))
    c.add("a null with a default that is not wanted", "ExtractField$Value",
          {"field": "a", "replace.null.with.default": "false"},
          record(fields(("a", optional("int32", i(4)), None))))


def flatten(c):
    inner = struct(("x", "int32"), ("y", optional("string")), ("l", LIST[0]), optional=True)
    values = {"struct": [["x", i(1)], ["y", None], ["l", LIST[1]]]}
    outer = fields(("id", "int64", long(1)), ("in", struct(("deep", inner), ("z", DATE)),
                   {"struct": [["deep", values], ["z", {"date": 2 * DAY}]]}), ("last", "string", s("l")))
    c.every_side("nested structs", "Flatten", {}, outer)
    for delimiter in ("_", "", "::", "ø"):
        c.both(f"with `{delimiter}`", "Flatten$Value", {"delimiter": delimiter}, outer)
    absent = fields(("id", "int64", long(1)), ("in", optional(inner), None))
    c.both("an absent struct", "Flatten$Value", {}, absent)
    c.both("an empty struct", "Flatten$Value", {}, fields(("a", "int32", i(1)),
                                                          ("e", struct(), {"struct": []})))
    c.every_side("nothing nested", "Flatten", {}, ORDER)
    c.both("a name twice", "Flatten$Value", {}, fields(
        ("a", struct(("b", "int32")), {"struct": [["b", i(1)]]}), ("a.b", "int32", i(2))))
    for name, (schema, value) in VALUES.items():
        c.both(name, "Flatten$Value", {}, fields(
            ("o", struct(("a", schema)), {"struct": [["a", value]]})))
    c.both("an array", "Flatten$Value", {}, fields(("a", *LIST)))
    c.both("a map", "Flatten$Value", {}, fields(("a", *MAP)))
    c.both("a whole number", "Flatten$Value", {}, typed("int32", i(1)))
    c.tombstones("Flatten", {})


def header_from(c):
    config = {"fields": "id,name", "headers": "h1,h2"}
    for operation in ("move", "copy"):
        c.every_side(operation, "HeaderFrom", {**config, "operation": operation}, ORDER)
        for name, (schema, value) in VALUES.items():
            data = fields(("a", schema, value), ("b", "int32", i(1)))
            c.add(f"{operation} {name}", "HeaderFrom$Value",
                  {"fields": "a", "headers": "h", "operation": operation},
                  record(data if operation == "move" else without_schema(data)))
        c.both(f"{operation} a field that is missing", "HeaderFrom$Value",
               {"fields": "nope", "headers": "h", "operation": operation}, ORDER)
        c.both(f"{operation} beside another header", "HeaderFrom$Value",
               {"fields": "id", "headers": "h", "operation": operation}, ORDER,
               headers=[["h", typed("string", s("old"))]])
        for name, (schema, value) in {"struct": NESTED, "array": LIST}.items():
            c.both(f"{operation} {name}", "HeaderFrom$Value",
                   {"fields": "a", "headers": "h", "operation": operation},
                   fields(("a", schema, value)))
    c.tombstones("HeaderFrom", {**config, "operation": "copy"})
    c.both("of a whole number", "HeaderFrom$Value", {**config, "operation": "copy"},
           typed("int32", i(1)))
    for wrong in ({"fields": "a,b", "headers": "h", "operation": "copy"},
                  {"fields": "a", "headers": "h"}, {"fields": "a", "headers": "h", "operation": "x"},
                  {"headers": "h", "operation": "copy"}, {"fields": "", "headers": "", "operation": "copy"}):
        c.add(f"configuration {wrong}", "HeaderFrom$Value", wrong, record(ORDER))


def hoist_field(c):
    for name, (schema, value) in VALUES.items():
        c.both(name, "HoistField$Value", {"field": "f"}, typed(schema, value))
        c.add(name, "HoistField$Key", {"field": "f"}, record(ORDER, typed(schema, value)))
    c.every_side("a struct", "HoistField", {"field": "f"}, ORDER)
    c.both("an array", "HoistField$Value", {"field": "f"}, typed(*LIST))
    c.tombstones("HoistField", {"field": "f"})
    c.add("no field named", "HoistField$Value", {}, record(ORDER))


def insert_field(c):
    every = {"topic.field": "t", "partition.field": "p", "offset.field": "o", "timestamp.field": "ts",
             "static.field": "s", "static.value": "fixed"}
    c.every_side("everything", "InsertField", every, ORDER)
    for key in ("topic", "partition", "offset", "timestamp"):
        for mark in ("", "!", "?"):
            c.both(f"{key}{mark}", "InsertField$Value", {f"{key}.field": f"new{mark}"}, ORDER)
    for mark in ("", "!", "?"):
        c.both(f"static{mark}", "InsertField$Value",
               {"static.field": f"new{mark}", "static.value": "v"}, ORDER)
    c.both("no timestamp", "InsertField$Value", {"timestamp.field": "new"}, ORDER, timestamp=None)
    c.both("over a field", "InsertField$Value", {"static.field": "name", "static.value": "v"}, ORDER)
    c.both("a dotted name", "InsertField$Value", {"static.field": "a.b", "static.value": "v"}, ORDER)
    c.both("into a whole number", "InsertField$Value", {"static.field": "a", "static.value": "v"},
           typed("int32", i(1)))
    c.tombstones("InsertField", {"static.field": "a", "static.value": "v"})
    for wrong in ({}, {"static.field": "a"}, {"static.value": "v"}):
        c.add(f"configuration {wrong}", "InsertField$Value", wrong, record(ORDER))


def insert_header(c):
    for text in ("plain", "5", "true", "1.5", "null", "[1,2]", '{"a":1}', "2026-11-21", "größe", ""):
        c.add(f"`{text}`", "InsertHeader", {"header": "h", "value.literal": text}, record(ORDER))
    c.add("beside another", "InsertHeader", {"header": "h", "value.literal": "new"},
          record(ORDER, headers=[["h", typed("string", s("old"))]]))
    c.add("to a tombstone", "InsertHeader", {"header": "h", "value.literal": "new"}, record(None))
    for wrong in ({"header": "h"}, {"value.literal": "v"}):
        c.add(f"configuration {wrong}", "InsertHeader", wrong, record(ORDER))


def mask_field(c):
    both = {**VALUES, "struct": NESTED, "array": LIST, "map": MAP}
    for name, (schema, value) in both.items():
        data = fields(("a", schema, value), ("b", "string", s("stays")))
        c.both(name, "MaskField$Value", {"fields": "a"}, data)
        for replacement in ("***", "99.5"):
            c.add(f"{name} by `{replacement}`", "MaskField$Value",
                  {"fields": "a", "replacement": replacement}, record(data))
    c.every_side("several", "MaskField", {"fields": "id,name,note,amount"}, ORDER)
    c.every_side("a field that is missing", "MaskField", {"fields": "nope"}, ORDER)
    c.both("a whole number", "MaskField$Value", {"fields": "a"}, typed("int32", i(1)))
    c.tombstones("MaskField", {"fields": "a"})
    for wrong in ({}, {"fields": ""}, {"fields": "a", "replacement": ""}):
        c.add(f"configuration {wrong}", "MaskField$Value", wrong, record(ORDER))


def regex_router(c):
    for topic, regex, replacement in (
            ("orders", "orders", "sales"), ("orders", "ord", "x"), ("orders", "(.*)", "copy-$1"),
            ("a.b.c", r"(\w+)\.(\w+)\.(\w+)", "$3_$1"), ("orders-2026", r"orders-(\d{4})", "o$1$1"),
            ("orders", "(?<all>.*)", "${all}-x"), ("orders", "(a)?orders", "[$1]"),
            ("orders", ".*", r"\$1"), ("orders", ".*", r"a\\b"), ("orders", "(?i)ORDERS", "found"),
            ("orders", "o(?=r)rders", "ahead"), ("orders", "[a-z&&[^x]]+", "both"),
            ("prefix-orders", "prefix-(.+)", "$1"), ("orders", "(.*)", "$2"), ("orders", "(.*)", "$"),
            ("a1b2", r"([a-z]\d)+", "$1"), ("orders", r"\p{Lower}+", "lower"),
            ("orders", "(.*)", "${nope}"), ("orders", "o|orders", "alt"), ("orders", "(.*)", "$10"),
            ("orders", "(.*)", "x$0x"), ("orders", "orders\\z", "end"), ("ORDERS", "orders", "x"),
            ("a\u00e9", "a\u00e9", "x"), ("orders", r"\Qorders\E", "quoted"),
            ("orders", "o++rders", "possessive"), ("orders", "(?:o)(rders)", "$1")):
        c.add(f"{topic} by `{regex}` to `{replacement}`", "RegexRouter",
              {"regex": regex, "replacement": replacement}, record(ORDER, topic=topic))
    c.add("a tombstone", "RegexRouter", {"regex": ".*", "replacement": "x"}, record(None))
    for wrong in ({"regex": "(", "replacement": "x"}, {"regex": "a"}, {"replacement": "x"},
                  {"regex": "[", "replacement": "x"}, {"regex": "*a", "replacement": "x"}):
        c.add(f"configuration {wrong}", "RegexRouter", wrong, record(ORDER))


def replace_field(c):
    for config in ({"include": "id"}, {"include": "name,id"}, {"exclude": "id"},
                   {"include": "id,name", "exclude": "name"}, {"renames": "id:key"},
                   {"renames": "id:key,name:label"}, {"include": "id", "renames": "id:key"},
                   {"include": "key", "renames": "id:key"}, {"exclude": "id", "renames": "id:key"},
                   {"renames": "id:name,name:id"}, {"renames": "nope:x"}, {"exclude": "nope"},
                   {"include": "nope"}, {"exclude": "id,name,note,amount"}, {}):
        c.every_side(f"{config}", "ReplaceField", config, ORDER)
    c.both("of a whole number", "ReplaceField$Value", {"exclude": "a"}, typed("int32", i(1)))
    c.both("renamed onto another", "ReplaceField$Value", {"renames": "id:name"}, ORDER)
    c.tombstones("ReplaceField", {"exclude": "a"})
    for wrong in ({"renames": "a"}, {"renames": "a:b:c"}, {"renames": "a:"}):
        c.add(f"configuration {wrong}", "ReplaceField$Value", wrong, record(ORDER))


def set_schema_metadata(c):
    for config in ({"schema.name": "order"}, {"schema.version": "3"},
                   {"schema.name": "order", "schema.version": "3"}, {}):
        c.every_side(f"{config}", "SetSchemaMetadata", config, ORDER)
    named = typed(struct(("id", "int32"), name="old", version=1), {"struct": [["id", i(1)]]})
    c.add("over another name", "SetSchemaMetadata$Value", {"schema.name": "new"}, record(named))
    c.both("of a whole number", "SetSchemaMetadata$Value", {"schema.name": "n"},
           typed("int32", i(1)))
    c.tombstones("SetSchemaMetadata", {"schema.name": "order"})
    c.add("a version that is no number", "SetSchemaMetadata$Value", {"schema.version": "x"},
          record(ORDER))


def timestamp_converter(c):
    pattern = "yyyy-MM-dd HH:mm:ss.SSS"
    sources = {
        "Date": (DATE, {"date": 19_000 * DAY}), "Time": (TIME, {"date": 3_723_004}),
        "Timestamp": (TIMESTAMP, {"date": INSTANT}), "early": (TIMESTAMP, {"date": -1_001}),
        "milliseconds": ("int64", long(INSTANT)),
        "text": ("string", s("2023-11-14 22:13:20.123")), "null": (optional(TIMESTAMP), None),
        "null text": (optional("string"), None), "letters": ("string", s("never")),
        "a number": ("int32", i(5)), "boolean": ("boolean", {"boolean": True}),
        "float64": ("float64", {"float64": "1.5"}),
    }
    for target in ("string", "unix", "Date", "Time", "Timestamp"):
        for name, (schema, value) in sources.items():
            data = fields(("a", schema, value), ("b", "int32", i(1)))
            c.both(f"{name} to {target}", "TimestampConverter$Value",
                   {"field": "a", "target.type": target, "format": pattern}, data)
        for name in ("Timestamp", "text", "milliseconds"):
            c.every_side(f"a whole {name} to {target}", "TimestampConverter",
                         {"target.type": target, "format": pattern}, typed(*sources[name]))
    for precision, number in (("seconds", 1_700_000_000), ("milliseconds", INSTANT),
                              ("microseconds", INSTANT * 1000 + 456),
                              ("nanoseconds", INSTANT * 1_000_000 + 456_789), ("seconds", -5)):
        for target in ("string", "unix", "Date", "Time", "Timestamp"):
            c.both(f"{number} {precision} to {target}", "TimestampConverter$Value",
                   {"field": "a", "target.type": target, "format": pattern,
                    "unix.precision": precision}, fields(("a", "int64", long(number))))
        c.both(f"Timestamp to {precision}, {number}", "TimestampConverter$Value",
               {"field": "a", "target.type": "unix", "unix.precision": precision},
               fields(("a", TIMESTAMP, {"date": INSTANT})))
    for text, form in (("2026-11-21T10:20:30Z", "yyyy-MM-dd'T'HH:mm:ss'Z'"),
                       ("21/Nov/2026:10:20:30 +0200", "dd/MMM/yyyy:HH:mm:ss Z"),
                       ("20261121", "yyyyMMdd"), ("11/21/26", "MM/dd/yy"), ("10:20 PM", "hh:mm a"),
                       ("2026-11-21T10:20:30+02:00", "yyyy-MM-dd'T'HH:mm:ssXXX"),
                       ("Sat Nov 21 10:20:30 2026", "EEE MMM dd HH:mm:ss yyyy"),
                       ("2026-325", "yyyy-DDD"), ("21 November 2026", "d MMMM yyyy"),
                       ("2026-11-21 10:20:30 UTC", "yyyy-MM-dd HH:mm:ss z"),
                       ("2026-11-21 trailing", "yyyy-MM-dd"), ("2026-13-41", "yyyy-MM-dd"),
                       ("o'clock 5", "'o''clock' H"), ("2026-11-21T10:20:30.1234", "yyyy-MM-dd'T'HH:mm:ss.SSSS"),
                       ("2026-11-21 24:00", "yyyy-MM-dd kk:mm"), ("0:05 AM", "K:mm a"),
                       ("+2026-1-2", "+yyyy-M-d"), (" 2026-11-21", "yyyy-MM-dd"),
                       ("2026-11-21T10:20:30-05", "yyyy-MM-dd'T'HH:mm:ssX"),
                       ("44 BC", "y G"), ("2026 47 6", "YYYY ww u")):
        c.add(f"`{text}` as `{form}`", "TimestampConverter$Value",
              {"field": "a", "target.type": "Timestamp", "format": form},
              record(fields(("a", "string", s(text)))))
        c.add(f"an instant as `{form}`, beside `{text}`", "TimestampConverter$Value",
              {"field": "a", "target.type": "string", "format": form},
              record(fields(("a", TIMESTAMP, {"date": INSTANT}))))
    c.both("a field that is missing", "TimestampConverter$Value",
           {"field": "nope", "target.type": "unix"}, ORDER)
    c.both("a field of a whole number", "TimestampConverter$Value",
           {"field": "a", "target.type": "unix"}, typed("int64", long(1)))
    c.tombstones("TimestampConverter", {"field": "a", "target.type": "unix"})
    c.add("no whole value", "TimestampConverter$Value",
          {"target.type": "string", "format": pattern}, record(None))
    for wrong in ({}, {"target.type": "nope"}, {"target.type": "string"},
                  {"target.type": "string", "format": "yyyy-bb"},
                  {"target.type": "unix", "unix.precision": "days"},
                  {"target.type": "string", "format": "'open"}):
        c.add(f"configuration {wrong}", "TimestampConverter$Value", {"field": "a", **wrong},
              record(fields(("a", TIMESTAMP, {"date": INSTANT}))))


def timestamp_router(c):
    for config in ({}, {"timestamp.format": "yyyyMM"}, {"topic.format": "x-${timestamp}"},
                   {"topic.format": "${timestamp}.${topic}", "timestamp.format": "yyyy-MM-dd-HH"},
                   {"topic.format": "fixed"}, {"topic.format": "${topic}${topic}"},
                   {"timestamp.format": "YYYY-'W'ww"}, {"timestamp.format": "HHmmss.SSS"}):
        for topic in ("orders", "a.b"):
            c.add(f"{topic} {config}", "TimestampRouter", config, record(ORDER, topic=topic))
    c.add("before 1970", "TimestampRouter", {}, record(ORDER, timestamp=-1))
    c.add("no timestamp", "TimestampRouter", {}, record(ORDER, timestamp=None))
    c.add("a tombstone", "TimestampRouter", {}, record(None))
    c.add("a wrong format", "TimestampRouter", {"timestamp.format": "bbb"}, record(ORDER))


def value_to_key(c):
    for names in ("id", "name,id", "note", "id,amount", "id,id"):
        c.both(f"`{names}`", "ValueToKey", {"fields": names}, ORDER, typed("string", s("old")))
        c.both(f"`{names}` without a key", "ValueToKey", {"fields": names}, ORDER)
    c.both("a field that is missing", "ValueToKey", {"fields": "nope"}, ORDER)
    c.both("a struct", "ValueToKey", {"fields": "a"}, fields(("a", *NESTED)))
    c.both("of a whole number", "ValueToKey", {"fields": "a"}, typed("int32", i(1)))
    c.add("of a tombstone", "ValueToKey", {"fields": "id"}, record(None, typed("string", s("k"))))
    c.add("none named", "ValueToKey", {}, record(ORDER))


def predicates(c):
    headers = [["a", typed("string", s("1"))], ["b", None]]
    for pattern, topic in (("orders", "orders"), ("ord", "orders"), (".*ders", "orders"),
                           ("(?i)ORDERS", "orders"), ("a|orders", "orders"), ("[^x]+", "a.b"),
                           (r"\w+", "a.b"), (r"a\.b", "a.b")):
        c.add(f"`{pattern}` on {topic}", "predicates.TopicNameMatches", {"pattern": pattern},
              record(ORDER, topic=topic))
    for wrong in ({}, {"pattern": ""}, {"pattern": "("}):
        c.add(f"configuration {wrong}", "predicates.TopicNameMatches", wrong, record(ORDER))
    for name in ("a", "b", "c", "A"):
        c.add(f"`{name}`", "predicates.HasHeaderKey", {"name": name}, record(ORDER, headers=headers))
    c.add("without headers", "predicates.HasHeaderKey", {"name": "a"}, record(ORDER))
    for wrong in ({}, {"name": ""}):
        c.add(f"configuration {wrong}", "predicates.HasHeaderKey", wrong, record(ORDER))
    c.add("a value", "predicates.RecordIsTombstone", {}, record(ORDER))
    c.add("no value", "predicates.RecordIsTombstone", {}, record(None, typed("string", s("k"))))
    c.add("neither key nor value", "predicates.RecordIsTombstone", {}, record(None))
    c.add("any", "Filter", {}, record(ORDER))


def paths(c):
    for text in ("a", "a.b.c", "`a.b`.c", "a.`b.c`", "`a`", "a.", ".a", "a`b.c", "`a`b.c`.d", ".",
                 r"`a\`.b`.c", r"`a\\`.b`", "größe.é", "``a`.b", "``.b", "a..b", "`a", "a.`b", r"`a\``",
                 "`", "`a`b", "`a`.", "``", r"a\`.b", "a b.c d", "`a`.`b`"):
        for version in ("V1", "V2"):
            c.all.append({"name": f"path `{text}` {version}", "path": text, "syntax": version})


def cases():
    c = Cases()
    for part in (cast, drop_headers, extract_field, flatten, header_from, hoist_field, insert_field,
                 insert_header, mask_field, regex_router, replace_field, set_schema_metadata,
                 timestamp_converter, timestamp_router, value_to_key, predicates, paths):
        part(c)
    return c.all
