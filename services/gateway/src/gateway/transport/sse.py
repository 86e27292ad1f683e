"""One client on Server-Sent Events: the WebSocket's stream, without messages from the client."""

import asyncio
import random
from typing import Final

from contract.frames import RECONNECT_MS, Error, encode_frame
from gateway.fanout import encoding
from gateway.fanout.encoding import Encoding, Frame
from gateway.transport.admission import Admission, Refusal
from gateway.transport.connection import ClientConnection
from gateway.transport.context import TransportContext
from gateway.transport.heartbeat import HeartbeatFrame
from gateway.transport.plain_response import date_header
from gateway.transport.request_parser import RequestHead
from gateway.transport.unread import unread_bytes
from runtime.security_headers import SECURITY_FIELDS

PATH: Final = b"/events"

MEDIA_TYPE: Final = "text/event-stream"

HEADERS: Final = {
    "Cache-Control": "no-store, no-transform",  # otherwise a middleware compresses, and buffers
    "X-Accel-Buffering": "no",  # otherwise nginx holds events back until its buffer is full
}

_LAST_CHUNK: Final = b"0\r\n\r\n"


class SseConnection(ClientConnection):
    """An event stream, from its request until the connection is lost."""

    __slots__ = ("_encoding",)

    kind = "events"

    def __init__(
        self,
        context: TransportContext,
        transport: asyncio.Transport,
        response: bytes,
        *,
        is_chunked: bool,
    ) -> None:
        super().__init__(context, transport, response)
        self._encoding = Encoding.CHUNK if is_chunked else Encoding.EVENT

    @property
    def encoding(self) -> Encoding:
        """How its frames are encoded."""
        return self._encoding

    def start(self, admission: Admission) -> None:
        """Subscribe, and send the delay before a reconnect, which precedes the first flush."""
        self.enter(admission)
        # A random delay for each client spreads the reconnects after a restart.
        retry = b"retry: %d\n\n" % random.randint(*RECONNECT_MS)  # noqa: S311 - jitter
        self.write(encoding.chunk(retry) if self._encoding is Encoding.CHUNK else retry)

    def data_received(self, data: bytes) -> None:
        """Drop what the client sends behind its request, and read no more for a while."""
        self.context.inbound.drop(self)

    def on_caught_up(self, *, closing: bool) -> None:
        """End the stream after the goodbye event; the client reconnects by itself."""
        if closing:
            self.context.dispatcher.unsubscribe(self)
            if self._encoding is Encoding.CHUNK:
                self.write(_LAST_CHUNK)
            self.transport.close()

    def refuse(self, refusal: Refusal) -> None:
        """Send an error event and end the stream; the response to the next request is final."""
        self.context.registry.count_refused(refusal)
        self.end_pass()
        self.context.dispatcher.unsubscribe(self)
        error = Frame(encode_frame(Error(refusal.code, refusal.reason))).encoded(self._encoding)
        self.write(error + _LAST_CHUNK if self._encoding is Encoding.CHUNK else error)
        self.transport.close()

    def send_heartbeat(self, heartbeat: HeartbeatFrame) -> None:
        """Write the heartbeat; that TCP acknowledges it is the only sign of life of a stream."""
        self.write(heartbeat.frame.encoded(self._encoding))

    @property
    def has_answered(self) -> bool:
        """Whether its system has acknowledged all that was sent."""
        return unread_bytes(self.transport, self.descriptor) == 0

    def makes_progress(self, acknowledged_bytes: int) -> bool:
        """Return whether that its system has acknowledged so much is a sign of life."""
        return acknowledged_bytes > 0

    def owes_answer(self, outstanding_bytes: int) -> bool:
        """Return False, because a stream answers no ping."""
        return False


def response_head(head: RequestHead) -> bytes:
    """Return the head of the response to an admitted request.

    It allows the request's origin to read the stream, because admission has allowed it.
    """
    headers = [
        (b"content-type", b"%b; charset=utf-8" % MEDIA_TYPE.encode()),
        *SECURITY_FIELDS,
        date_header(),
        *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
    ]
    headers += [
        (b"access-control-allow-origin", value) for name, value in head.headers if name == b"origin"
    ]
    headers.append((b"vary", b"Origin"))
    headers.append(
        (b"transfer-encoding", b"chunked") if head.version == "1.1" else (b"connection", b"close")
    )
    return b"HTTP/1.1 200 OK\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % header for header in headers)
