"""A gateway with few open files: crowds of connections lock nobody out."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from devstack.broker import Broker
from gateway.transport.connections import LINGER_S
from tests.gateway import TEXT, Gateway, client_frame, close_code, handshake, request

OPEN_FILES = 300
FOREIGN = handshake("/ws", "Origin: https://evil.example")
CROWDS = {
    "refused": (260, FOREIGN),
    "half a request": (400, b"GET / HTTP/1.1\r\nA: "),
    "silent": (400, b""),
    "idle": (400, request("/healthz")),
    "half a message": (150, handshake() + client_frame(TEXT, b"x" * 60_000)[:50_000]),
}
"""How many connections, and what each sends."""


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that may open few files, and closes incomplete messages soon.

    It waits for requests longer than a test does, so that no place becomes free by itself.
    """
    small = Gateway(broker, "crowds", GATEWAY_MESSAGE_TIMEOUT="0.5", GATEWAY_REQUEST_TIMEOUT="300")
    small.command[:0] = ["prlimit", f"--nofile={OPEN_FILES}:{OPEN_FILES}", "--"]
    async with small:
        yield small


async def answered(gateway: Gateway, sent: bytes, wanted: bytes) -> None:
    """Connect, and wait for an answer; a new client has to get one though nobody leaves."""
    connection = await gateway.open_raw(sent)
    await connection.read_until(lambda received: wanted in received)
    connection.close()


@pytest.mark.parametrize(("count", "sent"), CROWDS.values(), ids=CROWDS)
async def test_a_crowd_locks_no_newcomer_out(gateway: Gateway, count: int, sent: bytes) -> None:
    """More connections than files, and each newcomer is answered."""
    gateway.log.clear()
    async with AsyncExitStack() as stack:
        for number in range(count):
            stack.callback((await gateway.open_raw(sent)).close)
            if number % 50 == 49:
                await answered(gateway, request("/healthz", "Connection: close"), b"200 OK")
                await answered(gateway, handshake(), b'"snapshot"')
    lines = [line for line in gateway.log.lines if "limit reached" in line]
    assert len(lines) <= 10, "a line for each connection"
    assert not [line for line in gateway.log.lines if "out of open files" in line]


async def test_a_refused_connection_lingers_for_a_second(gateway: Gateway) -> None:
    """So that it can read why; then it is ended though it says nothing, so few of them wait."""
    began_s = time.monotonic()
    refused = await gateway.open_raw(FOREIGN)
    await refused.read_until(lambda received: close_code(received) == 4403)
    await refused.read_to_end()
    refused.close()
    assert time.monotonic() - began_s >= LINGER_S
