"""Streams: one client's connection to the gateway, on a WebSocket or as Server-Sent Events."""

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from conformance.patterns import Received
from conformance.published import Published
from conformance.session_format import SUBPROTOCOL

_SLOW_BUFFER_BYTES: Final = 4096


@dataclass(frozen=True)
class Ended:
    """The end of a stream: its close code; None where the connection ended without one."""

    code: int | None
    detail: str


@dataclass(frozen=True)
class Address:
    """What a stream asks for."""

    base_url: str
    pillows: Sequence[str] = ()
    since: str | None = None
    headers: Mapping[str, str] | None = None
    subprotocols: Sequence[str] = (SUBPROTOCOL,)
    is_slow: bool = False
    motion: str | None = None

    def url(self, path: str, *, has_since: bool) -> str:
        """Return the URL of an endpoint."""
        query = [("pillow", one) for one in self.pillows]
        if has_since and self.since is not None:
            query.append(("since", self.since))
        if self.motion is not None:
            query.append(("motion", self.motion))
        return f"{self.base_url}{path}" + (f"?{urlencode(query)}" if query else "")


class Stream(Protocol):
    """A connection. `channel` is its name in the AsyncAPI document."""

    channel: str

    async def receive(self) -> Received | Ended:
        """Receive the next frame."""

    async def send(self, text: str) -> None:
        """Send a text."""

    async def close(self) -> None:
        """Close without another word."""


class WebSocketStream:
    """A WebSocket."""

    channel = "stream"

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> Received | Ended:
        """Receive the next frame, or the end of the connection."""
        try:
            data = await self._connection.recv(decode=False)
        except websockets.ConnectionClosed:
            return Ended(self._connection.close_code, self._connection.close_reason or "")
        return _received(data)

    async def send(self, text: str) -> None:
        """Send a text; a connection that is closed already is seen by the next `receive`."""
        with contextlib.suppress(websockets.ConnectionClosed):
            await self._connection.send(text)

    async def close(self) -> None:
        """End the connection at once: one that does not read would not see a closing handshake."""
        self._connection.transport.abort()
        await self._connection.wait_closed()


class EventStream:
    """Server-Sent Events."""

    channel = "events"

    def __init__(
        self, client: httpx.AsyncClient, response: httpx.Response, published: Published
    ) -> None:
        self._client = client
        self._response = response
        self._published = published
        self._lines = response.aiter_lines()
        self.last_event_id = ""

    async def receive(self) -> Received | Ended:
        """Receive the data of the next event; a refusal is the end, with the code of its status."""
        if self._response.status_code != httpx.codes.OK:
            return await self._refusal()
        data: list[str] = []
        try:
            async for line in self._lines:
                field, _, value = line.partition(":")
                if field == "data":
                    data.append(value.removeprefix(" "))
                elif field == "id":
                    self.last_event_id = value.strip()
                elif not line and data:
                    return _received("\n".join(data).encode())
        except httpx.HTTPError as error:
            return Ended(None, str(error))
        return Ended(None, "the stream ended")

    async def _refusal(self) -> Ended:
        status, body = self._response.status_code, await self._response.aread()
        faults = self._published.response_errors(
            "GET", "/events", status, self._response.headers, body
        )
        assert not faults, f"status {status}: {'; '.join(faults)}"
        codes = {
            meaning.get("status"): code for code, meaning in self._published.close_codes.items()
        }
        return Ended(codes.get(status), str(json.loads(body)["detail"]))

    async def send(self, text: str) -> None:
        """Nothing can be sent."""
        raise NotImplementedError("an event stream sends nothing: give the session transports")

    async def close(self) -> None:
        """Close the connection."""
        await self._response.aclose()
        await self._client.aclose()


async def open_websocket(address: Address) -> WebSocketStream:
    """Open a WebSocket."""
    parts = urlsplit(address.base_url)
    options: dict[str, Any] = {}
    if address.is_slow:
        plain = socket.create_connection((parts.hostname, parts.port or 80))
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER_BYTES)
        options = {"sock": plain, "max_queue": 1}
    url = "ws" + address.url("/ws", has_since=True).removeprefix("http")
    connection = await connect(
        url,
        additional_headers=dict(address.headers or {}),
        subprotocols=[websockets.Subprotocol(one) for one in address.subprotocols] or None,
        compression=None,
        max_size=None,
        proxy=None,
        ping_interval=None,
        **options,
    )
    return WebSocketStream(connection)


async def open_events(address: Address, published: Published) -> EventStream:
    """Open an event stream; one that resumes does so as a browser does, by `Last-Event-ID`."""
    headers = {"Accept": "text/event-stream", **(address.headers or {})}
    if address.since is not None:
        headers["Last-Event-ID"] = address.since
    client = http_client(None)
    request = client.build_request("GET", address.url("/events", has_since=False), headers=headers)
    response = await client.send(request, stream=True)
    return EventStream(client, response, published)


def http_client(timeout_s: float | None) -> httpx.AsyncClient:
    """Return a client for HTTP; `timeout_s` is None where a step has a deadline of its own."""
    return httpx.AsyncClient(timeout=httpx.Timeout(timeout_s), trust_env=False, verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    """Return the authorities that are trusted; reading them takes longer than a request."""
    return ssl.create_default_context()


def _received(data: bytes) -> Received:
    return Received(json.loads(data), data, round(time.time() * 1000))
