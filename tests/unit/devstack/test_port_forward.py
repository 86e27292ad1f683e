"""Connections are forwarded byte for byte, end together, and are bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devstack import ports
from devstack.port_forward import Forwarder
from tests.waiting import until


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Return what arrives, after the client has ended its side."""
    writer.write(await reader.read())
    writer.close()


@asynccontextmanager
async def forwarding(forwarder: Forwarder) -> AsyncIterator[int]:
    """Serve a forwarder on a free port."""
    server = await asyncio.start_server(forwarder.handle, ports.HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def target() -> AsyncIterator[int]:
    """The port of a server that echoes."""
    server = await asyncio.start_server(echo, ports.HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def exchange(port: int, data: bytes) -> bytes:
    """Send data, end the side, and return all that comes back; nothing where it is refused."""
    reader, writer = await asyncio.open_connection(ports.HOST, port)
    writer.write(data)
    writer.write_eof()
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_megabyte_passes_in_both_directions(target: int) -> None:
    """The end of one side does not end the other."""
    forwarder = Forwarder(ports.HOST, target)
    data = bytes(range(256)) * 4096

    async with forwarding(forwarder) as port:
        assert await exchange(port, data) == data
        await until(lambda: forwarder.connections == 0, "the end of both sides")


async def test_above_the_limit_a_connection_is_closed_at_once(target: int) -> None:
    """The ones before it stay."""
    async with forwarding(Forwarder(ports.HOST, target, max_connections=1)) as port:
        reader, writer = await asyncio.open_connection(ports.HOST, port)
        writer.write(b"first")
        await writer.drain()
        assert await exchange(port, b"second") == b""
        writer.write_eof()
        async with asyncio.timeout(10):
            assert await reader.read() == b"first"
        writer.close()


async def test_a_target_that_does_not_listen_closes_the_connection(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And is named."""
    closed = ports.free()
    async with forwarding(Forwarder(ports.HOST, closed)) as port:
        assert await exchange(port, b"x") == b""

    assert f"{ports.HOST}:{closed} cannot be reached" in capsys.readouterr().err
