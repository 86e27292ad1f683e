"""What the system gathers of a frame before it wakes the gateway."""

import asyncio
import fcntl
import socket
import sys
import termios
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.low_water import GATHERED_BYTES
from gateway.transport.websocket import WebSocketConnection
from tests.gateway import TEXT, client_frame
from tests.hypothesis_profiles import examples
from tests.unit.gateway.servers import Served, read_until, serving
from tests.waiting import until

PING = client_frame(TEXT, b'{"type":"ping","sent":7%b}' % (b" " * 20_000))


def low_water(served: Served) -> int:
    """The low-water mark of the only client's socket."""
    (connection,) = served.connections
    own = connection.transport.get_extra_info("socket")
    mark: int = own.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)
    return mark


def unacknowledged(client: socket.socket) -> int:
    """How much of what a client has sent has not reached the gateway's system."""
    unsent = fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(unsent, sys.byteorder)


async def test_a_byte_within_a_frame_wakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the last one completes the message."""
    calls: list[int] = []
    receive = WebSocketConnection.data_received

    def counted(self: WebSocketConnection, data: bytes) -> None:
        calls.append(len(data))
        receive(self, data)

    monkeypatch.setattr(WebSocketConnection, "data_received", counted)
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial() as client:
        await loop.sock_sendall(client, PING[:100])
        await until(lambda: sum(calls) == 100, "begun")
        assert low_water(served) == 1, "most messages come in one or two pieces"
        await loop.sock_sendall(client, PING[100:200])
        await until(lambda: low_water(served) == GATHERED_BYTES, "gathered")
        del calls[:]
        for at in range(200, 220):
            await loop.sock_sendall(client, PING[at : at + 1])
        await served.wait_until_read()
        assert calls == []
        await loop.sock_sendall(client, PING[220 : len(PING) - 10])
        await until(lambda: low_water(served) <= 10, "the rest is as short as the frame's")
        await loop.sock_sendall(client, PING[-10:])
        assert b'"sent":7' in await read_until(client, b'"pong"')
        assert low_water(served) == 1
        await loop.sock_sendall(client, client_frame(9, b"x"))
        await read_until(client, b"\x8a\x01x")


async def test_a_client_that_leaves_within_a_frame_is_noticed() -> None:
    """By the end of its stream, which does not wait for more bytes."""
    async with serving() as served:
        async with served.dial() as client:
            for end in (100, 200):
                await asyncio.get_running_loop().sock_sendall(client, PING[end - 100 : end])
                await served.wait_until_read()
            await until(lambda: low_water(served) > 1, "gathered")
        await until(lambda: served.clients == 0, "gone")


@settings(max_examples=examples(20))
@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=4),
    st.lists(st.integers(0, 20_000), max_size=8),
)
async def test_every_message_is_answered_however_it_is_cut(
    sizes: list[int], cuts: list[int]
) -> None:
    """On a real socket, where each piece has arrived before the next one is sent."""
    sent = b"".join(
        client_frame(TEXT, b'{"type":"ping","sent":%d%b}' % (number, b" " * size))
        for number, size in enumerate(sizes)
    )
    at = sorted({0, len(sent), *(cut % len(sent) for cut in cuts)})
    async with serving() as served, served.dial(receive_buffer=1 << 16) as client:
        for start, end in pairwise(at):
            await asyncio.get_running_loop().sock_sendall(client, sent[start:end])
            await until(lambda: unacknowledged(client) == 0, "arrived")
            await asyncio.sleep(0)
        got = await read_until(client, b'"sent":%d' % (len(sizes) - 1))
        assert [b'"sent":%d,' % number in got for number in range(len(sizes))] == [True] * len(
            sizes
        )
        await until(lambda: low_water(served) == 1, "as every socket begins")
