"""A real WebSocket client: that of the `websockets` library, which compresses as browsers do."""

import json
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.unit.gateway.servers import Served, serving
from tests.waiting import until


@pytest.fixture
async def client() -> AsyncIterator[tuple[ClientConnection, Served]]:
    """A client that has its snapshot, and the server."""
    async with serving() as served:
        address = f"ws://127.0.0.1:{served.port}/ws"
        deflate = ClientPerMessageDeflateFactory(client_max_window_bits=True)
        async with connect(address, proxy=None, extensions=[deflate]) as connection:
            assert json.loads(await connection.recv())["type"] == "snapshot"
            yield connection, served


async def test_whole_fragmented_and_compressed_messages_are_answered(
    client: tuple[ClientConnection, Served],
) -> None:
    """With pings between them."""
    connection, _ = client
    assert [one.name for one in connection.protocol.extensions] == ["permessage-deflate"]
    for number in range(20):
        text = json.dumps({"type": "ping", "sent": number, "pad": "x" * number * 200})
        await connection.send(text if number % 2 else [text[:7], text[7:9], text[9:]])
        waiter = await connection.ping()
        answer = json.loads(await connection.recv())
        assert (answer["type"], answer["sent"]) == ("pong", number)
        await waiter


async def test_a_client_inflates_frames_that_are_compressed_once_for_all(
    client: tuple[ClientConnection, Served],
) -> None:
    """Short frames are sent uncompressed, long ones compressed."""
    connection, served = client
    for pad in (0, 5000, 0, 40_000):
        served.publish(pad=pad)
        update = json.loads(await connection.recv())
        assert update["type"] == "update"
        assert len(update["pillows"][0].get("pad", "")) == pad


@pytest.mark.parametrize("code", [1000, 4999])
async def test_the_closing_handshake_completes_with_the_clients_code(
    client: tuple[ClientConnection, Served], code: int
) -> None:
    """And the connection is unregistered."""
    connection, served = client
    await connection.close(code, "done")
    assert connection.close_code == code
    assert connection.protocol.close_rcvd is not None
    assert connection.protocol.close_rcvd.code == code
    await until(lambda: served.clients == 0, "unregistered")


async def test_a_refused_client_receives_the_error_frame_and_the_code(
    client: tuple[ClientConnection, Served],
) -> None:
    """4400 for a bad message."""
    connection, _ = client
    await connection.send("nonsense")
    assert json.loads(await connection.recv())["code"] == 4400
    with pytest.raises(ConnectionClosed):
        await connection.recv()
    assert connection.close_code == 4400
