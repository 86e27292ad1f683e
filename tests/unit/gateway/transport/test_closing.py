"""How a WebSocket ends on a real socket."""

import asyncio
import logging
import socket

import pytest

from gateway.transport import connections
from gateway.transport.connections import Stage
from tests.gateway import CLOSE, TEXT, client_frame, close_code
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until

TOO_LONG = b"\x81\xff" + b"\x7f" * 12


async def test_a_protocol_fault_is_not_logged_and_closed_with_its_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One fault of each code; test_rfc6455 has all faults."""
    faults = {b"\x81\x82\0\0\0\0\xff\xfe": 1007, b"\xf1\x80\0\0\0\0": 1002, TOO_LONG: 1009}
    with caplog.at_level(logging.WARNING):
        async with serving() as served:
            for frame, code in faults.items():
                async with served.dial() as client:
                    await asyncio.get_running_loop().sock_sendall(client, frame)
                    assert close_code(await read_until_closed(client)) == code
                await until(lambda: served.clients == 0, "unregistered")

    assert caplog.records == []


async def read_until_closed(plain: socket.socket) -> bytes:
    """Return everything until a close frame."""
    got = b""
    async with asyncio.timeout(10):
        while close_code(got) is None:
            data = await asyncio.get_running_loop().sock_recv(plain, 1 << 16)
            assert data, "ended without a close frame"
            got += data
    return got


@pytest.mark.parametrize(("fault", "code"), [(TOO_LONG, 1009), (b"\x81\x82\0\0\0\0\xff\xfe", 1007)])
async def test_a_client_is_read_from_after_a_fault_until_it_has_the_code(
    fault: bytes, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed with unread data, TCP would send a reset, which discards the close frame."""
    monkeypatch.setattr(connections, "LINGER_S", 5.0)
    async with serving() as served, served.dial() as client:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, fault)
        for _ in range(20):
            await loop.sock_sendall(client, client_frame(TEXT, b"x" * 50_000))
        client.shutdown(socket.SHUT_WR)
        got = await read_to_end(client)

    assert close_code(got) == code


async def test_a_client_that_does_not_answer_a_close_is_aborted_after_linger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The closing handshake has a deadline."""
    monkeypatch.setattr(connections, "LINGER_S", 0.3)
    async with serving() as served, served.dial() as client:
        await asyncio.get_running_loop().sock_sendall(client, client_frame(TEXT, b"garbage"))
        await until(lambda: served.registry.count(Stage.CLOSING) == 1, "refused")
        assert served.clients == 0
        await until(lambda: len(served.registry) == 0, "aborted")


async def test_the_server_closes_tcp_after_both_close_frames() -> None:
    """RFC 6455 §7.1.1: so the client's side holds no port in TIME_WAIT."""
    async with serving() as served, served.dial() as client:
        await asyncio.get_running_loop().sock_sendall(client, client_frame(CLOSE, b"\x03\xe8"))
        got = await read_to_end(client)  # returns when the server has closed
    assert close_code(got) == 1000


async def test_a_client_that_ends_tcp_without_a_close_is_unregistered() -> None:
    """And is sent no close frame."""
    async with serving() as served, served.dial() as client:
        client.shutdown(socket.SHUT_WR)
        got = await read_to_end(client)
        await until(lambda: served.clients == 0, "unregistered")
    assert close_code(got) is None
