"""A pool of HTTP/1.1 connections to one server, on asyncio and httptools.

It exists because each message costs a request, and an HTTP client library spends most of its CPU
time on features that these requests do not need: redirects, cookies, proxies, compression.
`scripts/bench poller` measures a quarter to a third of aiohttp's CPU time a message.
A differential test compares its responses with aiohttp's.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, cast

import httptools


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """The pool's timeouts in seconds, and the limits of a response."""

    connect_s: float = 5.0
    response_s: float = 10.0
    """How long a response may make no progress: a page of 2 MiB takes longer on a slow link."""

    idle_s: float = 4.0
    """How long a connection is kept without a request; Azurite closes one after 5 s."""

    sweep_s: float = 1.0
    """The interval at which the timeouts are checked."""

    max_headers: int = 100
    max_body_bytes: int = 32 * 1024 * 1024
    """More than the largest page: 32 messages of 64 KiB, escaped."""


class NoResponse(Exception):
    """No complete response arrived; the message says why.

    The server may have acted on the request all the same.
    """


class Response(NamedTuple):
    """A response; the names in `headers` are in lower case, and the last of equal names counts."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class HttpPool:
    """Connections to one server, kept open between requests.

    There are as many connections as concurrent requests; the caller limits these.
    """

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, limits: PoolLimits | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._limits = limits or PoolLimits()
        self._connections: set[_Connection] = set()
        self._idle: deque[_Connection] = deque()
        self._sweeper: asyncio.TimerHandle | None = None

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Response:
        """Send a request and return its response; raises NoResponse.

        `headers` includes Host, and Content-Length for a body; the caller has escaped `target`.
        The request is sent a second time if a kept connection was closed before a byte of the
        response arrived, so the server may act on it twice.
        """
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        data = f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + body
        if self._idle:
            try:
                return await self._idle.pop().request(data)
            except _ClosedBeforeResponse:
                pass
        connection = await self._connect()
        try:
            return await connection.request(data)
        except _ClosedBeforeResponse as error:
            raise NoResponse(str(error)) from None

    async def close(self) -> None:
        """Close all connections; requests under way raise NoResponse."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in tuple(self._connections):
            connection.abort("the pool was closed")

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.connect_s):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._connections, self._idle, self._limits),
                    self._host,
                    self._port,
                    ssl=self._tls,
                )
        except TimeoutError:
            raise NoResponse(f"no connection within {self._limits.connect_s:g} s") from None
        except OSError as error:  # ssl.SSLError is a subclass
            raise NoResponse(f"no connection: {error}") from error
        if self._sweeper is None:
            self._schedule_sweep(loop)
        return connection

    def _schedule_sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        due_s = loop.time() + self._limits.sweep_s
        self._sweeper = loop.call_at(due_s, self._sweep, due_s)

    def _sweep(self, due_s: float) -> None:
        """Close connections whose timeout has passed.

        One timer for all connections, because most requests end long before their timeout.
        After a pause of the process nothing is closed at first, because uvloop runs timers before
        it reads what has arrived meanwhile.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now - due_s < self._limits.sweep_s:
            for connection in tuple(self._connections):
                connection.check_timeouts(now)
        self._sweeper = None
        if self._connections:
            self._schedule_sweep(loop)


class _ClosedBeforeResponse(Exception):
    """The connection was closed before a byte of the response arrived."""


class _InvalidResponse(Exception):
    """The server's bytes are no valid response; the message says why."""


class _Connection(asyncio.Protocol):
    """One connection; it carries one request at a time."""

    def __init__(
        self, connections: "set[_Connection]", idle: "deque[_Connection]", limits: PoolLimits
    ) -> None:
        self._connections = connections
        self._idle = idle
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._response: asyncio.Future[Response] | None = None
        self._since = 0.0
        self._has_received = False
        self._ends_at_eof = False
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0

    async def request(self, data: bytes) -> Response:
        response: asyncio.Future[Response] = self._loop.create_future()
        self._response = response
        self._since = self._loop.time()
        self._has_received = False
        self._transport.write(data)
        try:
            return await response
        except asyncio.CancelledError:
            # Its response may still arrive, and must not be returned for the next request. If it
            # has arrived, the next request may already be under way.
            if self._response is response:
                self.abort("the request was cancelled")
            raise

    def check_timeouts(self, now: float) -> None:
        """Close the connection if its response or its next request is overdue."""
        waited_s = now - self._since
        if self._response is not None and waited_s > self._limits.response_s:
            self.abort(f"no response within {self._limits.response_s:g} s")
        elif self._response is None and waited_s > self._limits.idle_s:
            self.abort("idle")

    def abort(self, why: str) -> None:
        """Close the connection at once; a request under way raises NoResponse."""
        self._detach(NoResponse(why))
        self._transport.abort()

    # Callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._has_received = True
        self._since = self._loop.time()
        try:
            if self._response is None:
                raise _InvalidResponse("bytes without a request")
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, _InvalidResponse) as error:
            self.abort(f"not HTTP/1.1: {error.__context__ or error}")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ends_at_eof and exc is None:
            self._complete()
        why = str(exc or "the server closed the connection")
        self._detach(
            NoResponse(f"{why} in the middle of its response")
            if self._has_received
            else _ClosedBeforeResponse(why)
        )

    # Callbacks of httptools

    def on_message_begin(self) -> None:
        if self._response is None:
            raise _InvalidResponse("a second response to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) >= self._limits.max_headers:
            raise _InvalidResponse(f"more than {self._limits.max_headers} headers")
        # The parser keeps the whitespace after a value, which RFC 9110 §5.5 excludes.
        self._headers[name.lower()] = value.rstrip(b" \t")

    def on_headers_complete(self) -> None:
        # RFC 9112 §6.3: without a length the body ends with the connection, as a proxy's may.
        # A response that has no body is complete at once, which resets this.
        self._ends_at_eof = self._headers.keys().isdisjoint(
            (b"content-length", b"transfer-encoding")
        )

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limits.max_body_bytes:
            raise _InvalidResponse(f"a body of more than {self._limits.max_body_bytes} bytes")
        self._body.append(part)

    def on_message_complete(self) -> None:
        self._complete()
        if self._response is not None:
            return  # that was an interim response; the final one follows
        if self._parser.should_keep_alive():
            self._since = self._loop.time()
            self._idle.append(self)
        else:
            self.abort("the response ended the connection")

    def _complete(self) -> None:
        """Return the response to the request, unless it is an interim one (1xx)."""
        status = self._parser.get_status_code()
        response = Response(status, self._headers, b"".join(self._body))
        self._headers, self._body, self._size = {}, [], 0
        self._ends_at_eof = False
        if status < 200:
            return
        waiting, self._response = self._response, None
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    def _detach(self, error: Exception) -> None:
        """Remove the connection from the pool; a request under way raises `error`."""
        self._connections.discard(self)
        if self in self._idle:
            self._idle.remove(self)
        waiting, self._response = self._response, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
