"""A relay on loopback that has a Kafka broker answer readers of what is committed as Apache Kafka does.

    kafka_isolation.py LISTEN TARGET [--without KEY,...] [--refuse TOPIC=CODE,...] [--password WORD]
                       [--shown TOPIC=PARTITIONS] [--control PORT]

The broker behind it (tansu 0.6) writes the markers that end transactions into every partition of the
transaction, also when a successor of the same transactional id ends it, and before the successor's
first record. Yet it never names aborted transactions, so that their records are shown, and its last
stable offset may stay behind for ever once two transactions were open at the same time, although the
markers of both are there. So readers of what is committed are answered from the broker's log:

- Fetch: `last_stable_offset` is where the first open transaction begins, and nothing from there on is
  sent; `aborted_transactions` are those whose marker says so. The client leaves their records out.
- ListOffsets: the latest offset is the last stable one, or the end for `read_uncommitted`.

- AlterConfigs, which this broker does not know: what is given is set, by IncrementalAlterConfigs. What
  is not given stays as it is, where Apache Kafka brings the default back.

Requests of the first two kinds go to the broker as `read_uncommitted`, in versions whose fields have fixed
sizes. The list of versions has no tagged fields, which librdkafka before 2.2 stumbles over, and none of
the kinds of requests in `--without`. All else passes through as it is, except for failures that are
asked for: with `--refuse` the first requests to produce to a topic are answered with these errors, one
each, as late as after the next answer to another of that kind, and the broker does not see them; with `--password` clients say this word by SASL PLAIN or are
refused. What was done to topics is in kafka_topics.py. Who connects to `--control` and says `down` has all
connections closed and none accepted, with `frozen` nothing passes any more, until somebody says `up`.
"""

import argparse
import asyncio
import collections
import struct

import kafka_topics
from kafka_gate import Gate
from kafka_topics import FETCH, LIST_OFFSETS, METADATA, OUT_OF_RANGE, PRODUCE, UNKNOWN, text

DELETE_TOPICS = kafka_topics.DELETE_TOPICS
HANDSHAKE, VERSIONS, AUTHENTICATE = 17, 18, 36
ALTER, ALTER_INCREMENTALLY = 33, 44
# The last ones before fields became compact.
NEWEST = {PRODUCE: 8, FETCH: 11, LIST_OFFSETS: 5, **kafka_topics.NEWEST}
LATEST, EARLIEST = -1, -2
LIMIT = 1 << 26


class Fields:
    """Reads the fields of a message one by one."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, layout):
        values = struct.unpack_from(">" + layout, self.data, self.at)
        self.at += struct.calcsize(">" + layout)
        return values if len(values) > 1 else values[0]

    def bytes(self, layout="i"):
        size = max(self.take(layout), 0)
        self.at += size
        return self.data[self.at - size:self.at]

    def varint(self):
        result = shift = 0
        while True:
            byte = self.take("B")
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return result


def varint(number):
    result = bytearray()
    while number > 127:
        result.append(number & 127 | 128)
        number >>= 7
    return bytes(result) + bytes([number])


async def frame(reader):
    size = struct.unpack(">i", await reader.readexactly(4))[0]
    return await reader.readexactly(size)


def framed(data):
    return struct.pack(">i", len(data)) + data


Batch = collections.namedtuple("Batch", "first last bytes producer transactional control")


def batches(data):
    """The whole batches of a record set, version 2."""
    at = 0
    while at + 61 <= len(data):
        first, length = struct.unpack_from(">qi", data, at)
        if at + 12 + length > len(data):
            break
        attributes, last = struct.unpack_from(">hi", data, at + 21)
        producer, = struct.unpack_from(">q", data, at + 43)
        yield Batch(first, first + last, data[at:at + 12 + length], producer,
                    bool(attributes & 16), bool(attributes & 32))
        at += 12 + length


def is_commit(batch):
    """What a marker says: its key is a version and then 0 for aborted, 1 for committed."""
    fields = Fields(batch.bytes, 61)
    fields.varint()
    fields.take("b")
    for _ in range(3):
        fields.varint()
    return fields.take("hh")[1] == 1


class Partition:
    """What the transactions in a partition of the broker have come to."""

    def __init__(self):
        self.next = 0
        self.open = {}
        self.aborted = []
        self.turn = asyncio.Lock()

    @property
    def stable(self):
        """Where the first transaction that is open begins, or the end."""
        return min(self.open.values(), default=self.next)

    def note(self, batch):
        if batch.last < self.next:
            return
        self.next = batch.last + 1
        if batch.control:
            first = self.open.pop(batch.producer, None)
            if not is_commit(batch) and first is not None:
                self.aborted.append((batch.producer, first, batch.last))
        elif batch.transactional:
            self.open.setdefault(batch.producer, batch.first)

    def visible(self, records, stable):
        """Of a record set what is stable, and which aborted transactions have a part in it."""
        shown = [batch for batch in batches(records) if batch.last < stable]
        if not shown:
            return [], b""
        first, last = shown[0].first, shown[-1].last
        named = [(producer, begin) for producer, begin, end in self.aborted
                 if end >= first and begin <= last]
        return named, b"".join(batch.bytes for batch in shown)


class Broker:
    """The broker, as asked by the relay itself."""

    def __init__(self, port, topics):
        self.port, self.topics = port, topics
        self.partitions = collections.defaultdict(Partition)
        self.turn = asyncio.Lock()
        self.streams = None

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port, limit=LIMIT)

    async def fetch(self, topic, number, offset):
        """Fetch, version 4, of everything; returns (error, high watermark, records)."""
        body = struct.pack(">hhih", FETCH, 4, 1, -1) + struct.pack(
            ">iiiibi", -1, 20, 1, 1 << 24, 0, 1) + text(topic) + struct.pack(
            ">iiqi", 1, number, offset, 1 << 24)
        async with self.turn:
            while True:
                if self.streams is None:
                    self.streams = await self.connect()
                reader, writer = self.streams
                writer.write(framed(body))
                fields = Fields(await frame(reader), 8)
                # A broker that had no time to look says nothing.
                if fields.take("i") > 0:
                    break
        fields.bytes("h")
        _, _, error, high, _ = fields.take("iihqq")
        for _ in range(max(fields.take("i"), 0)):
            fields.take("qq")
        return error, high, fields.bytes()

    async def follow(self, topic, number, least=None):
        """Reads on to the end of a partition, or as far as needed; `None` where there is none."""
        partition = self.partitions[topic, number]
        async with partition.turn:
            while least is None or partition.next < least:
                error, high, data = await self.fetch(topic, number, partition.next)
                if error:
                    return None
                for batch in batches(data):
                    partition.note(batch)
                if partition.next >= high:
                    break
        return partition

    async def fetched(self, answer, version, is_committed):
        """An answer to Fetch as Kafka would give it, and whether all that it had was cut away."""
        fields, result = Fields(answer), bytearray()

        def copy(layout):
            start = fields.at
            values = fields.take(layout)
            result.extend(answer[start:fields.at])
            return values

        copy("ii" if version < 7 else "iihi")
        cut = kept = 0
        for _ in range(copy("i")):
            topic = fields.bytes("h")
            result.extend(text(topic))
            for _ in range(copy("i")):
                number, error = copy("ih")
                high, stable = fields.take("qq")
                start = fields.take("q") if version > 4 else None
                aborted = [fields.take("qq") for _ in range(max(fields.take("i"), 0))]
                replica = fields.take("i") if version > 10 else None
                records = fields.bytes()
                first = self.topics.starts[topic, number]
                if topic in self.topics.deleted:
                    error, high, stable, records = UNKNOWN, -1, -1, b""
                elif next((batch.last for batch in batches(records)), first) < first:
                    error, records = OUT_OF_RANGE, b""
                if error:
                    struct.pack_into(">h", result, len(result) - 2, error)
                start = start and max(start, first)
                if is_committed and not error:
                    before = len(records)
                    partition = await self.follow(topic, number, high)
                    # Deleted meanwhile: the next answer says so.
                    stable = min(partition.stable, high) if partition else high
                    aborted, records = partition.visible(records, stable) if partition else ([], b"")
                    cut += before - len(records)
                kept += len(records)
                result += struct.pack(">qq", high, stable)
                result += b"" if start is None else struct.pack(">q", start)
                result += struct.pack(">i", len(aborted))
                for producer, first in aborted:
                    result += struct.pack(">qq", producer, first)
                result += b"" if replica is None else struct.pack(">i", replica)
                result += framed(records)
        return bytes(result) + answer[fields.at:], cut > 0 and kept == 0

    async def offsets(self, answer, version, is_committed, wanted):
        """An answer to ListOffsets; `wanted` is what was asked for of each partition."""
        fields, result = Fields(answer), bytearray(answer)
        fields.take("ii" if version > 1 else "i")
        for _ in range(fields.take("i")):
            topic = fields.bytes("h")
            for _ in range(fields.take("i")):
                number, error, _ = fields.take("ihq")
                place = fields.at
                fields.take("qi" if version > 3 else "q")
                if topic in self.topics.deleted:
                    struct.pack_into(">h", result, place - 10, UNKNOWN)
                elif not error and wanted.get((topic, number)) == EARLIEST:
                    first = max(self.topics.starts[topic, number],
                                struct.unpack_from(">q", result, place)[0])
                    struct.pack_into(">q", result, place, first)
                if error or wanted.get((topic, number)) != LATEST:
                    continue
                partition = await self.follow(topic, number)
                if partition:
                    end = partition.stable if is_committed else partition.next
                    struct.pack_into(">q", result, place, end)
        return bytes(result)


def altered(body, start):
    """AlterConfigs, version 0, as IncrementalAlterConfigs: each setting has what to do before its value."""
    fields = Fields(body, start)
    count = fields.take("i")
    result = struct.pack(">hh", ALTER_INCREMENTALLY, 0) + body[4:start] + struct.pack(">i", count)
    for _ in range(count):
        kind, name = fields.take("b"), fields.bytes("h")
        settings = fields.take("i")
        result += struct.pack(">b", kind) + text(name) + struct.pack(">i", settings)
        for _ in range(settings):
            result += text(fields.bytes("h")) + b"\0" + text(fields.bytes("h"))
    return result + body[fields.at:]


class Connection:
    """A client's connection, and one of its own to the broker."""

    def __init__(self, broker, options):
        self.broker, self.options = broker, options
        self.is_trusted = options.password is None
        self.pending = {}

    def answer(self, body):
        """The answer to a request that the broker is not to see, or `None`; and whether it is late."""
        key, version, correlation, name = struct.unpack_from(">hhih", body)
        fields = Fields(body, 10 + max(name, 0))
        answer = None
        if key == PRODUCE:
            answer = self.refusal(fields)
            if answer:
                self.options.produced.clear()
        elif key == HANDSHAKE and not self.is_trusted:
            answer = struct.pack(">hi", 0, 1) + text(b"PLAIN")
        elif key == AUTHENTICATE and not self.is_trusted:
            self.is_trusted = fields.bytes().split(b"\0")[-1] == self.options.password.encode()
            why = b"" if self.is_trusted else b"who are you?"
            answer = struct.pack(">h", 0 if self.is_trusted else 58) + text(why) + bytes(4)
            answer += bytes(8 if version > 0 else 0)
        elif key != VERSIONS and not self.is_trusted:
            raise ConnectionError("a request of somebody unknown")
        if answer is None:
            answer = self.broker.topics.answer(key, Fields(body, 10 + max(name, 0)))
            return answer and struct.pack(">i", correlation) + answer, False
        return answer and struct.pack(">i", correlation) + answer, key == PRODUCE

    def refusal(self, fields):
        fields.bytes("h")
        fields.take("hi")
        result, code = b"", None
        count = fields.take("i")
        for _ in range(count):
            topic = fields.bytes("h")
            codes = self.options.refuse.get(topic.decode())
            if codes:
                code = codes.pop(0)
            parts = b""
            numbers = fields.take("i")
            for _ in range(numbers):
                number = fields.take("i")
                fields.bytes()
                parts += struct.pack(">ihqqqih", number, code or 0, -1, -1, -1, 0, -1)
            result += text(topic) + struct.pack(">i", numbers) + parts
        return None if code is None else struct.pack(">i", count) + result + bytes(4)

    def request(self, body):
        key, version, correlation, name = struct.unpack_from(">hhih", body)
        start = 10 + max(name, 0)
        self.broker.topics.note(key, Fields(body, start))
        if key == PRODUCE:
            self.pending[correlation] = self.produced
        elif key == ALTER:
            body = altered(body, start)
        elif key == DELETE_TOPICS:
            self.pending[correlation] = self.deleted
        elif key == METADATA:
            self.pending[correlation] = lambda answer: self.metadata(answer, version)
        elif key == VERSIONS:
            self.pending[correlation] = lambda answer: self.versions(answer, version)
        elif key == FETCH and version > 3:
            wait, place = struct.unpack_from(">i", body, start + 4)[0], start + 16
            is_committed = body[place] == 1
            body = body[:place] + b"\0" + body[place + 1:]
            self.pending[correlation] = lambda answer: self.fetch(
                answer, version, is_committed, wait)
        elif key == LIST_OFFSETS and version > 0:
            place = start + 4
            is_committed = version > 1 and body[place] == 1
            if version > 1:
                body = body[:place] + b"\0" + body[place + 1:]
            fields, wanted = Fields(body, place + (version > 1)), {}
            for _ in range(fields.take("i")):
                topic = fields.bytes("h")
                for _ in range(fields.take("i")):
                    number = fields.take("ii" if version > 3 else "i")
                    wanted[topic, number[0] if version > 3 else number] = fields.take("q")
            self.pending[correlation] = lambda answer: self.broker.offsets(
                answer, version, is_committed, wanted)
        return body

    async def response(self, body):
        correlation, = struct.unpack_from(">i", body)
        change = self.pending.pop(correlation, None)
        return await change(body) if change else body

    async def produced(self, answer):
        self.options.produced.set()
        return answer

    async def deleted(self, answer):
        # Another topic may have the name next.
        self.broker.partitions.clear()
        return answer

    async def metadata(self, answer, version):
        return self.broker.topics.metadata(answer, Fields(answer, 4), version)

    async def fetch(self, answer, version, is_committed, wait):
        answer, is_cut = await self.broker.fetched(answer, version, is_committed)
        # The broker has not waited for what is hidden, and the client would ask again at once.
        if is_cut:
            await asyncio.sleep(min(wait / 1000, 0.05))
        return answer

    async def versions(self, answer, version):
        """Correlation id, error, an array of (key, least, newest), throttle time."""
        fields, is_compact = Fields(answer, 6), version > 2
        count = fields.varint() - 1 if is_compact else fields.take("i")
        kinds = []
        for _ in range(count):
            key, least, newest = fields.take("hhh")
            if is_compact and fields.varint():
                raise ValueError("a version with tagged fields")
            own = {HANDSHAKE, AUTHENTICATE, ALTER, *kafka_topics.ANSWERED}
            if key not in self.options.without | own:
                kinds.append(struct.pack(">hhh", key, least, min(newest, NEWEST.get(key, newest))))
        kinds.append(struct.pack(">hhh", ALTER, 0, 0))
        if self.options.password is not None:
            kinds += [struct.pack(">hhh", HANDSHAKE, 0, 1), struct.pack(">hhh", AUTHENTICATE, 0, 1)]
        kinds += [struct.pack(">hhh", key, 0, newest) for key, newest in
                  kafka_topics.ANSWERED.items() if key not in self.options.without]
        tag = b"\0" if is_compact else b""
        length = varint(len(kinds) + 1) if is_compact else struct.pack(">i", len(kinds))
        throttle = answer[fields.at:fields.at + (4 if version > 0 else 0)]
        return answer[:6] + length + b"".join(kind + tag for kind in kinds) + throttle + tag


async def forward(source, target, change, gate):
    """Sends on what comes; `change` may keep it by returning nothing."""
    try:
        while True:
            data = await change(await frame(source))
            await gate.passes.wait()
            if data:
                target.write(framed(data))
                await target.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        target.close()


async def serve(connection, reader, writer, gate):
    async def request(body):
        answer, is_late = connection.answer(body)
        if answer is None:
            return connection.request(body)
        if is_late:
            late.append(asyncio.create_task(refuse(answer)))
        else:
            writer.write(framed(answer))

    async def refuse(answer):
        try:
            await asyncio.wait_for(connection.options.produced.wait(), 2)
        except asyncio.TimeoutError:
            pass
        writer.write(framed(answer))

    late = []

    try:
        from_broker, to_broker = await connection.broker.connect()
    except OSError:
        writer.close()
        return
    await asyncio.gather(forward(reader, to_broker, request, gate),
                         forward(from_broker, writer, connection.response, gate))


def refusals(argument):
    topic, codes = argument.rsplit("=", 1)
    return topic, [int(code) for code in codes.split(",")]


def numbered(argument):
    topic, number = argument.rsplit("=", 1)
    return topic, int(number)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("listen", type=int)
    parser.add_argument("target", type=int)
    parser.add_argument("--without", type=lambda text: {int(key) for key in text.split(",")},
                        default=set())
    parser.add_argument("--refuse", type=refusals, action="append", default=[])
    parser.add_argument("--password")
    parser.add_argument("--shown", type=numbered, action="append", default=[])
    parser.add_argument("--control", type=int)
    options = parser.parse_args()
    options.refuse = dict(options.refuse)
    options.produced = asyncio.Event()
    broker = Broker(options.target, kafka_topics.Topics(options.shown))
    gate = Gate(options.listen, LIMIT, lambda reader, writer: serve(
        Connection(broker, options), reader, writer, gate))
    await gate.open()
    if options.control:
        await asyncio.start_server(gate.control, "127.0.0.1", options.control)
    await asyncio.Event().wait()


asyncio.run(main())
