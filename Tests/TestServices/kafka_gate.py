"""Whether clients reach the broker behind the relay, as somebody else wants it."""

import asyncio


class Gate:
    """Accepts clients on loopback; `passes` is set while what they say goes on."""

    def __init__(self, port, limit, serve):
        self.port, self.limit, self.serve = port, limit, serve
        self.passes = asyncio.Event()
        self.passes.set()
        self.server = None
        self.clients = set()

    async def open(self):
        self.server = await asyncio.start_server(
            self.accept, "127.0.0.1", self.port, limit=self.limit)

    async def accept(self, reader, writer):
        self.clients.add(writer)
        try:
            await self.serve(reader, writer)
        finally:
            self.clients.discard(writer)
            writer.close()

    async def control(self, reader, writer):
        """Does what a line says, and answers when it is done."""
        word = (await reader.readline()).strip()
        if word == b"frozen":
            self.passes.clear()
        elif word == b"down" and self.server:
            self.server.close()
            self.server = None
            for client in list(self.clients):
                client.transport.abort()
        elif word == b"up":
            self.passes.set()
            if not self.server:
                await self.open()
        writer.write(b"done\n")
        writer.close()
