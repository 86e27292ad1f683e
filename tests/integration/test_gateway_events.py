"""Server-Sent Events of a real gateway process, read by an HTTP client."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from contract.frames import RECONNECT_MS
from devstack.broker import Broker
from tests.gateway import TIMEOUT_S, Gateway, Publisher, request, state

PREFIX = "gwsse"


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests that do not end it; its log must have no error."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_EXPIRE_AFTER="86400",
        GATEWAY_ALLOWED_ORIGINS="https://friend.example",
    ) as started:
        yield started
        await started.wait_for_metric('connections{transport="events"}', 0)
        started.assert_log_is_clean()


class Stream:
    """An event stream, parsed as HTML's standard has it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.retry: int | None = None
        self.last_id = ""
        self.data = b""
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, Any]:
        """Return the frame of the next event that is no heartbeat."""
        async with asyncio.timeout(TIMEOUT_S):
            data: list[str] = []
            async for line in self._lines:
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "retry":
                    self.retry = int(value)
                elif field == "id":
                    self.last_id = value
                elif field == "data":
                    data.append(value)
                elif line == "" and data:
                    self.data = "\n".join(data).encode()
                    frame: dict[str, Any] = msgspec.json.decode(self.data)
                    if frame["type"] != "heartbeat":
                        return frame
                    data = []
        raise EOFError


@asynccontextmanager
async def open_stream(gateway: Gateway, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    """Open an event stream."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S) as client,
        client.stream("GET", f"{gateway.url}/events{query}", headers=given) as response,
    ):
        yield Stream(response)


async def test_a_stream_has_a_snapshot_then_updates(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """Each event's id is its frame's cursor; `retry` is the delay before a reconnect."""
    payload = await cloud.publish(state(prefix))
    async with gateway.connect(f"?pillow={prefix}") as client:
        if not (await client.receive())["pillows"]:
            await client.receive()
    async with open_stream(gateway, f"?pillow={prefix}") as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store, no-transform"
        assert stream.response.headers["x-accel-buffering"] == "no"
        snapshot = await stream.next()
        assert (snapshot["type"], snapshot["recovered"]) == ("snapshot", False)
        assert stream.data.endswith(b'"pillows":[' + payload + b"]}")
        assert stream.last_id == snapshot["cursor"]
        assert stream.retry is not None
        assert RECONNECT_MS[0] <= stream.retry <= RECONNECT_MS[1]

        await cloud.publish(state(prefix, "spinning"))
        update = await stream.next()
        assert update["type"] == "update"
        assert stream.last_id == update["cursor"] != snapshot["cursor"]


async def test_a_state_with_line_breaks_is_one_event(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """Line breaks are whitespace in JSON, and end a field in an event stream."""
    async with open_stream(gateway, f"?pillow={prefix}") as stream:
        await stream.next()
        payload = state(prefix).replace(b",", b"\n,\n\n")
        await cloud.publish(payload)

        assert (await stream.next())["pillows"] == [msgspec.json.decode(payload)]
        assert payload in stream.data


@pytest.mark.parametrize("by", ["header", "query", "both"])
async def test_a_stream_is_resumed_by_header_or_query(
    gateway: Gateway, cloud: Publisher, prefix: str, by: str
) -> None:
    """If both are there, by Last-Event-ID, which is newer."""
    one, two = f"{prefix}-1", f"{prefix}-2"
    query = f"?pillow={one}&pillow={two}"
    async with open_stream(gateway, query) as stream:
        beginning = (await stream.next())["cursor"]
        await cloud.publish(state(one))
        await stream.next()
        cursor = stream.last_id
        await cloud.publish(state(two))
        await stream.next()

    headers = {"Last_Event_ID": cursor} if by != "query" else {}
    since = {"query": f"&since={cursor}", "both": f"&since={beginning}", "header": ""}[by]
    async with open_stream(gateway, query + since, **headers) as stream:
        snapshot = await stream.next()

    assert snapshot["recovered"] is True
    assert [update["pillow"] for update in snapshot["pillows"]] == [two]


@pytest.mark.parametrize("cursor", ["garbage", "abcd1234:1", ":"])
async def test_a_cursor_of_another_process_gets_a_whole_snapshot(
    gateway: Gateway, cloud: Publisher, prefix: str, cursor: str
) -> None:
    """As after a restart of the gateway."""
    async with open_stream(gateway, f"?pillow={prefix}") as stream:
        await stream.next()
        await cloud.publish(state(prefix))
        await stream.next()
    async with open_stream(gateway, f"?pillow={prefix}", Last_Event_ID=cursor) as stream:
        snapshot = await stream.next()

    assert snapshot["recovered"] is False
    assert len(snapshot["pillows"]) == 1


async def test_a_stream_has_only_the_pillows_of_its_query(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """Updates and removals."""
    one, two = f"{prefix}-1", f"{prefix}-2"
    async with open_stream(gateway, f"?pillow={two}") as stream:
        await stream.next()
        await cloud.publish(state(one))
        await cloud.publish(state(two))
        assert [update["pillow"] for update in (await stream.next())["pillows"]] == [two]
        await cloud.remove(one)
        await cloud.remove(two)
        removed = await stream.next()
        assert (removed["type"], removed["pillows"]) == ("removed", [two])


async def test_a_bad_query_and_a_foreign_origin_are_refused(gateway: Gateway) -> None:
    """With the reason, and a status after which an EventSource does not reconnect."""
    async with open_stream(gateway, "?pillow=%2B") as stream:
        assert stream.response.status_code == 400
        assert stream.response.headers["content-type"] == "application/problem+json"
    async with open_stream(gateway, Origin="https://evil.example") as stream:
        assert stream.response.status_code == 403
        problem = msgspec.json.decode(await stream.response.aread())
        assert "GATEWAY_ALLOWED_ORIGINS" in problem["detail"]


async def test_an_allowed_origin_may_read_the_stream(gateway: Gateway) -> None:
    """By Access-Control-Allow-Origin."""
    async with open_stream(gateway, Origin="https://friend.example") as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["access-control-allow-origin"] == "https://friend.example"
        assert (await stream.next())["type"] == "snapshot"


async def test_broken_streams_are_unregistered(gateway: Gateway, cloud: Publisher) -> None:
    """By reset, close and half-close, also while they are being written to."""
    for end in ("reset", "close", "half_close"):
        for _ in range(5):
            connection = await gateway.open_raw(request("/events"))
            await connection.read_until(lambda got: b"snapshot" in got)
            getattr(connection, end)()
            connection.close()
    unread = await gateway.open_raw(request("/events"), receive_buffer=4096)
    await cloud.publish_all([state("big", seq=n, pad="x" * 40_000) for n in range(250)])
    unread.reset()
    await cloud.remove("big")

    await gateway.wait_for_metric('connections{transport="events"}', 0)


async def test_a_restart_sends_goodbye_and_ends_the_stream(broker: Broker, prefix: str) -> None:
    """An EventSource reconnects by itself after the delay of `retry`."""
    async with Gateway(broker, prefix) as gateway, contextlib.AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(open_stream(gateway)) for _ in range(5)]
        for stream in streams:
            await stream.next()
        gateway.terminate()
        for stream in streams:
            cursor = stream.last_id
            assert (await stream.next())["type"] == "goodbye"
            assert stream.last_id == cursor
            with pytest.raises(EOFError):
                await stream.next()
        async with asyncio.timeout(TIMEOUT_S):
            assert await gateway.wait() == 0
        gateway.assert_log_is_clean()
