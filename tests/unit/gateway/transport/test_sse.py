"""The event stream of an admitted client."""

from tests.gateway import request
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until


async def test_a_closed_stream_is_unregistered_and_unsubscribed() -> None:
    """When the client closes TCP."""
    async with serving() as served:
        async with served.dial(request("/events")):
            await until(lambda: served.clients == 1, "registered")
        await until(lambda: served.clients == 0, "unregistered")
        assert served.core.dispatcher.subscriber_count() == 0


async def test_a_chunk_holds_whole_events_and_the_last_chunk_is_empty() -> None:
    """An HTTP/1.1 response ends with an empty chunk (RFC 9112 §7.1)."""
    async with serving() as served, served.dial(request("/events")) as stream:
        await until(lambda: served.clients == 1, "registered")
        served.publish()
        await until(lambda: served.count("delivered_updates_total") == 1, "delivered")
        served.core.dispatcher.announce_restart()
        got = await read_to_end(stream)

    head, _, rest = got.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    chunks = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        assert rest[int(size, 16) :].startswith(b"\r\n")
        rest = rest[int(size, 16) + 2 :]
    assert chunks[-1] == b""
    assert all(chunk.endswith(b"\n\n") for chunk in chunks[:-1])
    kinds = b"".join(chunks)
    assert kinds.index(b"retry: ") < kinds.index(b'"snapshot"') < kinds.index(b'"goodbye"')
