"""The server's protocols, hardened: what a rude, silent or dead browser can do to uvicorn's own.

Only what uvicorn 0.54 leaves open is here; it parses and answers as before.
"""

import asyncio
import socket
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets import http11

REQUEST_BYTES: Final = 131_072
"""The largest request that is read: a query with as many pillows as may be named, and headers."""

SEND_BUFFER_BYTES: Final = 131_072
"""What the system may hold for one browser, instead of megabytes: what waits there is not conflated
any more, so a slow browser would be shown states as old as it takes to read them."""

HEAD_S: Final = 10.0
"""How long a request's head may take: who connects and says nothing holds a file descriptor."""

LINGER_S: Final = 1.0
"""How long a browser that broke the protocol is still read: else a reset overtakes its code."""

_INVALID_UTF8: Final = 1007
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

# websockets stops at 8 KiB, and reads another limit only from the environment of its import.
http11.MAX_LINE_LENGTH = REQUEST_BYTES


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose requests have an end, on a connection that holds little."""

    _in_request = False
    _request_bytes = 0
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Bound what the system holds; a WebSocket inherits it."""
        super().connection_made(transport)
        plain = transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._got_head()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Note that the head is whole; the rest of a request has an end of its own."""
        self._got_head()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._got_head()
        self._head_deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _got_head(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def data_received(self, data: bytes) -> None:
        """Read a piece of a request; refuse one that grows without an end."""
        was_in_request = self._in_request
        super().data_received(data)
        if was_in_request and self._in_request:
            self._request_bytes += len(data)
            if self._request_bytes > REQUEST_BYTES:
                self.send_400_response("Request too large.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._expect_head()
        self._in_request = True
        self._request_bytes = 0

    def on_message_complete(self) -> None:
        """Stop counting."""
        self._in_request = False
        super().on_message_complete()

    def shutdown(self) -> None:
        """Finish the response, unless it waits for a browser that does not read."""
        super().shutdown()
        if self.flow.write_paused:
            self.transport.abort()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket on which nothing a browser does is an error, and the dead are let go."""

    _wrote_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Read what arrived; answer a handshake that is none (uvicorn leaves it without answer)."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            said = b"".join(self.conn.data_to_send())
            self.transport.write(said or _BAD_REQUEST)
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Hand on a message; one that is not UTF-8 is no error of ours."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(_INVALID_UTF8, "not UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Close with the protocol's code for what was wrong, reading on for a moment."""
        if self.close_sent or self.conn.close_sent is None:
            return
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER_S, self.transport.abort)

    async def send(self, message: Any) -> None:
        """Send, unless the connection was closed for its peer's fault meanwhile."""
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)

    def resume_writing(self) -> None:
        """Note that the browser takes what it is sent."""
        self._wrote_at = self.loop.time()
        super().resume_writing()

    def keepalive_timeout(self) -> None:
        """Give up a browser that answers no ping and reads nothing.

        One that reads slowly has the ping still before it. A graceful close would wait, for ever
        perhaps, until what was sent is read.
        """
        if self._wrote_at > self.ping_sent_at and self.ping_timeout is not None:
            self.ping_sent_at = self.loop.time()
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        self.pong_timer = None
        self.transport.abort()

    def shutdown(self) -> None:
        """Say that the server restarts, unless the browser does not even read."""
        super().shutdown()
        if not self.writable.is_set():
            self.transport.abort()
