"""One browser on the event stream, without a server around it."""

from collections.abc import AsyncGenerator
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from contract.frames import RECONNECT_MS, RESTART
from contract.topics import Topics
from gateway.events import Events
from gateway.hub import Hub
from gateway.live import Live
from gateway.metrics import GatewayMetrics

Stream = AsyncGenerator[bytes, None]


@pytest.fixture
def live() -> Live:
    return Live(Hub("ep", expire_after_ms=1000, history_bytes=0), Topics("p"), GatewayMetrics())


async def begin(live: Live) -> Stream:
    """Ask for the stream; what it sends."""
    scope = {"type": "http", "method": "GET", "path": "/events", "query_string": b"", "headers": []}
    answer = await Events(live, ()).serve(Request(scope))
    assert isinstance(answer, StreamingResponse)
    return cast(Stream, answer.body_iterator)


async def test_a_stream_that_is_left_is_forgotten(live: Live) -> None:
    """Wherever it stood."""
    stream = await begin(live)
    assert len(live.fanout) == 0
    assert (await anext(stream)).startswith(b"retry: ")
    assert b"snapshot" in await anext(stream)
    assert len(live.fanout) == 1

    await stream.aclose()

    assert len(live.fanout) == 0


async def test_a_stream_that_was_being_read_when_the_gateway_leaves_hears_goodbye(
    live: Live,
) -> None:
    """It is told with the next event, and then it ends."""
    stream = await begin(live)
    await anext(stream)
    await anext(stream)
    live.fanout.say_goodbye(RECONNECT_MS, RESTART)

    assert b"goodbye" in await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert len(live.fanout) == 0
