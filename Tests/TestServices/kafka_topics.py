"""What Apache Kafka does with topics and the broker of the tests does not, for the relay before it.

- A topic that was deleted takes no records, joins no transaction and gives none.
- DeleteRecords moves the beginning of a partition: what is before it cannot be fetched any more.
- CreatePartitions: the broker cannot add partitions, so those beyond the number that `--shown` gives are
  left out of Metadata until a client has asked for them.
"""

import collections
import struct

PRODUCE, FETCH, LIST_OFFSETS, METADATA, CREATE_TOPICS, DELETE_TOPICS = 0, 1, 2, 3, 19, 20
DELETE_RECORDS, ADD_PARTITIONS_TO_TRANSACTION, CREATE_PARTITIONS = 21, 24, 37
# The last versions before fields became compact.
NEWEST = {METADATA: 8, CREATE_TOPICS: 4, DELETE_TOPICS: 3, ADD_PARTITIONS_TO_TRANSACTION: 2}
# The requests that the relay answers itself, with their last versions.
ANSWERED = {DELETE_RECORDS: 1, CREATE_PARTITIONS: 1}
OUT_OF_RANGE, UNKNOWN, NOT_ATTEMPTED, INVALID_PARTITIONS = 1, 3, 55, 37


def text(data):
    return struct.pack(">h", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Topics:
    def __init__(self, shown):
        self.shown = {name.encode(): count for name, count in shown}
        self.deleted = set()
        self.starts = collections.defaultdict(int)

    def note(self, key, fields):
        """Notes what a request on its way to the broker does to topics."""
        if key == DELETE_TOPICS:
            self.deleted |= {fields.bytes("h") for _ in range(fields.take("i"))}
        elif key == CREATE_TOPICS:
            for _ in range(fields.take("i")):
                name = fields.bytes("h")
                self.deleted.discard(name)
                self.starts = collections.defaultdict(int, {
                    place: start for place, start in self.starts.items() if place[0] != name})
                fields.take("ih")
                for _ in range(fields.take("i")):
                    fields.take("i")
                    for _ in range(fields.take("i")):
                        fields.take("i")
                for _ in range(fields.take("i")):
                    fields.bytes("h")
                    fields.bytes("h")

    def answer(self, key, fields):
        """The answer to a request that the broker is not to see, or `None`."""
        if key == PRODUCE and self.deleted:
            return self.produce(fields)
        if key == ADD_PARTITIONS_TO_TRANSACTION and self.deleted:
            return self.add_partitions(fields)
        if key == DELETE_RECORDS:
            return self.delete_records(fields)
        if key == CREATE_PARTITIONS:
            return self.create_partitions(fields)
        return None

    def produce(self, fields):
        fields.bytes("h")
        fields.take("hi")
        topics, names = [], set()
        for _ in range(fields.take("i")):
            name, parts = fields.bytes("h"), []
            for _ in range(fields.take("i")):
                number = fields.take("i")
                fields.bytes()
                parts.append(struct.pack(">ihqqqih", number, UNKNOWN, -1, -1, -1, 0, -1))
            names.add(name)
            topics.append(text(name) + array(parts))
        # Clients send a partition at a time.
        return array(topics) + bytes(4) if names <= self.deleted else None

    def add_partitions(self, fields):
        fields.bytes("h")
        fields.take("qh")
        topics, names = [], set()
        for _ in range(fields.take("i")):
            name = fields.bytes("h")
            code = UNKNOWN if name in self.deleted else NOT_ATTEMPTED
            names.add(name)
            topics.append(text(name) + array([
                struct.pack(">ih", fields.take("i"), code) for _ in range(fields.take("i"))]))
        return bytes(4) + array(topics) if names & self.deleted else None

    def delete_records(self, fields):
        topics = []
        for _ in range(fields.take("i")):
            name, parts = fields.bytes("h"), []
            for _ in range(fields.take("i")):
                number, offset = fields.take("iq")
                self.starts[name, number] = max(self.starts[name, number], offset)
                parts.append(struct.pack(">iqh", number, offset, 0))
            topics.append(text(name) + array(parts))
        return bytes(4) + array(topics)

    def create_partitions(self, fields):
        topics = []
        for _ in range(fields.take("i")):
            name, count = fields.bytes("h"), fields.take("i")
            for _ in range(max(fields.take("i"), 0)):
                for _ in range(fields.take("i")):
                    fields.take("i")
            is_larger = count > self.shown.get(name, 1 << 31)
            if is_larger:
                self.shown[name] = count
            topics.append(text(name) + struct.pack(">hh", 0 if is_larger else INVALID_PARTITIONS, -1))
        return bytes(4) + array(topics)

    def metadata(self, answer, fields, version):
        """An answer to Metadata, without the partitions that are not there yet."""
        if version > 2:
            fields.take("i")
        for _ in range(fields.take("i")):
            fields.take("i")
            fields.bytes("h")
            fields.take("i")
            if version > 0:
                fields.bytes("h")
        if version > 1:
            fields.bytes("h")
        if version > 0:
            fields.take("i")
        result, done = bytearray(), 0
        for _ in range(fields.take("i")):
            fields.take("h")
            name = fields.bytes("h")
            if version > 0:
                fields.take("b")
            place, kept = fields.at, []
            count = fields.take("i")
            for _ in range(count):
                start = fields.at
                number = fields.take("hii")[1]
                if version > 6:
                    fields.take("i")
                for _ in range(3 if version > 4 else 2):
                    for _ in range(fields.take("i")):
                        fields.take("i")
                if number < self.shown.get(name, count):
                    kept.append(answer[start:fields.at])
            result += answer[done:place] + array(kept)
            done = fields.at
            if version > 7:
                fields.take("i")
        return bytes(result) + answer[done:]
