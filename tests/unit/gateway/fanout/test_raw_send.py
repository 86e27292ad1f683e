"""Raw sends against `transport.write`, and what each kind of descriptor takes."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fanout.encoding import Encoding
from gateway.fanout.raw_send import NO_DESCRIPTOR, send_to_all
from gateway.fanout.subscriptions import Subscriber
from tests.hypothesis_profiles import examples
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update
from tests.waiting import until

DATA = b"a frame" * 100
READ_BYTES = 1 << 22


class Pair:
    """A connection: `near` is written to and does not block, `far` is read from."""

    def __init__(self, stack: ExitStack) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setblocking(False)
        stack.enter_context(self.near)
        stack.enter_context(self.far)
        self.descriptor = self.near.fileno()

    def fill(self) -> None:
        """Write until the system takes no more."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.near.send(bytes(65_536))

    def read(self) -> bytes:
        """Read what has arrived."""
        received = b""
        with contextlib.suppress(BlockingIOError):
            while piece := self.far.recv(READ_BYTES):
                received += piece
        return received


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is closed after the test."""
    with ExitStack() as stack:
        yield stack


@given(st.lists(st.sampled_from(["reading", "full", "closed", "none"]), max_size=12))
def test_each_descriptor_takes_the_bytes_whatever_the_others_do(kinds: list[str]) -> None:
    """The counts are in the order of the descriptors."""
    with ExitStack() as stack:
        pairs = [Pair(stack) for _ in kinds]
        for kind, pair in zip(kinds, pairs, strict=True):
            if kind == "full":
                pair.fill()
            elif kind == "closed":
                pair.far.close()
            elif kind == "none":
                pair.descriptor = NO_DESCRIPTOR

        taken = send_to_all(DATA, [pair.descriptor for pair in pairs])

        assert taken == [len(DATA) if kind == "reading" else 0 for kind in kinds]
        for kind, pair in zip(kinds, pairs, strict=True):
            if kind == "reading":
                assert pair.read() == DATA
            elif kind == "none":
                assert pair.read() == b""


def test_a_descriptor_that_takes_a_part_says_how_much(stack: ExitStack) -> None:
    """The rest goes to its transport."""
    small, large = Pair(stack), bytes(READ_BYTES)
    small.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    part, nothing = send_to_all(large, [small.descriptor, small.descriptor])

    assert 0 < part < len(large)
    assert nothing == 0


def test_no_descriptors_take_nothing() -> None:
    """A group may have no live subscribers."""
    assert send_to_all(DATA, []) == []


class Connection(Subscriber, asyncio.Protocol):
    """A subscriber on a real transport, with or without its descriptor."""

    def __init__(self, core: GatewayCore, *, raw: bool) -> None:
        super().__init__(NO_DESCRIPTOR)
        self.core = core
        self.raw = raw
        self.pauses = 0
        self.descriptor_was_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Subscribe."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=0)
        if self.raw:
            self.descriptor = self.transport.get_extra_info("socket").fileno()
        self.core.dispatcher.subscribe(self, None, Encoding.EVENT, None)

    def write(self, data: bytes | memoryview, /) -> None:
        """Write through the transport."""
        self.transport.write(data)

    def on_caught_up(self, *, closing: bool) -> None:
        """Do nothing."""

    def pause_writing(self) -> None:
        """Count the pauses."""
        self.pauses += 1
        self.core.dispatcher.pause(self)

    def resume_writing(self) -> None:
        """Catch up."""
        self.core.dispatcher.resume(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note whether the descriptor is still this connection's."""
        if self.raw:
            with contextlib.suppress(OSError):
                os.fstat(self.descriptor)
                self.descriptor_was_open = True
        self.core.dispatcher.unsubscribe(self)


async def connect(core: GatewayCore, stack: ExitStack, *, raw: bool) -> tuple[Connection, Pair]:
    """Connect a subscriber to the near end of a pair."""
    pair = Pair(stack)
    pair.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    loop = asyncio.get_running_loop()
    near = pair.near.dup()
    _, connection = await loop.create_unix_connection(lambda: Connection(core, raw=raw), sock=near)
    return connection, pair


steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sampled_from((0, 3000, 30_000))), st.just(("read", 0))
    ),
    max_size=25,
)


@given(steps)
@settings(max_examples=examples(60))
def test_raw_sends_and_transport_writes_deliver_the_same_bytes(
    given: list[tuple[str, int]],
) -> None:
    """And pause a client that does not read at the same moments."""

    async def run() -> None:
        core = GatewayCore(clock=lambda: 1_700_000_000_000)
        with ExitStack() as stack:
            raw, raw_pair = await connect(core, stack, raw=True)
            plain, plain_pair = await connect(core, stack, raw=False)
            await until(lambda: raw.is_live and plain.is_live, "live")
            received = [b"", b""]

            def read() -> None:
                received[0] += raw_pair.read()
                received[1] += plain_pair.read()

            for number, (verb, pad) in enumerate(given):
                if verb == "publish":
                    for seq in range(5 if pad else 1):  # more than the system takes at once
                        core.dispatcher.publish(core.put(update(at=number, seq=seq, pad=pad)))
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    assert raw.is_paused == plain.is_paused
                else:
                    read()
                    await until(lambda: raw.is_paused == plain.is_paused, "resumed alike")
            core.dispatcher.announce_restart()

            def both_have_all() -> bool:
                read()
                return all(b"goodbye" in one for one in received)

            await until(both_have_all, "read all")
            assert received[0] == received[1]
            assert raw.pauses == plain.pauses
            raw.transport.abort()
            plain.transport.abort()
            await until(lambda: core.dispatcher.subscriber_count() == 0, "unsubscribed")
            assert raw.descriptor_was_open, "another socket may have had the descriptor"

    uvloop.run(run())
