"""One client's connection: what the WebSocket and the event stream have in common.

Ten thousand of these may be idle, so each is a protocol object with slots: it has no task, no queue
and no buffer of its own.
"""

import asyncio
from dataclasses import replace
from typing import Final

from contract.frames import FULL
from gateway.auth.grants import Grant
from gateway.fanout.encoding import Encoding
from gateway.fanout.subscriptions import Filter, Subscriber
from gateway.transport.access import Pass, restricted
from gateway.transport.admission import Admission, Refusal, SubscriptionRequest
from gateway.transport.connections import Stage
from gateway.transport.context import TransportContext
from gateway.transport.heartbeat import HeartbeatFrame
from gateway.transport.unread import descriptor_of, unread_bytes

_COPIED_BYTES: Final = 16_384
"""From this size on, bytes that many connections share are not copied behind the response head."""


class ClientConnection(Subscriber, asyncio.Protocol):
    """A client, from its admission until its connection is lost.

    `is_alive` is set by any sign of life since the last heartbeat.
    """

    __slots__ = ("_pass", "_response", "_unread", "context", "is_alive", "transport")

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
        self._unread = 0  # at the last heartbeat, in bytes

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

    def enter(self, admission: Admission) -> None:
        """Subscribe it, or wait for its token where one is needed and did not come yet."""
        access = self.context.access
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
        self.context.dispatcher.change_filter(self, filter)
        return None

    def end_pass(self) -> None:
        """Forget what its token permits; no later one lets it in."""
        if self._pass is not None and self.context.access is not None:
            self.context.access.leave(self, self._pass)
            self._pass.is_over = True

    def _subscribe(self, request: SubscriptionRequest) -> None:
        """Send it a snapshot of what it asked for, and updates from then on."""
        self.context.registry.register(self)
        self.context.dispatcher.subscribe(self, request.filter, self.encoding, request.resume_from)

    def connection_lost(self, exc: Exception | None) -> None:
        """Unsubscribe and unregister it."""
        self.end_pass()
        self.context.dispatcher.unsubscribe(self)
        self.context.registry.unregister(self)

    def pause_writing(self) -> None:
        """Skip it, because it does not read."""
        self.context.dispatcher.pause(self)

    def resume_writing(self) -> None:
        """Send it the newest states of what it missed."""
        self.is_alive = True
        self.context.dispatcher.resume(self)

    def eof_received(self) -> None:
        """Send nothing more; what it has not read by the next heartbeat is dropped."""
        self.context.dispatcher.unsubscribe(self)
        self.is_alive = False

    def abort(self) -> None:
        """Unsubscribe it and close the connection without flushing."""
        self.context.dispatcher.unsubscribe(self)
        self.transport.abort()

    def shutdown(self) -> None:
        """Abort: the server stops, and clients that read have received the goodbye frame."""
        self.abort()

    def check(self, heartbeat: HeartbeatFrame) -> None:
        """Send a heartbeat; abort the connection if it gave no sign of life since the last.

        A ping to a slow reader is queued behind other data, so progress in reading counts as alive.
        A pong may also still be in the inbound scheduler.
        """
        unread = unread_bytes(self.transport, self.descriptor) if self.is_paused else 0
        may_have_answered = self.has_unprocessed_input and not self.is_paused
        if self.is_alive or may_have_answered or unread < self._unread:
            self._unread, self.is_alive = unread, False
            if self.is_live:
                self.send_heartbeat(heartbeat)
        else:
            self.abort()

    def send_heartbeat(self, heartbeat: HeartbeatFrame) -> None:
        """Write the heartbeat, and what makes the peer answer."""
        raise NotImplementedError
