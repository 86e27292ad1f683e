"""Garbage collection: when it happens, and that connections leave nothing to collect."""

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway import garbage
from gateway.garbage import (
    FULL_S,
    IDLE_S,
    MANY_BLOCKS,
    MOST_BLOCKS,
    collect_garbage,
    is_full_due,
)
from tests.gateway import CLOSE, PING, TEXT, client_frame, handshake, request
from tests.unit.gateway.servers import serving
from tests.waiting import until

VISITED = 20

COMPRESSED = handshake().replace(
    b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)

VISITS = {
    "nothing": b"",
    "half of a request": b"GET / HT",
    "a request": request("/"),
    "requests in a row": request("/") * 3,
    "a request that is refused": b"GET / HTTP/1.1\r\nA b\r\n\r\n",
    "a stream of events": request("/events"),
    "a WebSocket": handshake(),
    "a compressed WebSocket": COMPRESSED,
    "a ping and a message": handshake()
    + client_frame(PING, b"x")
    + client_frame(TEXT, b'{"type":"ping","sent":1}'),
    "an unusual WebSocket": handshake().replace(b"\r\n\r\n", b"\r\nX: 1\r\nX: 2\r\n\r\n"),
    "a handshake that is refused": handshake().replace(b"Sec-WebSocket-Key", b"X-Key"),
    "half of a message": handshake() + client_frame(TEXT, b"x" * 50_000)[:30_000],
    "a message that is refused": handshake() + client_frame(TEXT, b"{}"),
    "a frame that is refused": handshake() + client_frame(3, b""),
    "a close": handshake() + client_frame(CLOSE, b"\x03\xe8"),
}


@pytest.fixture
def _uncollected() -> Iterator[None]:
    """Without automatic collections, and without what other tests of this process have left."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@given(
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)).map(sorted),
    st.tuples(st.floats(0, 2), st.floats(0, 2)).map(sorted),
    st.tuples(st.floats(0, 10**6), st.floats(0, 10**6)).map(sorted),
)
def test_more_growth_less_load_and_more_time_never_make_a_full_collection_wait(
    objects: list[int], loads: list[float], passed_s: list[float]
) -> None:
    """It waits for a quiet moment, and not for ever."""
    (fewer, more), (quieter, busier), (sooner, later) = objects, loads, passed_s

    assert is_full_due(more, quieter, later) >= is_full_due(fewer, busier, sooner)
    assert is_full_due(fewer, quieter, later) <= (fewer >= MANY_BLOCKS)
    assert is_full_due(more, busier, later) >= (more >= MOST_BLOCKS and later >= FULL_S)
    assert is_full_due(more, quieter, sooner) <= (sooner >= FULL_S)


class Node:
    """A cycle."""

    def __init__(self) -> None:
        self.cycle = self


@pytest.mark.usefixtures("_uncollected")
async def test_new_cycles_are_collected_at_once_and_old_ones_when_there_is_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else collects them."""
    monkeypatch.setattr(garbage, "MANY_BLOCKS", 50_000)
    monkeypatch.setattr(garbage, "MOST_BLOCKS", 200_000)
    collecting = asyncio.create_task(collect_garbage(full_s=1.0))
    try:
        new = weakref.ref(Node())
        await until(lambda: new() is None, "a new one is collected")
        kept = Node()
        old = weakref.ref(kept)
        await asyncio.sleep(3 * IDLE_S)  # it is no new one any more
        del kept
        for _ in range(4):
            await asyncio.sleep(0.5)
            assert old() is not None, "one alone may wait"
        ballast = [bytes(100) for _ in range(garbage.MOST_BLOCKS)]
        await until(lambda: old() is None, "an old one is collected when there is much")
        del ballast
    finally:
        collecting.cancel()
        with suppress(asyncio.CancelledError):
            await collecting


@pytest.mark.usefixtures("_uncollected")
@pytest.mark.parametrize("sent", VISITS.values(), ids=VISITS)
async def test_a_visit_leaves_nothing_to_collect(sent: bytes) -> None:
    """What a closed connection had is freed when it is closed; a first one may fill a cache."""

    async def endpoint(_received: Request) -> Response:
        return PlainTextResponse("all")

    def left() -> Counter[str]:
        return Counter(type(one).__name__ for one in gc.get_objects())

    app = Starlette(routes=[Route("/", endpoint)])
    async with serving(app=app) as served:

        async def visit() -> None:
            async with served.dial(sent):
                await served.wait_until_read()
            await until(lambda: not len(served.registry), "closed")

        for _ in range(2 * VISITED):
            await visit()
        gc.collect()
        for _ in range(VISITED):
            await visit()
        await asyncio.sleep(0)
        before = left()
        gc.collect()
        collected = before - left()
        assert [kind for kind, number in collected.items() if number >= VISITED] == []
