"""One client on a WebSocket: its messages, the answers to them, and the closing handshake."""

import asyncio
import time
from typing import Final

from contract.frames import (
    BAD_MESSAGE,
    RESTART,
    TOO_MANY,
    Error,
    Ping,
    Pong,
    ServerFrame,
    Shown,
    Token,
    decode_request,
    encode_frame,
    queue_offset,
)
from contract.motion import SubscribeMotion
from gateway.fanout import encoding
from gateway.fanout.encoding import Encoding, Frame
from gateway.transport.admission import Refusal
from gateway.transport.connection import ClientConnection
from gateway.transport.context import TransportContext
from gateway.transport.frame_scanner import empty_pongs
from gateway.transport.heartbeat import HeartbeatFrame
from gateway.transport.low_water import GATHERED_BYTES, gather
from gateway.transport.message_reader import (
    POLICY_VIOLATION,
    BinaryMessage,
    MessageReader,
    PingReceived,
    PongReceived,
    TextMessage,
    piece_bytes,
)
from gateway.transport.motion_requests import subscribe_motion
from gateway.transport.subscribe_budget import NAME_COST_BYTES, SubscribeBudget

_KEPT_COST_S: Final = 20e-6
"""What is charged for data that is not parsed yet, in seconds, with its way from the system."""

_TOO_MANY: Final = Refusal(
    TOO_MANY, "what the subscribe messages ask for is above the limit, GATEWAY_SUBSCRIBE_RATE"
)


class WebSocketConnection(ClientConnection):
    """A WebSocket, from its opening handshake until the connection is lost.

    `_reader` exists only while something is incomplete, see message_reader.
    `_is_gathering` says that the system gathers what it sends, see low_water.
    `_deferred` has the newest answer to each kind of ping, for a client that does not read.
    """

    __slots__ = ("_deferred", "_deflate", "_is_gathering", "_reader", "_subscribe_budget")

    kind = "websocket"

    def __init__(
        self,
        context: TransportContext,
        transport: asyncio.Transport,
        response: bytes,
        *,
        deflate: bool,
    ) -> None:
        super().__init__(context, transport, response)
        self._deflate = deflate
        self._reader: MessageReader | None = None
        self._is_gathering = False
        self._deferred: dict[str, bytes] | None = None
        self._subscribe_budget: SubscribeBudget | None = None  # most clients never need one

    def data_received(self, data: bytes) -> None:
        """Handle the pong that most clients only ever send; schedule all other data.

        One that sends more pongs than it is asked for is read less often.
        A part of a frame that does not end it is kept at once, and the system gathers the rest.
        """
        reader, inbound = self._reader, self.context.inbound
        if reader is not None:
            if inbound.may_keep(self) and (left := reader.keep(data)):
                inbound.charge(_KEPT_COST_S)
                if not self._is_gathering or left < GATHERED_BYTES:
                    self._is_gathering = True
                    gather(self.transport, left)
                return
            self._stop_gathering()
        elif pongs := empty_pongs(data):
            if pongs > 1 or self.is_alive:
                inbound.drop(self)  # nobody has asked for so many
            self.is_alive = True  # without a reader, which would take more memory than the rest
            return
        inbound.schedule(self, data)

    @property
    def encoding(self) -> Encoding:
        """How its frames are encoded."""
        return Encoding.DEFLATED if self._deflate else Encoding.WEBSOCKET

    @property
    def has_unprocessed_input(self) -> bool:
        """Whether data that it sent waits in the inbound scheduler."""
        return self in self.context.inbound

    def piece_bytes(self, data: bytes | bytearray) -> int:
        """Return how much of what it sent is processed at once."""
        return piece_bytes(self._reader, data)

    def process(self, data: bytes) -> None:
        """Parse what it sent, act on it and answer; called by the inbound scheduler."""
        reader = self._ensure_reader()
        answers: list[bytes] = []
        has_message = False
        for event in reader.feed(data):
            if not (self.is_subscribed or self.is_waiting_for_token):
                break  # it is being closed
            if isinstance(event, PongReceived):
                self.is_alive = True
            elif isinstance(event, PingReceived):
                pong = encoding.pong(event.payload)
                self._answer(answers, "protocol", pong, defer=self.is_paused)
            else:
                has_message = True
                outcome = self._handle(event)
                if isinstance(outcome, Refusal):
                    self._write_all(answers)
                    self.refuse(outcome)
                    break
                if outcome is not None:
                    self._answer(answers, "contract", outcome, defer=not self.is_live)
        self._write_all([*answers, reader.data_to_send()])
        if has_message or reader.is_idle:
            self.context.registry.messages.end(self)
        if reader.is_idle:
            self._drop_reader()
        elif not reader.is_open:
            self._finish_close(reader)
        else:
            self.context.registry.messages.start(self, time.monotonic())

    def refuse(self, refusal: Refusal) -> None:
        """Send an error frame, and close with its code."""
        self.context.registry.count_refused(refusal)
        self.end_pass()
        self.context.dispatcher.unsubscribe(self)
        self.write(_text_frame(Error(refusal.code, refusal.reason)))
        self._start_close(refusal.code)

    def end_overdue_message(self) -> None:
        """Close, because a message is incomplete for too long; a client may connect again."""
        self.end_pass()
        self._start_close(POLICY_VIOLATION)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what it sent, unsubscribe and unregister it."""
        self.context.inbound.discard(self)
        self._drop_reader()
        super().connection_lost(exc)

    def on_caught_up(self, *, closing: bool) -> None:
        """Send the deferred answers; or close, after the goodbye frame."""
        if closing:
            self.context.dispatcher.unsubscribe(self)
            self._start_close(RESTART)
        elif self._deferred is not None and not self.is_paused:
            deferred, self._deferred = self._deferred, None
            self.write(b"".join(deferred.values()))

    def send_heartbeat(self, heartbeat: HeartbeatFrame) -> None:
        """Write the heartbeat with a ping."""
        self.write(heartbeat.with_ping)

    def _handle(self, message: TextMessage | BinaryMessage) -> bytes | Refusal | None:
        """Act on a message; return the answer, or why the connection must be closed."""
        if isinstance(message, BinaryMessage):
            return Refusal(BAD_MESSAGE, "a binary message; frames are text")
        request = decode_request(message.text)
        if isinstance(request, str):
            return Refusal(BAD_MESSAGE, request)
        if isinstance(request, Ping):
            now = self.context.clock.read()
            return _text_frame(Pong(request.sent, now.wall_ms, queue_offset(now.queue_offset_ms)))
        if isinstance(request, Shown):
            if self.context.shown is not None:
                self.context.shown.receive(self, request)
            return None
        if isinstance(request, Token):
            return self._take_token(request.token)
        if isinstance(request, SubscribeMotion):
            pillows = frozenset(request.pillows)
            is_within = self._take_budget(NAME_COST_BYTES * len(pillows))
            return subscribe_motion(self, pillows) if is_within else _TOO_MANY
        named = frozenset(request.pillows) if isinstance(request.pillows, list) else None
        return self.ask_for(named) if self._may_subscribe(named) else _TOO_MANY

    def _take_token(self, token: str) -> Refusal | None:
        """Let the client in, or let it stay for longer; return why its token does not permit it."""
        if self.context.access is None:
            return None  # a client may send one to any gateway
        # Another token may permit other pillows, and a snapshot of those follows then.
        if not self.is_waiting_for_token and not self._may_subscribe(None):
            return _TOO_MANY
        grant = self.context.access.check(token)
        return grant if isinstance(grant, Refusal) else self.let_in(grant)

    def _may_subscribe(self, filter: frozenset[str] | None) -> bool:
        names_cost = NAME_COST_BYTES * len(filter or ())
        return self._take_budget(max(self.context.dispatcher.snapshot_bytes(filter), names_cost))

    def _take_budget(self, cost: int) -> bool:
        now_s = time.monotonic()
        if self._subscribe_budget is None:
            self._subscribe_budget = SubscribeBudget(now_s)
        fleet = self.context.dispatcher.snapshot_bytes(None)
        rate = self.context.traffic.subscribe_bytes_per_s
        return self._subscribe_budget.take(cost, fleet, rate, now_s)

    def _answer(self, answers: list[bytes], kind: str, answer: bytes, *, defer: bool) -> None:
        """Add an answer to those of this turn; deferred, it replaces an older one of its kind."""
        if defer:
            if self._deferred is None:
                self._deferred = {}
            self._deferred[kind] = answer
        else:
            answers.append(answer)

    def _write_all(self, answers: list[bytes]) -> None:
        """Write answers in one piece and clear the list."""
        data = b"".join(answers)
        answers.clear()
        if data:
            self.write(data)

    def _ensure_reader(self) -> MessageReader:
        if self._reader is None:
            self._reader = MessageReader(deflate=self._deflate)
        return self._reader

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.release()
            self._reader = None

    def _stop_gathering(self) -> None:
        if self._is_gathering:
            self._is_gathering = False
            gather(self.transport, 1)

    def _start_close(self, code: int) -> None:
        self._stop_gathering()  # what is unread at the end would make it a reset
        reader = self._ensure_reader()
        reader.close(code)
        self.write(reader.data_to_send())
        self._finish_close(reader)

    def _finish_close(self, reader: MessageReader) -> None:
        """Close TCP if the closing handshake is complete; else the registry does, soon."""
        self.context.dispatcher.unsubscribe(self)
        self.context.registry.start_closing(self)
        if reader.is_over and not reader.has_failed:
            self.transport.close()


def _text_frame(frame: ServerFrame) -> bytes:
    """Encode a frame for one client alone."""
    return Frame(encode_frame(frame)).websocket
