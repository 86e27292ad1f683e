"""Clients that read slowly or not at all: what is buffered for them, and what they get."""

import asyncio
import json
import logging
import re
from contextlib import AsyncExitStack
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.frames import Status
from tests.gateway import (
    PING,
    TEXT,
    client_frame,
    close_code,
    handshake,
    parse_frames,
    request,
)
from tests.unit.gateway.servers import Served, read_until, serving
from tests.waiting import until

BIG = 40_000


async def test_of_the_pings_of_a_client_that_does_not_read_only_the_newest_is_answered() -> None:
    """When it reads again; so pings cannot fill memory."""
    async with serving() as served, served.dial() as client:
        loop = asyncio.get_running_loop()
        (connection,) = served.connections
        for number in range(12):
            served.publish(f"cloud-{number}", pad=BIG)
            await asyncio.sleep(0.01)
        await until(lambda: connection.is_paused, "paused")
        before = connection.transport.get_write_buffer_size()
        for number in range(200):
            await loop.sock_sendall(client, client_frame(PING, b"%d" % number + b"p" * 100))
            await loop.sock_sendall(
                client, client_frame(TEXT, b'{"type":"ping","sent":%d}' % number)
            )
        await until(lambda: not connection.has_unprocessed_input, "processed")
        assert connection.transport.get_write_buffer_size() <= before
        got = await read_until(client, b'"pong","sent":199')

    assert got.count(b'"pong"') == 1
    assert got.count(b"p" * 100) == 1


async def test_a_client_that_does_not_read_holds_one_frame_above_its_buffer() -> None:
    """However many updates there are."""
    async with serving() as served, served.dial() as client:
        (connection,) = served.connections
        for number in range(500):
            served.publish(f"cloud-{number % 10}", pad=BIG)
            await asyncio.sleep(0)
        assert connection.is_paused
        assert connection.transport.get_write_buffer_size() < 65_536 + 2 * BIG
        assert client.fileno() > 0


@pytest.mark.parametrize("path", ["/ws", "/events"])
async def test_a_client_that_reads_now_and_then_gets_whole_frames_in_order(path: str) -> None:
    """The system takes a part of a frame; nothing may be written before the rest of it."""
    sent = handshake() if path == "/ws" else request(path)
    async with serving(heartbeat_s=0.1) as served, served.dial(sent) as slow:
        loop = asyncio.get_running_loop()
        got = b""
        async with asyncio.timeout(20):
            for number in range(400):
                served.publish(f"cloud-{number % 9}", pad=BIG if number % 3 else 100)
                if number % 50 == 0:
                    served.core.dispatcher.announce_broker(
                        Status("offline" if number % 100 else "online")
                    )
                got += await loop.sock_recv(slow, 30_000)
                await asyncio.sleep(0)
            served.publish("the-last")
            while not has_whole_last(got, path):
                got += await loop.sock_recv(slow, 1 << 16)
        assert served.count("conflated_total") > 0, "it never stopped reading"

    if path == "/ws":
        frames = [json.loads(payload) for opcode, payload in parse_frames(got) if opcode == TEXT]
    else:
        body = unchunked(got.partition(b"\r\n\r\n")[2])
        data = (line for line in body.split(b"\n") if line.startswith(b"data: "))
        frames = [json.loads(line[6:]) for line in data]
    last: dict[str, str] = {}
    for frame in frames:
        for state in frame.get("pillows", ()):
            assert state["at"] >= last.get(state["pillow"], ""), "a pillow went backwards"
            last[state["pillow"]] = state["at"]
    assert "the-last" in last


def has_whole_last(got: bytes, path: str) -> bool:
    """Return whether the frame with the last pillow has arrived to its end."""
    if path == "/ws":
        return any(b'"the-last"' in payload for _, payload in parse_frames(got))
    return b'"the-last"' in got and got.endswith(b"\n\n\r\n")


def unchunked(body: bytes) -> bytes:
    """Return a response's body without its chunked coding."""
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole += body[: int(size, 16)]
        assert body[int(size, 16) :][:2] == b"\r\n"
        body = body[int(size, 16) + 2 :]
    return whole


async def test_a_response_that_is_still_buffered_precedes_the_upgrade() -> None:
    """A connection that is upgraded while its client does not read starts paused."""
    page = bytes(3_000_000)

    async def large(_request: Request) -> Response:
        return Response(page)

    app = Starlette(routes=[Route("/page", large)])
    async with serving(app=app) as served, served.dial(request("/page")) as slow:
        loop = asyncio.get_running_loop()
        got = await loop.sock_recv(slow, 100)
        await loop.sock_sendall(slow, handshake())
        await until(lambda: served.clients == 1, "registered")
        for number in range(20):
            served.publish(f"cloud-{number}")
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            while b"cloud-19" not in got:
                got += await loop.sock_recv(slow, 1 << 16)

    before, _, after = got.partition(page)
    assert before.startswith(b"HTTP/1.1 200 OK\r\n")
    assert after.startswith(b"HTTP/1.1 101 ")
    assert all(opcode == TEXT for opcode, _ in parse_frames(after))


async def test_an_upgrade_behind_a_small_buffered_response_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A buffer below the HTTP high-water mark pauses the connection in the middle of its upgrade.

    How much the system holds itself differs, so responses of several sizes are tried.
    """

    async def large(request: Request) -> Response:
        return Response(bytes(int(request.query_params["size"])))

    loop = asyncio.get_running_loop()
    app = Starlette(routes=[Route("/page", large)])
    with caplog.at_level(logging.WARNING):
        async with serving(app=app) as served:
            for size in range(80_000, 480_000, 40_000):
                async with served.dial(request(f"/page?size={size}")) as slow:
                    await loop.sock_recv(slow, 100)
                    await loop.sock_sendall(slow, request("/events"))
                    await until(lambda: served.clients == 1, "registered")
                await until(lambda: served.clients == 0, "unregistered")
    assert not caplog.records


@pytest.mark.parametrize("path", ["/ws", "/events"])
async def test_clients_that_never_read_a_large_snapshot_hold_a_piece_each(path: str) -> None:
    """However large the fleet is, and although it changes between two that connect."""
    sent = handshake() if path == "/ws" else request(path)
    async with serving() as served, AsyncExitStack() as clients:
        for number in range(400):
            served.publish(f"cloud-{number}", pad=5_000)
        for number in range(10):
            await clients.enter_async_context(served.dial(sent))
            await until(partial(has_clients, served, number + 1), "registered")
            served.publish(f"cloud-{number}", pad=5_000)
        await until(lambda: all(one.is_paused for one in served.connections), "paused")
        held = [one.transport.get_write_buffer_size() for one in served.connections]

    assert max(held) <= 66_000
    assert not any(one.is_live for one in served.connections)


def has_clients(served: Served, count: int) -> bool:
    """Return whether so many clients are connected."""
    return served.clients == count


async def test_an_event_stream_has_a_large_snapshot_in_events_of_64_kib() -> None:
    """Each has the cursor of its frame as id, also while the fleet changes."""
    loop = asyncio.get_running_loop()
    async with serving() as served, served.dial(request("/events")) as client:
        for number in range(100):
            served.publish(f"cloud-{number}", pad=5_000)
        await until(partial(has_clients, served, 1), "registered")
        got = b""
        async with asyncio.timeout(20):
            while not has_whole_last(got, "/events"):
                got += await loop.sock_recv(client, 1 << 15)
                if b'"more":true' in got and b'"the-last"' not in got:
                    served.publish("cloud-0", pad=5_000)
                    served.publish("the-last")
    body = unchunked(got.partition(b"\r\n\r\n")[2])
    ids = re.findall(rb"^id: (.*)$", body, re.MULTILINE)
    frames = [json.loads(data) for data in re.findall(rb"^data: (.*)$", body, re.MULTILINE)]

    assert [one.decode() for one in ids] == [frame["cursor"] for frame in frames]
    assert max(map(len, re.findall(rb"^data: (.*)$", body, re.MULTILINE))) <= 65_536
    assert len({state["pillow"] for frame in frames for state in frame["pillows"]}) == 101


async def test_subscribe_is_refused_with_4429_above_the_rate() -> None:
    """14 KiB of messages must not give 233 MiB of snapshots."""
    loop = asyncio.get_running_loop()
    message = client_frame(TEXT, b'{"type":"subscribe","pillows":"all"}')
    async with serving() as served, served.dial(receive_buffer=1 << 18) as client:
        for number in range(500):
            served.publish(f"cloud-{number}", pad=2_000)
        got = b""
        async with asyncio.timeout(20):
            while close_code(got) is None:
                await loop.sock_sendall(client, message)
                data = await loop.sock_recv(client, 1 << 20)
                got = data if len(got) > 1 << 22 else got + data
        assert close_code(got) == 4429
        assert served.count("refused_total", code="4429") == 1
        assert served.count("delivered_updates_total") < 500 * 20
