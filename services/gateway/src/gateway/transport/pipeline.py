"""Pipeline: the ordinary requests of one connection, passed to uvicorn one at a time.

uvicorn's protocol object is used by asyncio's protocol interface only, and receives each request
serialised anew. So the limits and the order of responses need none of its private names, and both
parsers agree where a request ends.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.transport.admission import Refusal
from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.metered import Metered
from gateway.transport.request_limits import MAX_PIPELINED, too_many_pipelined
from gateway.transport.request_parser import RequestError, RequestHead, error_of

PIPELINE_KEY: Final = "gateway_pipeline"
"""Where a request's ASGI scope has its connection's pipeline: in `scope["state"]`."""


class Pipeline:
    """A queue of requests: the first is being answered, the others wait."""

    __slots__ = (
        "_has_response", "_http", "_is_chunked", "_is_lost", "_is_receiving", "_on_idle",
        "_transport", "_waiting", "is_busy", "is_write_paused", "refusal",
    )  # fmt: skip

    def __init__(
        self, http: asyncio.Protocol, transport: asyncio.Transport, on_idle: Callable[[], None]
    ) -> None:
        """`http` is a new protocol object of uvicorn's.

        `on_idle` is called after a response behind which no request waits.
        """
        self._http = http
        self._on_idle = on_idle
        self._transport = transport
        self._waiting: deque[bytearray] = deque()
        self._is_chunked = False
        self.is_busy = False
        """Whether the response to a request is incomplete."""
        self._has_response = False  # whether that response has begun
        self._is_receiving = False  # whether the newest request is incomplete
        self._is_lost = False
        self.is_write_paused = False
        """Whether the client does not read."""
        self.refusal: Refusal | None = None
        """Why the request that begins now was refused as an event stream, for the application."""
        http.connection_made(transport)

    @property
    def is_over(self) -> bool:
        """Whether nothing is sent any more: the connection is closed, or has another protocol."""
        return self._is_lost or self._transport.is_closing()

    @property
    def has_waiting(self) -> bool:
        """Whether requests wait, so that no further ones are read."""
        return bool(self._waiting)

    @property
    def may_be_answered(self) -> bool:
        """Whether the client would take a response now for that to its incomplete request."""
        return self._is_receiving and not self._has_response and not self._waiting

    def stop_keep_alive_timeout(self) -> None:
        """Stop uvicorn's timeout of an idle connection.

        uvicorn cannot, because it receives a request only when its head is complete.
        """
        self._http.data_received(b"")

    def start_request(self, head: RequestHead) -> RequestError | None:
        """Pass the head of a request on, or queue it and pause reading.

        Returns why it is refused: more than MAX_PIPELINED would wait.
        """
        self._is_receiving = True
        self._is_chunked = b"transfer-encoding" in head.fields
        data = _serialised(head)
        if not self.is_busy:
            self._begin(data)
        elif len(self._waiting) < MAX_PIPELINED:
            self._waiting.append(bytearray(data))
            self._transport.pause_reading()
        else:
            return error_of(too_many_pipelined())
        return None

    def add_body(self, data: bytes) -> None:
        """Pass a piece of the newest request's body on."""
        self._write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)

    def end_request(self) -> None:
        """End the newest request."""
        self._is_receiving = False
        if self._is_chunked:
            self._write(b"0\r\n\r\n")

    def on_response_start(self) -> None:
        """Note that the response has begun."""
        self._has_response = True

    def on_response_complete(self) -> None:
        """Begin the next request; read further ones only when none waits."""
        self.is_busy, self.refusal = False, None
        if self._transport.is_closing() or not self._waiting:
            self._waiting.clear()
            self._on_idle()
            return
        self._begin(bytes(self._waiting.popleft()))
        if self._waiting:
            self._transport.pause_reading()  # uvicorn resumes reading after each response
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is full."""
        self.is_write_paused = True
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the transport's buffer has drained."""
        self.is_write_paused = False
        self._http.resume_writing()

    def detach(self) -> None:
        """Release uvicorn's object without closing the transport, which is upgraded."""
        self.connection_lost(ConnectionAbortedError("upgraded"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the waiting requests and pass the loss on."""
        # It would close an upgraded connection, and keep all of a closed one until its end.
        self.stop_keep_alive_timeout()
        self._is_lost = True
        self._waiting.clear()
        http = self._http
        del self._http  # break the reference cycle through its application state
        self._on_idle = _ignore  # and the one through the callback
        http.connection_lost(exc)

    def _begin(self, data: bytes) -> None:
        self.is_busy, self._has_response = True, False
        self._http.data_received(data)

    def _write(self, data: bytes) -> None:
        if self._waiting:
            self._waiting[-1] += data
        else:
            self._http.data_received(data)


def is_answerable(scope: Scope) -> bool:
    """Return whether the client of a request may still read the response."""
    pipeline = scope.get("state", {}).get(PIPELINE_KEY)
    return pipeline is None or not pipeline.is_over


def _ignore() -> None:
    """Do nothing."""


def _serialised(head: RequestHead) -> bytes:
    """Return the head's bytes, without a request for an upgrade."""
    lines = [b"%b %b HTTP/%b" % (head.method, head.target, head.version.encode())]
    lines += [b"%b: %b" % header for header in head.headers if header[0] != b"upgrade"]
    return b"\r\n".join((*lines, b"", b""))


def report_responses(app: ASGIApp, requests: InboundScheduler) -> ASGIApp:
    """Wrap an ASGI application so that each connection's pipeline learns of its responses.

    It works within the budget of `requests`: before each response, and each further piece of one,
    it waits for its turn.
    """

    async def reporting(scope: Scope, receive: Receive, send: Send) -> None:
        pipeline: Any = scope["state"][PIPELINE_KEY]

        async def send_and_report(message: Message) -> None:
            if message["type"] == "http.response.start":
                pipeline.on_response_start()
            has_more = message.get("more_body", False)
            await send(message)
            if has_more:
                await requests.turn()
            elif message["type"] == "http.response.body":
                pipeline.on_response_complete()

        await requests.turn()
        await Metered(app(scope, receive, send_and_report), requests.charge)

    return reporting
