"""How paho's socket is read and written on our loop, with a socket pair and no paho."""

import asyncio
import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import mqtt_socket
from tests.waiting import until


class Paho:
    """Reads as paho does: a little at a time, and closes at the end."""

    def __init__(self, sock: socket.socket) -> None:
        self.got = b""
        self.reads = 0
        self.writes = 0
        self.raises: Exception | None = None
        self.on_socket_open: Any = lambda *_: None
        self.on_socket_register_write: Any = None
        self._sock: socket.socket | None = sock

    def socket(self) -> socket.socket | None:
        return self._sock

    def loop_read(self) -> None:
        self.reads += 1
        if self.raises is not None:
            raise self.raises
        assert self._sock is not None
        try:
            part = self._sock.recv(1)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        self.got += part
        if not part:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def loop_write(self) -> None:
        self.writes += 1


@pytest.fixture
async def pair() -> AsyncIterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one connection."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    number = ours.fileno()
    with ours, theirs:
        yield ours, theirs
        loop = asyncio.get_running_loop()
        loop.remove_reader(number)
        loop.remove_writer(number)


def driven(sock: socket.socket) -> tuple[Paho, Any]:
    """A client of aiomqtt's shape, whose socket has just been opened."""
    paho = Paho(sock)
    client = SimpleNamespace(_client=paho, _disconnected=asyncio.get_running_loop().create_future())
    mqtt_socket.drive(client)
    paho.on_socket_open(paho, None, sock)
    return paho, client


async def test_all_that_is_there_is_read_when_told_once(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """To the very end, which may be what came last."""
    ours, theirs = pair
    paho, _ = driven(ours)
    theirs.sendall(b"hello")
    theirs.close()

    await until(lambda: paho.socket() is None, "the end")

    assert paho.got == b"hello"


async def test_a_flood_does_not_starve_the_loop(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Others have their turn after each piece."""
    ours, theirs = pair
    theirs.sendall(b"x" * 100)
    paho, _ = driven(ours)
    turns: list[int] = []

    def look() -> None:
        turns.append(paho.reads)
        if len(paho.got) < 100:
            asyncio.get_running_loop().call_soon(look)

    look()
    await until(lambda: len(paho.got) == 100, "all of it")

    # In one turn: what is left of the last, and what the loop itself found to read.
    assert all(after - before <= 2 for before, after in pairwise(turns))


async def test_what_reading_raises_ends_the_connection(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """aiomqtt is told, as it would tell itself; once is enough."""
    ours, theirs = pair
    paho, client = driven(ours)
    paho.raises = BrokenPipeError("gone")
    theirs.sendall(b"ab")

    await until(client._disconnected.done, "its end")

    assert client._disconnected.exception() is paho.raises


async def test_a_socket_that_takes_more_is_written_to(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """When paho asks for it."""
    ours, _ = pair
    paho, _ = driven(ours)
    paho.on_socket_register_write(paho, None, ours)

    await until(lambda: paho.writes > 0, "a write")


async def test_a_closed_socket_is_left_alone(pair: tuple[socket.socket, socket.socket]) -> None:
    """Paho may have closed it before the loop comes to it."""
    ours, _ = pair
    ours.close()
    paho, _ = driven(ours)
    paho.on_socket_register_write(paho, None, ours)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (paho.reads, paho.writes) == (0, 0)


async def test_a_socket_whose_end_the_loop_has_seen_is_written_to_at_once(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop refuses to watch it (RuntimeError); paho finds the end itself by writing."""
    ours, _ = pair
    paho, _ = driven(ours)
    await asyncio.sleep(0)

    def refuse(_fd: int, _callback: object) -> None:
        raise RuntimeError("UVPoll closed=True")

    monkeypatch.setattr(asyncio.get_running_loop(), "add_writer", refuse)
    paho.on_socket_register_write(paho, None, ours)

    await until(lambda: paho.writes == 1, "a write")
