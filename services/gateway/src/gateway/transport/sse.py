"""One browser on Server-Sent Events: the same stream as the WebSocket's, one way.

A browser that is admitted is written to as on a WebSocket, without a task that waits for it.
Who is refused, and who only asks with HEAD, is answered by the web application.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contract.frames import FORBIDDEN, FULL, RECONNECT_MS
from gateway.fanout import encoding
from gateway.fanout.encoding import Encoding
from gateway.http.problems import problem
from gateway.transport.admission import Wish
from gateway.transport.connection import Browser
from gateway.transport.connections import Door, Refusal
from gateway.transport.heartbeat import Beat

PATH: Final = b"/events"

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back until its buffer is full
}

_LAST_CHUNK: Final = b"0\r\n\r\n"


class EventsBrowser(Browser):
    """A browser from its request to its end."""

    __slots__ = ("_encoding",)

    kind = "events"

    def __init__(
        self, door: Door, transport: asyncio.Transport, answer: bytes, *, chunked: bool
    ) -> None:
        super().__init__(door, transport, answer)
        self._encoding = Encoding.CHUNK if chunked else Encoding.EVENT

    def begin(self, wish: Wish) -> None:
        """Tell it everything from now on."""
        # Each browser gets a delay of its own, so that a restart is no stampede.
        retry = b"retry: %d\n\n" % random.randint(*RECONNECT_MS)  # noqa: S311 - jitter
        self.write(encoding.chunk(retry) if self._encoding is Encoding.CHUNK else retry)
        self.enter(wish, self._encoding)

    def data_received(self, data: bytes) -> None:
        """Pass over what it says: nobody asked."""

    def on_caught_up(self, *, closing: bool) -> None:
        """Let it go when it has all there is; it comes back by itself."""
        if closing:
            self.door.dispatcher.unsubscribe(self)
            if self._encoding is Encoding.CHUNK:
                self.write(_LAST_CHUNK)
            self.transport.close()

    def ask(self, beat: Beat) -> None:
        """Write the heartbeat; that it arrives is all an event stream can show."""
        self.write(beat.frame.encoded(self._encoding))
        self.heard = True


def response_head(
    version: str, headers: Sequence[tuple[bytes, bytes]], default: Sequence[tuple[bytes, bytes]]
) -> bytes:
    """Return the head of the response to a browser that was admitted.

    A page of another site that may listen is told so.
    """
    said = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        *default,
        *((name.lower().encode(), value.encode()) for name, value in _HEADERS.items()),
    ]
    said += [
        (b"access-control-allow-origin", value) for name, value in headers if name == b"origin"
    ]
    said.append((b"vary", b"Origin"))
    said.append(
        (b"transfer-encoding", b"chunked") if version == "1.1" else (b"connection", b"close")
    )
    return b"HTTP/1.1 200 OK\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % one for one in said)


class Events:
    """The endpoint `/events`, for who is not admitted."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def serve(self, request: Request) -> Response:
        """Say what is wrong, or what there would be."""
        outcome = self._door.admit(request.scope["query_string"], dict(request.headers.raw))
        if isinstance(outcome, Refusal):
            self._door.count_refused(outcome.code)
            if outcome.code == FORBIDDEN:
                return problem(403, "origin not allowed", outcome.why)
            if outcome.code == FULL:
                return problem(503, "full", outcome.why)
            return problem(400, "bad request", outcome.why)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=_HEADERS)
        return problem(400, "bad request", "a stream is no second request on a busy connection")
