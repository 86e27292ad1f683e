"""Forward TCP connections from published ports to services on an inner network.

A container on an inner network cannot publish a port, so this one, which is on both networks, does
it: `port_forward.py 1883=mosquitto:1883`. It uses the standard library only, because it is the only
file of its image.
"""

import asyncio
import contextlib
import signal
import sys
from typing import Final

MAX_CONNECTIONS: Final = 2_000
"""Above it a new connection is closed at once."""

CONNECT_TIMEOUT_S: Final = 5.0
_PIECE_BYTES: Final = 65_536


class Forwarder:
    """Forwards every connection to one address."""

    def __init__(self, host: str, port: int, max_connections: int = MAX_CONNECTIONS) -> None:
        self._host, self._port = host, port
        self._max = max_connections
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward a connection until one side has closed it."""
        if self.connections >= self._max:
            writer.transport.abort()
            return
        self.connections += 1
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:  # a timeout is one
            print(f"{self._host}:{self._port} cannot be reached: {error}", file=sys.stderr)
            writer.transport.abort()
        else:
            await _exchange((reader, far_writer), (far_reader, writer))
        finally:
            self.connections -= 1


async def _exchange(*directions: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    try:
        async with asyncio.TaskGroup() as copies:
            for reader, writer in directions:
                copies.create_task(_copy(reader, writer))
    except* OSError:
        pass  # one side has gone, so the other one is closed too
    finally:
        for _, writer in directions:
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end; nothing is read while the other side does not."""
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def forward(*pairs: str) -> None:
    """Serve pairs of the form PORT=HOST:PORT until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with contextlib.AsyncExitStack() as servers:
        for pair in pairs:
            port, _, target = pair.partition("=")
            host, _, far_port = target.rpartition(":")
            forwarder = Forwarder(host, int(far_port))
            await servers.enter_async_context(
                await asyncio.start_server(forwarder.handle, "0.0.0.0", int(port))
            )
        await stopping.wait()
        raise SystemExit(0)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(forward(*sys.argv[1:]))
