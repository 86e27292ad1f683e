"""The connection registry: pending connections, limits and shutdown."""

import asyncio
import contextlib
import gc
from contextlib import AsyncExitStack

import pytest

from gateway.transport import connections
from gateway.transport.connection import ClientConnection
from tests.gateway import close_code, handshake, parse_frames, request
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until


async def test_a_connection_without_a_byte_is_closed_after_the_header_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds a file descriptor."""
    monkeypatch.setattr(connections, "REQUEST_HEADER_TIMEOUT_S", 0.2)
    async with serving() as served, served.dial(b"") as silent:
        with contextlib.suppress(ConnectionResetError):
            assert await read_to_end(silent) == b""
        assert served.registry.pending == 0


async def test_the_oldest_pending_connection_is_evicted_above_max_pending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If pending connections and clients together exceed the limit of connections."""
    monkeypatch.setattr(connections, "MAX_PENDING", 2)
    async with serving(max_connections=3) as served, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(served.dial(b"")) for _ in range(3)]
        await until(lambda: served.registry.pending == 3, "connected")
        async with served.dial():
            assert await read_to_end(silent[0]) == b""
            assert served.clients == 1
            assert served.registry.pending == 2


async def test_a_client_above_the_limit_is_refused_with_1013() -> None:
    """With a reason, and the clients that are connected stay."""
    loop = asyncio.get_running_loop()
    async with serving(max_clients=1) as served, served.dial() as first:
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:
                got += await loop.sock_recv(first, 4096)
        async with served.dial(handshake()) as second:
            got = b""
            async with asyncio.timeout(10):
                while close_code(got) is None:
                    got += await loop.sock_recv(second, 4096)
        assert served.core.dispatcher.subscriber_count == 1
        assert served.count("refused_total", code="1013") == 1

    assert close_code(got) == 1013
    assert b"try again later" in parse_frames(got)[0][1]


async def test_close_ends_every_connection_and_those_that_follow() -> None:
    """Pending ones, ordinary ones that are idle, and clients."""
    async with serving() as served, AsyncExitStack() as stack:
        dialled = [
            await stack.enter_async_context(served.dial(sent))
            for sent in (b"", b"GET / HT", handshake(), request("/events"))
        ]
        await until(
            lambda: (served.registry.pending, served.registry.http, served.clients) == (1, 1, 2),
            "connected",
        )

        served.registry.close()

        for connection in dialled:
            with contextlib.suppress(ConnectionResetError):
                await read_to_end(connection)
        async with served.dial(b"") as late:
            with contextlib.suppress(ConnectionResetError):
                assert await read_to_end(late) == b""
        await until(
            lambda: (served.registry.pending, served.registry.http, served.clients) == (0, 0, 0),
            "unregistered",
        )


@pytest.mark.parametrize("sent", [handshake(), request("/events")], ids=["websocket", "events"])
async def test_a_connection_that_cannot_be_registered_is_closed_once(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descriptor that is closed twice may belong to another connection the second time."""

    def fail(_client: ClientConnection) -> None:
        raise ValueError("a bug")

    async with serving() as served:
        monkeypatch.setattr(served.registry, "register", fail)
        async with served.dial(sent) as client:
            with contextlib.suppress(ConnectionResetError):
                assert await read_to_end(client) == b""
        gc.collect()  # an open socket that is freed raises a ResourceWarning, which is an error
