"""The gateway's WebSocket beside others: the same said to uvicorn's own, and by a real client."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from contract.frames import BAD_MESSAGE, MAX_REQUEST_BYTES, Ping, decode_request
from runtime.server import listen, serve_until
from tests.gateway import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    client_frame,
    close_code,
    handshake,
    parse_frames,
)
from tests.hypothesis_profiles import examples
from tests.unit.gateway.servers import serving
from tests.waiting import until

CONT, PONG = 0, 10


async def plain(browser: WebSocket) -> None:
    """The contract's pings and faults, as an application on uvicorn's own protocol has them."""
    await browser.accept()
    await browser.send_text('{"type":"snapshot"}')
    try:
        while True:
            message = await browser.receive()
            if message["type"] == "websocket.disconnect":
                return
            asked = decode_request(message["text"]) if message.get("text") is not None else "binary"
            if isinstance(asked, Ping):
                await browser.send_text(json.dumps({"type": "pong", "sent": asked.sent}))
            elif isinstance(asked, str):
                await browser.send_text(json.dumps({"type": "error", "code": BAD_MESSAGE}))
                await browser.close(BAD_MESSAGE)
                return
    except (WebSocketDisconnect, RuntimeError):
        pass


@asynccontextmanager
async def uvicorns_own() -> AsyncIterator[int]:
    """A server with uvicorn's own WebSocket; its port."""
    listener = listen("127.0.0.1", 0, "PORT")
    stopping = asyncio.Event()
    app = Starlette(routes=[WebSocketRoute("/ws", plain)])
    options: dict[str, Any] = {"ws": "websockets-sansio", "ws_max_size": MAX_REQUEST_BYTES}
    serve = asyncio.ensure_future(serve_until(app, listener, stopping, **options))
    try:
        yield listener.getsockname()[1]
    finally:
        stopping.set()
        async with asyncio.timeout(10):
            await serve


async def say(port: int, frames: list[bytes]) -> list[tuple[object, object]]:
    """Say something after the first frame; what came back until the end, in short."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, handshake())
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:
                got += await loop.sock_recv(client, 1 << 16)
            try:
                for frame in frames:
                    await loop.sock_sendall(client, frame)
                    await asyncio.sleep(0)
                while close_code(got) is None and not any(o == CLOSE for o, _ in parse_frames(got)):
                    data = await loop.sock_recv(client, 1 << 16)
                    if not data:
                        break
                    got += data
            except ConnectionError:
                pass
    said: list[tuple[object, object]] = []
    for opcode, payload in parse_frames(got)[1:]:
        if opcode == TEXT:
            message = msgspec.json.decode(payload)
            said.append((message["type"], message.get("sent", message.get("code"))))
        elif opcode == CLOSE:
            said.append(("close", struct.unpack("!H", payload[:2])[0] if payload else None))
        else:
            said.append((opcode, payload))
    return said


def fragments(number: int, cuts: list[int]) -> list[bytes]:
    """A ping of the contract, cut into frames."""
    text = b'{"type":"ping","sent":%d}' % number
    at = sorted({cut % len(text) for cut in cuts} - {0})
    parts = [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)]
    return [
        client_frame(TEXT if place == 0 else CONT, part, fin=place == len(parts) - 1)
        for place, part in enumerate(parts)
    ]


asked = st.builds(fragments, st.integers(0, 999), st.lists(st.integers(1, 30), max_size=3))
pinged = st.binary(max_size=125).map(lambda payload: [client_frame(PING, payload)])
ponged = st.binary(max_size=125).map(lambda payload: [client_frame(PONG, payload)])
wrong = st.sampled_from(
    [
        client_frame(BINARY, b"x"),
        client_frame(TEXT, b"nonsense"),
        client_frame(TEXT, b"{}", mask=False),
        client_frame(CONT, b"x"),
        client_frame(3, b""),
        b"\xf1\x80\0\0\0\0",
        client_frame(PING, b"x" * 126),
        client_frame(CLOSE, b"\x03"),
        client_frame(CLOSE, b"\x03\xec"),
        b"\x81\xff" + b"\x7f" * 12,
    ]
).map(lambda frame: [frame])
closes = st.sampled_from([b"", b"\x03\xe8", b"\x03\xe9bye", b"\x0f\xa1"]).map(
    lambda payload: [client_frame(CLOSE, payload)]
)
scripts = st.tuples(
    st.lists(st.one_of(asked, pinged, ponged), max_size=6), st.one_of(closes, wrong)
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts)
def test_a_script_is_answered_as_by_uvicorns_own(
    script: tuple[list[list[bytes]], list[bytes]],
) -> None:
    """Answers and pongs each in their order, and the same close."""
    before, last = script
    frames = [frame for group in before for frame in group] + last

    async def both() -> list[list[tuple[object, object]]]:
        async with serving() as ours, uvicorns_own() as theirs:
            return [await say(ours.port, frames), await say(theirs, frames)]

    ours, theirs = asyncio.run(both())

    # An application is told of messages by a task of its own: there pongs overtake answers, and
    # what was asked right before a close may not be answered any more. Here all is in order.
    assert of(PONG, ours) == of(PONG, theirs)
    answered = of("pong", theirs)
    assert of("pong", ours)[: len(answered)] == answered
    assert ours[-1] == theirs[-1]


def of(kind: object, said: list[tuple[object, object]]) -> list[tuple[object, object]]:
    """What is of one kind."""
    return [one for one in said if one[0] == kind]


@pytest.fixture
async def client() -> AsyncIterator[tuple[ClientConnection, Any]]:
    """The library's own client, compressing as browsers do, and the server."""
    async with serving() as served:
        address = f"ws://127.0.0.1:{served.port}/ws"
        async with connect(
            address,
            proxy=None,
            extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=True)],
        ) as connection:
            assert json.loads(await connection.recv())["type"] == "snapshot"
            yield connection, served


async def test_a_real_client_asks_in_every_way_it_can(client: tuple[ClientConnection, Any]) -> None:
    """Whole, in fragments, compressed, with pings between."""
    connection, _ = client
    assert [one.name for one in connection.protocol.extensions] == ["permessage-deflate"]
    for number in range(20):
        text = json.dumps({"type": "ping", "sent": number, "pad": "x" * number * 200})
        await connection.send(text if number % 2 else [text[:7], text[7:9], text[9:]])
        waiter = await connection.ping()
        answer = json.loads(await connection.recv())
        assert (answer["type"], answer["sent"]) == ("pong", number)
        await waiter


async def test_a_real_client_inflates_what_is_compressed_once_for_all(
    client: tuple[ClientConnection, Any],
) -> None:
    """Short frames as they are, long ones compressed."""
    connection, served = client
    for pad in (0, 5000, 0, 40_000):
        served.publish(pad=pad)
        update = json.loads(await connection.recv())
        assert update["type"] == "update"
        assert len(update["pillows"][0].get("pad", "")) == pad


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_real_client_closes_cleanly(
    client: tuple[ClientConnection, Any], code: int
) -> None:
    """Its code comes back."""
    connection, served = client
    await connection.close(code, "that was all")
    assert connection.close_code == code
    assert connection.protocol.close_rcvd is not None
    assert connection.protocol.close_rcvd.code == code
    await until(lambda: served.clients == 0, "gone")


async def test_a_real_client_hears_why_it_is_closed(client: tuple[ClientConnection, Any]) -> None:
    """By the frame and by the code."""
    connection, _ = client
    await connection.send("nonsense")
    assert json.loads(await connection.recv())["code"] == 4400
    with pytest.raises(ConnectionClosed):
        await connection.recv()
    assert connection.close_code == 4400
