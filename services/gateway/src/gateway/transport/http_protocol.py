"""The server's HTTP, hardened: what a rude, silent or dead browser can do to uvicorn's own.

Only what uvicorn 0.54 leaves open is here; it parses and answers as before.
A browser that is to be told what happens leaves it: its connection goes on without HTTP.
"""

import asyncio
import socket
from typing import Any, Final, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from contract.frames import HEARTBEAT_S
from gateway.transport.admission import Wish
from gateway.transport.connections import HEAD_S, Door, Refusal
from gateway.transport.handshake import REQUEST_BYTES, Headers, answer
from gateway.transport.sse import PATH
from gateway.transport.upgrade import welcome_events, welcome_websocket

SEND_BUFFER_BYTES: Final = 131_072
"""What the system may hold for one browser, instead of megabytes: what waits there is not conflated
any more, so a slow browser would be shown states as old as it takes to read them."""

RECEIVE_BUFFER_BYTES: Final = 32_768
"""What the system may hold of what a browser says until it is read: more than anything it says."""

DEAD_MS: Final = 2 * HEARTBEAT_S * 1000
"""How long the system keeps what a browser's machine does not acknowledge, in milliseconds."""


MOST_WAITING: Final = 16
"""How many requests may wait behind one that is being answered; a browser sends none before."""


class _Refused(Exception):
    """Raised to the parser: what it reads is not to be answered."""


class _Stream(NamedTuple):
    """A request for the event stream that was admitted."""

    version: str
    headers: Headers
    wish: Wish


def path_and_query(target: bytes) -> bytes:
    """Return what a request's target asks of this server; a proxy may name the server too."""
    scheme, found, rest = target.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if found and scheme.isalpha() else target


def bound_connections(listener: socket.socket) -> None:
    """Bound what the system holds for each connection: those of a listener inherit from it."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_MS)


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose requests have an end; WebSockets and event streams go on as browsers."""

    _in_request = False
    _in_body = False
    _request_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _stream: _Stream | None = None
    _answering: RequestResponseCycle | None = None

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(**options)
        self._door = door

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._expect_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more, and answer nobody any more."""
        self._expect_nothing()
        self.pipeline.clear()
        if self._answering is not None:  # uvicorn tells only the last request that has come
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read a piece of a request; refuse one that grows without an end."""
        was_in_request = self._in_request
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                fields = dict(self.headers)
                method, version = self.parser.get_method(), self.parser.get_http_version()
                said = answer(method, self.url, version, self.headers, fields)
                if said.accepted:
                    welcome_websocket(
                        self._door,
                        self.transport,
                        said.data,
                        said.deflate,
                        self.url.partition(b"?")[2],
                        fields,
                        early=data[upgrade.args[0] :],
                    )
                else:
                    self.transport.write(said.data)
                    self.transport.close()
                self._forget()
                return
        except httptools.HttpParserError:
            if self._stream is None:
                self._refuse("Invalid HTTP request received.")
                return
        if self._stream is not None:
            # A response without an end: what came behind the request is nobody's.
            version, headers, wish = self._stream
            default_headers = self.server_state.default_headers
            welcome_events(self._door, self.transport, version, headers, default_headers, wish)
            self._forget()
        elif was_in_request and self._in_request:
            self._request_bytes += len(data)
            if self._request_bytes > REQUEST_BYTES:
                self._refuse("Request too large.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        if self._stream is not None or len(self.pipeline) >= MOST_WAITING:
            raise _Refused
        super().on_message_begin()
        self._expect_more()
        self._in_request, self._in_body = True, False
        self._request_bytes = 0

    def on_headers_complete(self) -> None:
        """Hand the request on; who is admitted to the event stream needs no application for it."""
        self._expect_more()
        self._in_body = True
        version = self.parser.get_http_version()
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            raise _Refused  # RFC 9112 §3.2
        self.url = path_and_query(self.url)
        path, _, query = self.url.partition(b"?")
        if path == PATH and self.parser.get_method() == b"GET" and not self._is_busy:
            wish = self._door.admit(query, dict(self.headers))
            if not isinstance(wish, Refusal):
                self._stream = _Stream(version, self.headers, wish)
                return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass over the body of a request for the event stream."""
        if self._stream is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop counting."""
        self._expect_nothing()
        self._in_request = self._in_body = False
        if self._stream is None:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Go on with the next request; read no further ones until all that wait are answered."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def shutdown(self) -> None:
        """Finish the response, unless it waits for a browser that does not read."""
        super().shutdown()
        if self.flow.write_paused:
            self.transport.abort()

    @property
    def _is_busy(self) -> bool:
        """Whether a response is still to come, among which no browser's frames may be."""
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, why: str) -> None:
        """End the connection, with a word where no other request would take it for its answer."""
        if self._is_busy and (not self._in_body or self.pipeline or self.cycle.response_started):
            self.transport.abort()
        else:
            self.send_400_response(why)

    def _get_upgrade(self) -> bytes | None:
        """Return what to go on with, if that is asked; Connection may be said more than once."""
        fields = dict(self.headers)
        said = b",".join(value for name, value in self.headers if name == b"connection")
        wanted = b"upgrade" in (token.strip().lower() for token in said.split(b","))
        return fields.get(b"upgrade", b"").lower() if wanted else None

    def _should_upgrade(self) -> bool:
        """Answer a handshake behind a request that is being answered as any other request."""
        return super()._should_upgrade() and self._stream is None and not self._is_busy

    def _forget(self) -> None:
        """Keep nothing of HTTP: the connection is a browser's now."""
        self._expect_nothing()
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]

    def _expect_more(self) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
