"""A port that forwards to a server, and can be closed like a network that fails."""

import asyncio
from typing import Self

from devstack import ports
from devstack.port_forward import Forwarder


class Gate:
    """A port in front of a server that can be closed."""

    def __init__(self, upstream: int) -> None:
        self.port = ports.free()
        self._forwarder = Forwarder(ports.HOST, upstream)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Forward connections."""
        self._server = await asyncio.start_server(self._forward, ports.HOST, self.port)

    async def close(self) -> None:
        """Refuse new connections, and end those that are open."""
        assert self._server
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._forwarder.handle(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()
