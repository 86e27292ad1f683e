"""The same bytes for many: who takes them, who takes some, and who fails."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from socket import SocketType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout.raw_send import CLOSED_SOCKET, send_to_all

ALL = b"a frame" * 100
MOST = 1 << 22


class Pair:
    """A connection: `near` sends and does not wait, `far` reads."""

    def __init__(self, stack: ExitStack) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.near = stack.enter_context(near)
        stack.enter_context(self.far)
        self.sender: SocketType = SocketType(near.family, near.type, near.proto, near.fileno())
        stack.callback(self.sender.detach)

    def fill(self) -> None:
        """Send until nothing more fits."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.near.send(bytes(65_536))

    def read(self) -> bytes:
        """Read what is there."""
        self.far.setblocking(False)
        try:
            return self.far.recv(MOST)
        except BlockingIOError:
            return b""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


@given(st.lists(st.sampled_from(["reads", "full", "gone", "nowhere", "detached"]), max_size=12))
def test_everyone_is_sent_the_same_and_nobody_is_passed_over(kinds: list[str]) -> None:
    """Whatever happens to those before: the counts are in the order of the sockets."""
    with ExitStack() as stack:
        pairs = [Pair(stack) for _ in kinds]
        for kind, pair in zip(kinds, pairs, strict=True):
            if kind == "full":
                pair.fill()
            elif kind == "gone":
                pair.far.close()
            elif kind == "nowhere":
                pair.sender.detach()
                pair.sender = CLOSED_SOCKET
            elif kind == "detached":
                pair.sender.detach()

        taken = send_to_all(ALL, [pair.sender for pair in pairs])

        assert taken == [len(ALL) if kind == "reads" else 0 for kind in kinds]
        for kind, pair in zip(kinds, pairs, strict=True):
            if kind == "reads":
                assert pair.read() == ALL
            elif kind in ("nowhere", "detached"):
                assert pair.read() == b""


def test_who_takes_only_some_says_how_much(stack: ExitStack) -> None:
    """The rest is its transport's."""
    few, good = Pair(stack), Pair(stack)
    few.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    large = bytes(MOST)

    some, again = send_to_all(large, [few.sender, few.sender])
    (whole,) = send_to_all(ALL, [good.sender])

    assert 0 < some < MOST
    assert again == 0
    assert whole == len(ALL)


def test_nobody_is_nothing() -> None:
    """An group may be empty."""
    assert send_to_all(ALL, []) == []
