"""A relay on loopback that cuts tagged fields off a Kafka broker's list of API versions.

librdkafka before 2.2 does not skip such fields as the protocol says. `kafka_relay.py LISTEN TARGET`
"""
import asyncio
import struct
import sys


def varint(data, at):
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return result, at


def without_tags(body):
    """Correlation id, error, a compact array of (key, min, max, tags), throttle time, tags."""
    count, at = varint(body, 6)
    for _ in range(count - 1):
        tags, at = varint(body, at + 6)
        assert tags == 0, "an API version with tagged fields"
    return body[: at + 4] + b"\0"


async def frames(reader):
    while True:
        length = struct.unpack(">i", await reader.readexactly(4))[0]
        yield await reader.readexactly(length)


async def forward(reader, writer, change):
    try:
        async for body in frames(reader):
            body = change(body)
            writer.write(struct.pack(">i", len(body)) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(reader, writer):
    try:
        from_broker, to_broker = await asyncio.open_connection(
            "127.0.0.1", int(sys.argv[2]), limit=1 << 24
        )
    except OSError:
        writer.close()
        return
    pending = {}

    def request(body):
        key, version, correlation = struct.unpack(">hhi", body[:8])
        if key == 18 and version >= 3:
            pending[correlation] = True
        return body

    def response(body):
        (correlation,) = struct.unpack(">i", body[:4])
        return without_tags(body) if pending.pop(correlation, False) else body

    await asyncio.gather(
        forward(reader, to_broker, request), forward(from_broker, writer, response)
    )


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), limit=1 << 24)
    async with server:
        await server.serve_forever()


asyncio.run(main())
