"""What a gateway tells everybody: no broker, no version, no fault."""

from collections.abc import AsyncIterator
from importlib.metadata import distributions

import pytest

from devstack import ports
from devstack.broker import Broker
from tests.gateway import TEXT, Gateway, client_frame, handshake, request

OF_THE_DEPLOYMENT = (
    "mosquitto",
    "secretprefix",
    "secret-instance",
    "mqtt://",
    "connection refused",
)
"""What only operators should know; the broker's address is added."""

LIBRARIES = ("uvicorn", "starlette", "httptools", "websockets/", "paho", "python/", "traceback")

ANSWERED = {
    "the page": request("/", "Connection: close"),
    "the client": request("/pillowcast.js", "Connection: close"),
    "the element": request("/embed.js", "Connection: close"),
    "health": request("/healthz", "Connection: close"),
    "readiness": request("/readyz", "Connection: close"),
    "metrics": request("/metrics", "Connection: close"),
    "the API": request("/api/pillows", "Connection: close"),
    "an unknown pillow": request("/api/pillows/x", "Connection: close"),
    "openapi": request("/openapi.json", "Connection: close"),
    "asyncapi": request("/asyncapi.json", "Connection: close"),
    "no page": request("/nothing", "Connection: close"),
    "a wrong method": request("/", "Connection: close", method="DELETE"),
    "a preflight": request(
        "/api/pillows", "Connection: close", "Origin: http://evil.example",
        "Access-Control-Request-Method: PUT", method="OPTIONS",
    ),
    "garbage": b"garbage\r\n\r\n",
    "a bad handshake": handshake("/ws", "Sec-WebSocket-Version: 8"),
    "a foreign origin": handshake("/ws", "Origin: http://evil.example"),
    "a foreign host": request("/").replace(b"localhost", b"evil.example"),
    "a bad query": handshake("/ws?pillow=%23"),
    "a bad message": handshake() + client_frame(TEXT, b"garbage"),
    "events with a bad query": request("/events?pillow=%23", "Connection: close"),
}  # fmt: skip


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway without a broker, which is a fault, and with a prefix of its own."""
    async with Gateway(
        Broker(ports.free()), "secretprefix", without_broker=True, INSTANCE="secret-instance"
    ) as started:
        yield started


def versions() -> set[str]:
    """Return the versions of what is installed, where they are long enough to be told apart."""
    installed = {one.version for one in distributions() if one.version.count(".") >= 2}
    # Of the formats AsyncAPI and OpenAPI, and of AsyncAPI's binding of WebSockets.
    return installed - {"3.0.0", "3.1.0", "0.1.0"}


@pytest.mark.parametrize("case", ANSWERED)
async def test_no_answer_tells_of_the_deployment(gateway: Gateway, case: str) -> None:
    """The broker cannot be reached: that it is offline is all that is said of it."""
    connection = await gateway.open_raw(ANSWERED[case])
    await connection.read_until(lambda data: b"\r\n\r\n" in data)
    if not connection.received.startswith(b"HTTP/1.1 101"):
        await connection.read_to_end()
    else:
        await connection.read_until(lambda data: b'"type":' in data)
    connection.close()
    head, _, body = connection.received.decode("latin-1").lower().partition("\r\n\r\n")

    assert "\r\nserver:" not in head
    assert "\r\nx-powered-by:" not in head
    own = (f":{gateway.broker.port}", f":{gateway.ops_port}")
    told = [word for word in (*OF_THE_DEPLOYMENT, *own) if word in head + body]
    assert told == []
    if case not in ("the page", "the client", "the element"):
        assert [word for word in LIBRARIES if word in head + body] == []
        assert [one for one in versions() if one in head + body] == []
