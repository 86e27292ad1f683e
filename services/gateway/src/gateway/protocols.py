"""The server's HTTP, hardened: what a rude, silent or dead browser can do to uvicorn's own.

Only what uvicorn 0.54 leaves open is here; it parses and answers as before.
A browser that is to be told what happens leaves it: its connection goes on without HTTP.
"""

import asyncio
import socket
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contract.frames import HEARTBEAT_S
from gateway.admission import Wish
from gateway.door import HEAD_S, Door, Refusal
from gateway.events import PATH
from gateway.handshake import REQUEST_BYTES, answer
from gateway.welcome import welcome_events, welcome_websocket

SEND_BUFFER_BYTES: Final = 131_072
"""What the system may hold for one browser, instead of megabytes: what waits there is not conflated
any more, so a slow browser would be shown states as old as it takes to read them."""

RECEIVE_BUFFER_BYTES: Final = 32_768
"""What the system may hold of what a browser says until it is read: more than anything it says."""

DEAD_MS: Final = 2 * HEARTBEAT_S * 1000
"""How long the system keeps what a browser's machine does not acknowledge, in milliseconds."""


def bound_connections(listener: socket.socket) -> None:
    """Bound what the system holds for each connection: those of a listener inherit from it."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_MS)


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose requests have an end; WebSockets and event streams go on as browsers."""

    _in_request = False
    _request_bytes = 0
    _head_deadline: asyncio.TimerHandle | None = None
    _wish: Wish | None = None

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(**options)
        self._door = door

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._got_head()
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
            self.send_400_response("Invalid HTTP request received.")
            return
        if self._wish is not None:
            welcome_events(
                self._door,
                self.transport,
                self.parser.get_http_version(),
                self.headers,
                self.server_state.default_headers,
                self._wish,
            )
            self._forget()
        elif was_in_request and self._in_request:
            self._request_bytes += len(data)
            if self._request_bytes > REQUEST_BYTES:
                self.send_400_response("Request too large.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._expect_head()
        self._in_request = True
        self._request_bytes = 0

    def on_headers_complete(self) -> None:
        """Hand the request on; who is admitted to the event stream needs no application for it."""
        self._got_head()
        if self.url.partition(b"?")[0] == PATH and self.parser.get_method() == b"GET":
            outcome = self._door.admit(self.url.partition(b"?")[2], dict(self.headers))
            if not isinstance(outcome, Refusal) and not self._is_busy:
                self._wish = outcome
                return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass over the body of a request for the event stream."""
        if self._wish is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop counting."""
        self._in_request = False
        if self._wish is None:
            super().on_message_complete()

    def shutdown(self) -> None:
        """Finish the response, unless it waits for a browser that does not read."""
        super().shutdown()
        if self.flow.write_paused:
            self.transport.abort()

    @property
    def _is_busy(self) -> bool:
        """Whether a response is still to come, among which no browser's frames may be."""
        return self.cycle is not None and not self.cycle.response_complete

    def _should_upgrade(self) -> bool:
        """Answer a handshake behind a request that is being answered as any other request."""
        return super()._should_upgrade() and not self._is_busy

    def _forget(self) -> None:
        """Keep nothing of HTTP: the connection is a browser's now."""
        self.connections.discard(self)
        self.parser = None  # type: ignore[assignment]

    def _expect_head(self) -> None:
        self._got_head()
        self._head_deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _got_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
