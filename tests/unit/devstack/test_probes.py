"""Probes tell whether a program is ready, and why it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devstack import ports
from devstack.probes import http_answers, mqtt_answers


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[int]:
    """Run a server that sends one answer to anything, and closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    port = ports.free()
    async with await asyncio.start_server(serve, ports.HOST, port):
        yield port


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"\x20\x02\x00\x00", None),
        (b"\x20\x02\x00\x05", "answered CONNECT with b' \\x02\\x00\\x05'"),
        (b"", "no answer on port {port}: 0 bytes read on a total of 4 expected bytes"),
    ],
)
async def test_a_broker_is_ready_when_it_accepts_a_connect(
    answer: bytes, problem: str | None
) -> None:
    async with server(answer) as port:
        found = await mqtt_answers(ports.HOST, port)

    assert found == (problem and problem.format(port=port))


@pytest.mark.parametrize(
    ("answer", "status", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nok", 200, None),
        (b"HTTP/1.1 400 Bad\r\n\r\n", None, None),
        (
            b'HTTP/1.1 503 No\r\n\r\n{"broker": "gone"}\n',
            200,
            '/x answers 503 No: {"broker": "gone"}',
        ),
        (b"SSH-2.0\r\n", None, "answered 'SSH-2.0', which is not HTTP"),
    ],
)
async def test_a_service_is_ready_when_it_answers_with_the_expected_status(
    answer: bytes, status: int | None, problem: str | None
) -> None:
    async with server(answer) as port:
        assert await http_answers(ports.HOST, port, "/x", status=status) == problem


async def test_a_refused_connection_is_no_answer() -> None:
    port = ports.free()

    assert f"no answer on port {port}" in (await http_answers(ports.HOST, port, "/") or "")
