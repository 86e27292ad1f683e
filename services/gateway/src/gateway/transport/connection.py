"""One client's connection: what the WebSocket and the event stream have in common.

Ten thousand of these may be idle, so each is a protocol object with slots: it has no task, no queue
and no buffer of its own.
"""

import asyncio
from dataclasses import replace
from typing import Final

from contract.frames import FULL, HEARTBEAT_S
from gateway.auth.grants import Grant
from gateway.fanout.encoding import Encoding
from gateway.fanout.subscriptions import Filter, Subscriber
from gateway.transport.access import Pass, restricted
from gateway.transport.address_limiter import NOT_COUNTED
from gateway.transport.admission import Admission, Refusal, SubscriptionRequest
from gateway.transport.connections import Stage
from gateway.transport.context import TransportContext
from gateway.transport.heartbeat import HeartbeatFrame
from gateway.transport.liveness import may_be_reading
from gateway.transport.unread import PeerProgress, descriptor_of, read_peer

_COPIED_BYTES: Final = 16_384
"""From this size on, bytes that many connections share are not copied behind the response head."""


class ClientConnection(Subscriber, asyncio.Protocol):
    """A client, from its admission until its connection is lost.

    `is_alive` is set by any sign of life since the last heartbeat.
    """

    __slots__ = (
        "_acknowledged", "_pass", "_response", "_silent_heartbeats", "context", "is_alive",
        "opened_us", "pauses", "quota", "transport",
    )  # fmt: skip

    kind: str
    """The transport's name, as in connections.TRANSPORTS."""

    def __init__(
        self, context: TransportContext, transport: asyncio.Transport, response: bytes
    ) -> None:
        """`response` answers the HTTP request; it is sent in one piece with the first frame."""
        super().__init__(descriptor_of(transport))
        self.transport = transport
        self.context = context
        self._response = response
        self.is_alive = True
        self._pass: Pass | None = None  # where a token is needed
        self._silent_heartbeats = 0  # since the last sign of life
        self._acknowledged = 0  # by the peer's system at a sign of life, in bytes
        self.quota = NOT_COUNTED
        self.opened_us = 0  # since the start of the process, set by the registry; it is its id
        self.pauses = 0  # how often it read too slowly

        # With a high-water mark of 0 the transport calls `pause_writing` as soon as the system's
        # buffer is full, so that a live connection never has buffered data. Only the response to an
        # earlier request may be in the buffer now.
        if transport.get_write_buffer_size() > 0:
            context.dispatcher.pause(self)
        transport.set_write_buffer_limits(high=0)

    def write(self, data: bytes | memoryview, /) -> None:
        """Write through the transport; the first write sends the response before the data."""
        response, self._response = self._response, b""
        if not response:
            self.transport.write(data)
        elif len(data) < _COPIED_BYTES:
            self.transport.write(response + data)
        else:
            self.transport.writelines((response, data))

    @property
    def has_unprocessed_input(self) -> bool:
        """Whether data that it sent waits in the inbound scheduler."""
        return False

    def end_overdue_message(self) -> None:
        """Close it, because a message is incomplete for too long; an event stream has none."""

    @property
    def encoding(self) -> Encoding:
        """How its frames are encoded."""
        raise NotImplementedError

    def refuse(self, refusal: Refusal) -> None:
        """Send the client the reason, and close."""
        raise NotImplementedError

    @property
    def is_waiting_for_token(self) -> bool:
        """Whether it gets nothing until a token message lets it in."""
        return self._pass is not None and self._pass.is_waiting

    @property
    def grant(self) -> Grant | None:
        """What its token permits; None where none is needed, or none came yet."""
        return None if self._pass is None else self._pass.grant

    def enter(self, admission: Admission) -> None:
        """Subscribe it, or wait for its token where one is needed and did not come yet."""
        access = self.context.access
        self.has_motion = admission.asked.has_motion
        if access is None:
            self._subscribe(admission.asked)
            return
        self._pass = Pass(admission.asked)
        if admission.grant is not None:
            access.let_in(self, self._pass, admission.grant)
            self._subscribe(admission.permitted)
            return
        self.context.registry.move(self, Stage.PENDING, Stage.PENDING)
        self.write(b"")  # the response, which a browser awaits before it sends a message
        access.await_token(self, self._pass)

    def let_in(self, grant: Grant) -> Refusal | None:
        """Give it what a token permits, the first one or a later one; return why it gets nothing.

        A later token that permits other pillows begins with a full snapshot of those.
        """
        access, held = self.context.access, self._pass
        assert access is not None, "a token arrives where none is needed"
        assert held is not None, "a token arrives before the connection was admitted"
        request = restricted(held.asked, grant)
        if isinstance(request, Refusal):
            return request
        is_first = held.is_waiting
        if is_first and self.context.is_full:
            return Refusal(FULL, "as many clients are connected as may be; try again later")
        before = self.group.filter if self.group is not None else None
        too_many = self.context.refusal_of_names(request.filter)
        if too_many is not None:
            return too_many
        access.let_in(self, held, grant)
        if is_first:
            self._subscribe(request)
        elif request.filter != before and self.is_subscribed:
            self.context.dispatcher.change_filter(self, request.filter)
        return None

    def ask_for(self, pillows: frozenset[str] | None) -> Refusal | None:
        """Give it other pillows from now on; return why it may not have them."""
        held = self._pass
        filter: Filter = pillows
        if held is not None:
            held.asked = replace(held.asked, filter=pillows)
            if held.grant is None:
                return None
            request = restricted(held.asked, held.grant)
            if isinstance(request, Refusal):
                return request
            filter = request.filter
        too_many = self.context.refusal_of_names(filter)
        if too_many is None:
            self.context.dispatcher.change_filter(self, filter)
        return too_many

    def end_pass(self) -> None:
        """Forget what its token permits; no later one lets it in."""
        if self._pass is not None and self.context.access is not None:
            self.context.access.leave(self, self._pass)
            self._pass.is_over = True

    def _subscribe(self, request: SubscriptionRequest) -> None:
        """Send it a snapshot of what it asked for, and updates from then on."""
        self.context.registry.register(self)
        self.context.dispatcher.subscribe(self, request.filter, self.encoding, request.resume_from)

    def read_again(self) -> None:
        """Read on, after its rest."""
        self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Unsubscribe and unregister it."""
        self.context.inbound.forget_rest(self)
        self.end_pass()
        self.context.dispatcher.unsubscribe(self)
        self.context.registry.unregister(self)
        self.quota.release()

    def pause_writing(self) -> None:
        """Skip it, because it does not read."""
        self.pauses += 1
        self.context.dispatcher.pause(self)

    def resume_writing(self) -> None:
        """Send it the newest states of what it missed."""
        self.is_alive = True
        self.context.dispatcher.resume(self)

    def eof_received(self) -> bool:
        """Send nothing more, and close; what it has not read by the next heartbeat is dropped."""
        self.context.dispatcher.unsubscribe(self)
        self.is_alive = False
        return self.context.closings.close_in_turn(self.transport)

    def abort(self) -> None:
        """Unsubscribe it and close the connection without flushing."""
        self.context.dispatcher.unsubscribe(self)
        self.transport.abort()

    def shutdown(self) -> None:
        """Abort: the server stops, and clients that read have received the goodbye frame."""
        self.abort()

    def check(self, heartbeat: HeartbeatFrame) -> None:
        """Send a heartbeat; abort the connection if its peer is dead.

        A peer without a sign of life is dead if its system does not answer, if it had time to read
        all that it was sent, or after GATEWAY_CLIENT_TIMEOUT. Until then it loses its place only to
        another client.
        """
        if not self.is_subscribed:
            self.abort()  # its peer has ended its own side
            return
        is_alive = self.has_answered
        if not is_alive or heartbeat.is_survey:
            peer = read_peer(self.transport, self.descriptor)
            is_alive = is_alive or self.makes_progress(peer.acknowledged - self._acknowledged)
            if not is_alive and self._is_dead(peer):
                self.context.registry.count_dead()
                self.abort()
                return
            if is_alive:
                self._acknowledged = peer.acknowledged
        self._note_life(is_alive=is_alive)
        self.is_alive = False
        if self.is_live:
            self.send_heartbeat(heartbeat)

    @property
    def has_answered(self) -> bool:
        """Whether it gave a sign of life since the last heartbeat."""
        # A pong may still be in the inbound scheduler.
        return self.is_alive or (self.has_unprocessed_input and not self.is_paused)

    def makes_progress(self, acknowledged_bytes: int) -> bool:
        """Return whether that its system has acknowledged so much is a sign of life.

        It is where the system has taken no more before: a ping is queued behind other data.
        """
        return self.is_paused and acknowledged_bytes > 0

    def owes_answer(self, outstanding_bytes: int) -> bool:
        """Return whether it had time to answer a ping behind so much data."""
        return not may_be_reading(outstanding_bytes, self._silent_heartbeats + 1)

    def _is_dead(self, peer: PeerProgress) -> bool:
        """Return whether a peer without a sign of life is dead."""
        silent_s = (self._silent_heartbeats + 1) * HEARTBEAT_S
        outstanding = peer.acknowledged - self._acknowledged + peer.unread
        return (
            peer.is_gone
            or silent_s >= self.context.traffic.client_s
            or self.owes_answer(outstanding)
        )

    def _note_life(self, *, is_alive: bool) -> None:
        if not is_alive:
            self._silent_heartbeats += 1
            if self._silent_heartbeats > 1:  # the system of a slow reader may tell nothing so long
                self.context.registry.note_silent(self)
        elif self._silent_heartbeats:
            self._silent_heartbeats = 0
            self.context.registry.note_alive(self)

    def send_heartbeat(self, heartbeat: HeartbeatFrame) -> None:
        """Write the heartbeat, and what makes the peer answer."""
        raise NotImplementedError
