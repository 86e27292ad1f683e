"""HTTP protocol: the first protocol of every connection.

It parses requests and enforces their limits. A WebSocket handshake and a request for the event
stream are upgraded here; every other request is passed to uvicorn, see pipeline.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.transport import sse
from gateway.transport.address_limiter import NOT_COUNTED
from gateway.transport.admission import Refusal
from gateway.transport.connections import Stage
from gateway.transport.context import TransportContext, peer_address
from gateway.transport.handshake import respond
from gateway.transport.handshake_cache import parse_cached
from gateway.transport.pipeline import PIPELINE_KEY, Pipeline
from gateway.transport.plain_response import problem_response
from gateway.transport.request_checks import head_error_of, ordinary_error_of
from gateway.transport.request_parser import (
    BodyPiece,
    Event,
    RequestEnd,
    RequestError,
    RequestHead,
    RequestParser,
)
from gateway.transport.request_stage import RequestStage
from gateway.transport.upgrade import upgrade_to_sse, upgrade_to_websocket

TOO_MANY_REQUESTS: Final = "As many requests as allowed are being answered; try again later."
_ALIVE: Final = b"/healthz"  # answered above the limit, or a load balancer would take all away


class HttpProtocol(asyncio.Protocol):
    """A connection from its acceptance until it is upgraded or lost; small until its first byte."""

    __slots__ = (
        "_context", "_handshake", "_options", "_parser", "_pipeline", "_quota", "_stage",
        "transport",
    )  # fmt: skip

    def __init__(self, context: TransportContext, **options: Any) -> None:
        """`options` are what uvicorn constructs its own protocol with."""
        self._context = context
        self._options = options
        self._parser: RequestParser | None = None
        self._pipeline: Pipeline | None = None
        self._handshake: RequestHead | None = None
        self._quota = NOT_COUNTED

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register as pending; the registry closes it if no byte arrives in time."""
        self.transport = transport
        transport.set_write_buffer_limits(high=0)  # so that a response is stalled to its last byte
        self._stage = RequestStage(self._context, self, transport)
        self._quota = self._context.addresses.accept(peer_address(transport))
        if self._quota.is_exceeded:
            self._stage.current = Stage.CLOSING
            transport.abort()
        else:
            self._context.registry.accept(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Unregister, and pass the loss on."""
        self._release()
        self._quota.release()
        if self._pipeline is not None:
            self._pipeline.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process it when it is its turn; nothing is kept behind a last response."""
        if self._stage.current is Stage.CLOSING:
            self._context.requests.drop(self, len(data))
        else:
            self._context.requests.schedule(self, data)

    def read_again(self) -> None:
        """Read on, unless the pipeline has stopped the reading."""
        if self._pipeline is None or not self._pipeline.has_waiting:
            self.transport.resume_reading()

    def piece_bytes(self, data: bytes | bytearray) -> int:
        """Return how much of what it sent is processed at once: all, because it is bounded."""
        return len(data)

    def process(self, data: bytes) -> None:
        """Parse requests, and upgrade or pass on each."""
        if self._stage.current is Stage.CLOSING:
            return
        if self._parser is None:
            cached = parse_cached(data, self._context.traffic.request)
            if cached is not None:
                self._stage.leave()
                refusal = self._quota.request(cached.fields, is_upgrade=True)
                opened = (self._context, self.transport, *cached)
                upgrade_to_websocket(*opened, quota=self._quota, refusal=refusal)
                return
            self._stage.enter(Stage.PENDING)  # again, because its time begins with its first byte
            self._parser = RequestParser(self._context.traffic.request)
            self._stage.restart_deadline()
        events = self._parser.feed(data)
        for event in events:
            if not self._handle(event):
                return
        is_part = self._parser.is_in_request or not events  # ends of lines begin no request
        if is_part and self._stage.add_part(len(data)):
            self._context.requests.rest(self)
        if self._parser.is_in_request:
            if self._stage.current is Stage.IDLE:
                self._stage.enter(Stage.PENDING)
            self._stage.ensure_deadline()
            if self._pipeline is not None:
                self._pipeline.stop_keep_alive_timeout()

    def eof_received(self) -> bool:
        """Close, in this turn of the event loop or in a later one."""
        return self._context.closings.close_in_turn(self.transport)

    def pause_writing(self) -> None:
        """Pass on that the transport's buffer is full."""
        self._stage.stall()
        if self._pipeline is not None:
            self._pipeline.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the transport's buffer has drained."""
        self._stage.resume(Stage.REQUEST if self._is_busy else Stage.IDLE)
        if not self._is_busy:
            self._quota.answered()
        if self._pipeline is not None:
            self._pipeline.resume_writing()

    def shutdown(self) -> None:
        """Abort, unless a response is being sent to a client that reads; uvicorn finishes that."""
        if self._pipeline is None or self._pipeline.is_write_paused:
            self.transport.abort()

    def abort(self) -> None:
        """Close the connection now, without the rest of a response."""
        self.transport.abort()

    def _handle(self, event: Event) -> bool:
        """Act on an event; return whether HTTP events may follow."""
        if isinstance(event, RequestHead):
            return self._handle_head(event)
        if isinstance(event, BodyPiece):
            if self._handshake is None:
                self._ensure_pipeline().add_body(event.data)
            return True
        if isinstance(event, RequestEnd):
            return self._handle_end(event)
        self._refuse(event)
        return False

    def _handle_head(self, head: RequestHead) -> bool:
        """Upgrade to the event stream, or pass the request on; a handshake waits for its end."""
        self._stage.restart_deadline()
        error = head_error_of(head, self._context.traffic.request)
        if error is None and head.wants_websocket and not self._is_busy:
            self._handshake = head  # upgraded at its end, which may precede a first frame
            return True
        foreign = self._context.error_of_host(head.fields, peer_address(self.transport))
        if foreign is not None:
            self._refuse(foreign)
            return False
        if error is None:
            if not self._is_busy and self._upgrade_to_sse(head):
                return False
            error = ordinary_error_of(head)
        if error is not None:
            self._refuse(error)
            return False
        refusal = self._quota.request(head.fields, is_upgrade=False)
        if refusal is not None:
            self._refuse_for_now(refusal)
            return False
        if self._stage.current not in (Stage.REQUEST, Stage.STALLED):
            if head.target != _ALIVE and not self._context.registry.has_request_room:
                self._close_with(problem_response(503, TOO_MANY_REQUESTS))
                return False
            self._stage.enter(Stage.REQUEST)
        too_many = self._ensure_pipeline().start_request(head)
        if too_many is not None:
            self._refuse(too_many)
        return too_many is None

    def _handle_end(self, end: RequestEnd) -> bool:
        """Upgrade to a WebSocket, or end the request that was passed on."""
        self._stage.stop_deadline()
        if self._handshake is not None:
            self._upgrade_to_websocket(self._handshake, end.rest)
            return False
        self._ensure_pipeline().end_request()
        if not self._is_busy:
            self._end_response(Stage.IDLE)  # it was complete before the body
        if end.rest:
            self.process(end.rest)
        return not end.rest

    def _upgrade_to_websocket(self, head: RequestHead, rest: bytes) -> None:
        """Upgrade the connection, or end it with the refusal of the handshake."""
        refusal = self._quota.request(head.fields, is_upgrade=True)
        response = respond(head)
        if not response.accepted:
            self._close_with(response.data)
            return
        self._detach()
        opened = (self._context, self.transport, head.target.partition(b"?")[2], head.fields)
        upgrade_to_websocket(*opened, response, rest, quota=self._quota, refusal=refusal)

    def _upgrade_to_sse(self, head: RequestHead) -> bool:
        """Upgrade an admitted request for the event stream; return whether it is dealt with."""
        path, _, query = head.target.partition(b"?")
        if path != sse.PATH or head.method != b"GET":
            return False
        refusal = self._quota.request(head.fields, is_upgrade=True)
        if refusal is not None:
            self._refuse_for_now(refusal)
            return True
        request = self._context.admit(query, head.fields, peer_address(self.transport))
        if isinstance(request, Refusal):
            if not request.is_for_now:
                self._ensure_pipeline().refusal = request
                return False  # the application answers it, with a problem document
            # Now, because a place that is free when the application answers makes that a 400.
            self._refuse_for_now(request)
            return True
        self._detach()
        upgrade_to_sse(self._context, self.transport, head, request, self._quota)
        return True

    def _refuse_for_now(self, refusal: Refusal) -> None:
        """Close with a problem document that tells the client when it may come again."""
        self._context.registry.count_refused(refusal)
        after_s = refusal.retry_after_s
        self._close_with(problem_response(refusal.status, refusal.reason, retry_after_s=after_s))

    def _refuse(self, error: RequestError) -> None:
        """Close with a problem document."""
        if error.limit:
            self._context.registry.count_above(error.limit, error.size)
        self._close_with(problem_response(error.status, error.reason))

    def _close_with(self, response: bytes) -> None:
        """Send a last response, and drop what is received until the client closes.

        Abort if it could be taken for the response to another request. The registry aborts the
        connection if the client takes too long.
        """
        if self._is_busy and not (self._pipeline and self._pipeline.may_be_answered):
            self.transport.abort()
            return
        self._stage.stop_deadline()
        self._drop_pipeline()
        self._stage.enter(Stage.CLOSING)
        self.transport.write(response)
        self.transport.write_eof()
        self.transport.resume_reading()

    def _on_answered(self) -> None:
        """Note that the connection is idle, or pending while the request's body arrives."""
        if self._stage.current is Stage.REQUEST and self._parser:
            self._end_response(Stage.PENDING if self._parser.is_in_request else Stage.IDLE)

    def _end_response(self, stage: Stage) -> None:
        """Note that no request is being answered."""
        self._stage.enter(stage)
        self._quota.answered()

    @property
    def _is_busy(self) -> bool:
        """Whether the response to an earlier request is incomplete."""
        return self._pipeline is not None and self._pipeline.is_busy

    def _ensure_pipeline(self) -> Pipeline:
        if self._pipeline is None:
            state = {**self._options["app_state"]}
            http = HttpToolsProtocol(**{**self._options, "app_state": state})
            self._pipeline = state[PIPELINE_KEY] = Pipeline(http, self.transport, self._on_answered)
        return self._pipeline

    def _detach(self) -> None:
        """Leave the transport to the protocol that the connection is upgraded to."""
        self._release()
        self._drop_pipeline()

    def _drop_pipeline(self) -> None:
        """Let the application write no more."""
        if self._pipeline is not None:
            self._pipeline.detach()
            self._pipeline = None  # the transport may pause this protocol until it has another

    def _release(self) -> None:
        self._context.requests.discard(self)
        self._stage.leave()
        if self._parser is not None:
            self._parser.close()
