"""HTTP/1.1 connections, kept open between requests. The only module that knows httptools.

For the requests that every message costs: there an HTTP client's conveniences (redirects, cookies,
proxies, compression) would cost several times what the request does, and none is wanted.
"""

import asyncio
import ssl
from collections import deque
from typing import Final, NamedTuple, cast

import httptools

CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0

IDLE_S: Final = 4.0
"""How long a connection is kept unused: Azurite closes one after 5 s, and says nothing."""

MOST_HEADERS: Final = 100
MOST_BODY: Final = 32 * 1024 * 1024
"""Above the largest page there can be: 32 messages of 64 KiB, escaped."""

_SWEEP_S: Final = 1.0


class Unanswered(Exception):
    """No whole answer came, says why; what was asked for may have been done all the same."""


class Response(NamedTuple):
    """An answer; the names of `headers` are in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Connections:
    """The connections to one server: as many as requests are under way, each used again after."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._all: set[_Connection] = set()
        self._idle: deque[_Connection] = deque()
        self._sweeping: asyncio.TimerHandle | None = None

    async def ask(self, request: bytes) -> Response:
        """Send a request and return its answer; raises Unanswered.

        Sent again, once, where the server had closed a kept connection and so never read it, or
        read it and died: what is asked for must bear being asked for twice.
        """
        if self._idle:
            try:
                return await self._idle.pop().ask(request)
            except _Closed:
                pass
        connection = await self._connect()
        try:
            return await connection.ask(request)
        except _Closed as error:
            raise Unanswered(str(error)) from None

    async def close(self) -> None:
        """Close all connections; requests under way end as unanswered."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for connection in tuple(self._all):
            connection.end("closed")

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self._all, self._idle),
                    self._host,
                    self._port,
                    ssl=self._tls,
                )
        except TimeoutError:
            raise Unanswered(f"no connection within {CONNECT_S:g} s") from None
        except OSError as error:  # ssl.SSLError is one
            raise Unanswered(f"no connection: {error}") from error
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep)
        return connection

    def _sweep(self) -> None:
        """End what has waited too long; one timer for all, since most never wait."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._all):
            connection.look_at_clock(now)
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep) if self._all else None


class _Closed(Exception):
    """The connection ended before a byte of the answer came."""


class _Nonsense(Exception):
    """What the server sends is not an answer; says why."""


class _Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, everyone: "set[_Connection]", idle: "deque[_Connection]") -> None:
        self._everyone = everyone
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._waiting: asyncio.Future[Response] | None = None
        self._since = 0.0
        self._heard = False
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0

    async def ask(self, request: bytes) -> Response:
        waiting: asyncio.Future[Response] = self._loop.create_future()
        self._waiting = waiting
        self._since = self._loop.time()
        self._heard = False
        self._transport.write(request)
        try:
            return await waiting
        except asyncio.CancelledError:
            self.end("given up")  # its answer may still come, and is nobody's
            raise

    def look_at_clock(self, now: float) -> None:
        """End the connection if its answer, or its next request, has been awaited too long."""
        if self._waiting is not None and now - self._since > ANSWER_S:
            self.end(f"no answer within {ANSWER_S:g} s")
        elif self._waiting is None and now - self._since > IDLE_S:
            self.end("idle")

    def end(self, why: str) -> None:
        """Close it now, whatever is under way."""
        self._gone(Unanswered(why))
        self._transport.abort()

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._everyone.add(self)

    def data_received(self, data: bytes) -> None:
        self._heard = True
        try:
            if self._waiting is None:
                raise _Nonsense("bytes that nobody asked for")
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, _Nonsense) as error:
            self.end(f"not HTTP/1.1: {error.__context__ or error}")

    def connection_lost(self, exc: Exception | None) -> None:
        why = str(exc or "the server hung up")
        self._gone(
            Unanswered(f"{why} in the middle of its answer") if self._heard else _Closed(why)
        )

    # What httptools tells

    def on_message_begin(self) -> None:
        if self._waiting is None:
            raise _Nonsense("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) >= MOST_HEADERS:
            raise _Nonsense(f"more than {MOST_HEADERS} headers")
        self._headers[name.lower()] = value

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > MOST_BODY:
            raise _Nonsense(f"a body of more than {MOST_BODY} bytes")
        self._body.append(part)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        response = Response(status, self._headers, b"".join(self._body))
        self._headers, self._body, self._size = {}, [], 0
        if status < 200:
            return  # an interim answer; the real one follows
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(response)
        if self._parser.should_keep_alive():
            self._since = self._loop.time()
            self._idle.append(self)
        else:
            self.end("answered, and to be closed")

    def _gone(self, why: Exception) -> None:
        self._everyone.discard(self)
        if self in self._idle:
            self._idle.remove(self)
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(why)
