"""A broker in memory: it retains states, confirms in order, and forwards to other sessions."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from contract.queue_report import QueueReport
from contract.updates import Update
from poller.journal.save_marks import SaveMark, encode_mark
from poller.publish.mqtt_state_publisher import OTHER_POLLER_S
from poller.publish.state_publisher import BrokerEventHandler, PillowObserver, RoleListener
from runtime.mqtt import BrokerLost, Message, PublishRefused, PublishTooLarge
from runtime.mqtt.properties import publish_properties
from tests.fakes.calls import Calls, Fault

LOST: Final = "mqtt://fake: gone"
REFUSED: Final = "the broker refused a publish (Not authorized); check its ACL"

_LENGTH_BYTES: Final = 1
"""The bytes before the properties, which tell the length of those that the poller sends."""


class BrokerServer:
    """Retains the last publish of each pillow, and forwards it to every other session."""

    def __init__(self) -> None:
        self.retained: dict[str, Update] = {}
        self.accepted: list[Update] = []
        self.letters: list[bytes] = []
        self.known: dict[str, tuple[int, int]] = {}
        """The newest state of each pillow that the broker confirmed or sent to some session."""
        self.out_of_order: list[Update] = []
        self.sessions: list[FakeBroker] = []
        self.refuses: Callable[[Update], bool] = lambda _update: False
        self.finds_too_large: Callable[[Update], bool] = lambda _update: False
        self.disconnects_on: Callable[[Update], bool] = lambda _update: False
        self.never_confirms: Callable[[Update], bool] = lambda _update: False

        self.marks: dict[str, bytes] = {}
        """The retained save mark of each journal."""
        self.role: bytes | None = None
        """What the active poller said, retained."""
        self.refuses_roles = False
        self.values: dict[str, Message] = {}
        """What is retained beside states and marks, by topic."""
        self.published: list[Message] = []
        """Every value that was published beside states and marks."""
        self.refuses_values = False
        self._saved: tuple[dict[str, Update], dict[str, bytes], dict[str, Message]] = ({}, {}, {})

    def save(self) -> None:
        """Save what is retained, as a broker does from time to time."""
        self._saved = (dict(self.retained), dict(self.marks), dict(self.values))

    def crash(self) -> None:
        """End every connection, and retain only what was saved."""
        self.disconnect_all()
        retained, marks, values = self._saved
        self.retained, self.marks, self.values = dict(retained), dict(marks), dict(values)

    def remove(self, pillow: str) -> None:
        """Remove a pillow, as a client does with an empty retained payload."""
        del self.retained[pillow]
        for session in self.sessions:
            session.receive_removal(pillow)

    def publish(self, topic: str, payload: bytes, properties: bytes = b"") -> None:
        """Retain a value, as a client does that is no poller, and send it to every session."""
        self.accept_value(Message(topic, payload, False, None, properties), sender=None)

    def accept_value(self, message: Message, *, sender: "FakeBroker | None") -> None:
        """Retain a value, and forward it."""
        self.published.append(message)
        if message.payload:
            self.values[message.topic] = message._replace(retained=True)
        else:
            self.values.pop(message.topic, None)
        for session in self.sessions:
            if session is not sender or sender.loops_back:
                session.receive_value(message)

    def disconnect_all(self) -> None:
        """End every connection."""
        for session in self.sessions:
            session.lose()

    def connect_all(self) -> None:
        """Connect every session."""
        for session in self.sessions:
            session.connect()


class FakeBroker:
    """One process's session with a broker server; each direction takes `latency_s()` seconds.

    A lost connection is made again after `reconnect_s` seconds, or by `connect` if that is None.
    For `unnoticed_s` seconds after a loss it still reports ready, as a real one does until the
    loss is handled.
    With `loop_back` it receives its own publishes, as every client of MQTT 3.1.1 does.
    """

    def __init__(
        self,
        server: BrokerServer,
        calls: Calls,
        *,
        latency_s: Callable[[], float] = lambda: 0.005,
        reconnect_s: float | None = None,
        unnoticed_s: float = 0.0,
        loop_back: bool = False,
    ) -> None:
        self.server = server
        self.calls = calls
        self.listener: BrokerEventHandler | None = None
        self.pollers: RoleListener | None = None
        self.observers: Sequence[PillowObserver] = ()
        self.reconnect_s = reconnect_s
        self.losses = 0
        self.most_in_flight = 0
        self._unnoticed_s = unnoticed_s
        self.loops_back = loop_back
        self._outgoing = _Line(latency_s)
        self._incoming = _Line(latency_s)
        self._ready = asyncio.Event()
        self._connected = False
        self._in_flight: set[asyncio.Future[None]] = set()
        self._sent_orders: dict[str, tuple[int, int]] = {}
        self._seen: set[bytes] = set()
        self._timers: list[asyncio.TimerHandle] = []
        self._other_poller_s = -math.inf
        self.queue_reports: list[QueueReport] = []
        server.sessions.append(self)

    # StatePublisher

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    @property
    def shares_queue(self) -> bool:
        return asyncio.get_running_loop().time() - self._other_poller_s < OTHER_POLLER_S

    async def wait_ready(self) -> None:
        await self._ready.wait()

    @property
    def delivers_retained(self) -> bool:
        return True

    @property
    def has_properties(self) -> bool:
        return not self.loops_back

    def publish_retained(
        self,
        topic: str,
        payload: bytes,
        *,
        expiry_s: int | None,
        user_properties: Sequence[tuple[str, str]] = (),
    ) -> asyncio.Future[None]:
        confirmed = self._begin()
        packed = b""
        if self.has_properties:
            packed = publish_properties(None, expiry_s, tuple(user_properties))[_LENGTH_BYTES:]
        message = Message(topic, payload, False, expiry_s, packed)
        self._outgoing.send(partial(self._arrive_value, message, confirmed))
        return confirmed

    def publish_mark(self, mark: SaveMark) -> asyncio.Future[None]:
        confirmed = self._begin()
        self._outgoing.send(lambda: self._arrive_mark(mark, confirmed))
        return confirmed

    @property
    def connections(self) -> int:
        return 1

    def publish_queue_report(self, report: QueueReport) -> asyncio.Future[None]:
        if not self._connected:
            raise BrokerLost(LOST)
        self.queue_reports.append(report)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        confirmed.set_result(None)
        return confirmed

    def publish_role(self, role: bytes, *, retain: bool) -> asyncio.Future[None]:
        confirmed = self._begin()
        self._outgoing.send(lambda: self._arrive_role(role, confirmed, retain=retain))
        return confirmed

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        sent = self._send("publish_state", update)
        for observer in self.observers:
            observer.on_state(update, "own")
        return sent

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        return self._send("announce", letter)

    # For tests

    def connect(self) -> None:
        """Connect, receive every retained state, and become ready."""
        if self._connected or self.calls.crashed.is_set():
            return
        self._connected = True
        self._sent_orders.clear()
        if self.listener is not None:
            self.listener.on_connecting()
            for mark in self.server.marks.values():
                self.listener.on_mark(mark)
        if self.pollers is not None:
            self.pollers.on_connecting()
        for observer in self.observers:
            observer.on_connecting()
        for update in tuple(self.server.retained.values()):
            self._receive(update, is_retained=True)
        for value in tuple(self.server.values.values()):
            self._deliver(value)
        if self.server.role is not None:
            self._receive_role(self.server.role)
        self._ready.set()
        for handler in (self.listener, self.pollers, *self.observers):
            if handler is not None:
                handler.on_ready()

    def lose(self) -> None:
        """Lose the connection, with everything that is in transit."""
        if not self._connected:
            return
        self._connected = False
        self.losses += 1
        self._outgoing.cut()
        self._incoming.cut()
        if self._unnoticed_s:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(self._unnoticed_s, self._on_loss))
        else:
            self._on_loss()

    def receive_removal(self, pillow: str) -> None:
        """Receive the removal of a pillow, if it is connected."""
        if self._connected:
            self._incoming.send(partial(self._removed, pillow))

    def _removed(self, pillow: str) -> None:
        if self.listener is not None and not self.calls.crashed.is_set():
            self.listener.on_removed(pillow)
            for observer in self.observers:
                observer.on_removed(pillow)

    def receive_value(self, message: Message) -> None:
        """Receive what another client retains beside states, if it is connected."""
        if self._connected:
            self._incoming.send(partial(self._deliver, message))

    def _deliver(self, message: Message) -> None:
        if not self.calls.crashed.is_set():
            for observer in self.observers:
                observer.on_message(message)

    def close(self) -> None:
        """Disconnect and do not connect again."""
        self.reconnect_s = None
        self.lose()
        for timer in self._timers:
            timer.cancel()
        self.server.sessions.remove(self)

    def _on_loss(self) -> None:
        for confirmed in tuple(self._in_flight):
            if not confirmed.done():
                _fail(confirmed, BrokerLost(LOST))
        self._ready.clear()
        for handler in (self.listener, self.pollers):
            if handler is not None and not self.calls.crashed.is_set():
                handler.on_lost()
        if self.reconnect_s is not None:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(self.reconnect_s, self.connect))

    def _receive(self, update: Update, *, is_retained: bool = False) -> None:
        if self.calls.crashed.is_set():
            return
        self._mark_known(update)
        if self.listener is not None:
            self.listener.on_state(update)
        for observer in self.observers:
            observer.on_state(update, "retained" if is_retained else "other")

    def _mark_known(self, update: Update) -> None:
        self._seen.add(_content(update))
        known = self.server.known
        known[update.pillow] = max(known.get(update.pillow, update.order), update.order)

    def _begin(self) -> asyncio.Future[None]:
        """Begin a publish; the future is done when the broker has confirmed it."""
        if not self._connected:
            raise BrokerLost(LOST)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in_flight.add(confirmed)
        confirmed.add_done_callback(self._in_flight.discard)
        return confirmed

    def _send(self, operation: str, what: Update | bytes) -> asyncio.Future[None]:
        fault, confirmed = self.calls.begin(operation), self._begin()
        self.most_in_flight = max(self.most_in_flight, len(self._in_flight))
        self._outgoing.send(lambda: self._arrive(what, fault, confirmed))
        return confirmed

    def _arrive(
        self, what: Update | bytes, fault: Fault | None, confirmed: asyncio.Future[None]
    ) -> None:
        server, state = self.server, what if isinstance(what, Update) else None
        if fault is Fault.CRASH_BEFORE:
            self.calls.crash()
        if self.calls.crashed.is_set():
            return
        if fault is Fault.LOST_REQUEST or (state and server.disconnects_on(state)):
            self.lose()
            return
        refused = fault in (Fault.DENIED, Fault.THROTTLED) or (
            state is not None and server.refuses(state)
        )
        if not refused and not (state and server.finds_too_large(state)):
            self._accept(what)
        if fault is Fault.CRASH_AFTER:
            self.calls.crash()
        elif fault is Fault.LOST_ANSWER:
            self.lose()
        elif not (state and server.never_confirms(state)):
            self._incoming.send(lambda: self._confirm(state, confirmed, refused=refused))

    def _arrive_mark(self, mark: SaveMark, confirmed: asyncio.Future[None]) -> None:
        if not self.calls.crashed.is_set():
            self.server.marks[mark.journal] = encode_mark(mark)
            self._incoming.send(lambda: None if confirmed.done() else confirmed.set_result(None))

    def _arrive_role(self, role: bytes, confirmed: asyncio.Future[None], *, retain: bool) -> None:
        if self.calls.crashed.is_set():
            return
        is_refused = self.server.refuses_roles
        if not is_refused:
            self._accept_role(role, retain=retain)
        self._incoming.send(partial(self._confirm, None, confirmed, refused=is_refused))

    def _accept_role(self, role: bytes, *, retain: bool) -> None:
        if retain:
            self.server.role = role
        for session in self.server.sessions:
            if session._connected and (session is not self or self.loops_back):
                session._incoming.send(partial(session._receive_role, role))

    def _receive_role(self, role: bytes) -> None:
        if self.pollers is not None and not self.calls.crashed.is_set():
            self.pollers.on_role(role)

    def _arrive_value(self, message: Message, confirmed: asyncio.Future[None]) -> None:
        if self.calls.crashed.is_set():
            return
        is_refused = self.server.refuses_values
        if not is_refused:
            self.server.accept_value(message, sender=self)
        self._incoming.send(partial(self._confirm, None, confirmed, refused=is_refused))

    def _accept(self, what: Update | bytes) -> None:
        server = self.server
        if isinstance(what, bytes):
            server.letters.append(what)
            return
        # A state that was confirmed or received before may be published again after a newer one.
        if _content(what) not in self._seen:
            if what.order < self._sent_orders.get(what.pillow, what.order):
                server.out_of_order.append(what)
            self._sent_orders[what.pillow] = what.order
        server.retained[what.pillow] = what
        server.accepted.append(what)
        for session in server.sessions:
            if session._connected and (session is not self or self.loops_back):
                session._incoming.send(partial(session._receive, what))
            if session is not self:
                session._other_poller_s = asyncio.get_running_loop().time()

    def _confirm(
        self, state: Update | None, confirmed: asyncio.Future[None], *, refused: bool
    ) -> None:
        if self.calls.crashed.is_set() or confirmed.done():
            return
        if refused:
            _fail(confirmed, PublishRefused(REFUSED))
            return
        if state is not None and self.server.finds_too_large(state):
            _fail(confirmed, PublishTooLarge("a publish has 2000 bytes; raise the limit"))
            return
        if state is not None:
            self._mark_known(state)
        confirmed.set_result(None)


class _Line:
    """One direction of a connection: it delays packets and keeps their order.

    Packets that are due at the same moment arrive before any task that waits for one continues,
    like packets of one read.
    """

    def __init__(self, latency_s: Callable[[], float]) -> None:
        self._latency_s = latency_s
        self._last = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._timers: set[asyncio.TimerHandle] = set()

    def send(self, arrive: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._last = max(self._last, loop.time() + self._latency_s())
        self._waiting.append(arrive)

        def arrived() -> None:
            # Timers of one moment fire in any order, so each names itself.
            self._timers.discard(timer)
            self._waiting.popleft()()

        timer = loop.call_at(self._last, arrived)
        self._timers.add(timer)

    def cut(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._waiting.clear()


def _content(update: Update) -> bytes:
    """Return the payload without its hops, the last field that a poller writes."""
    return update.payload.rpartition(b',"hops":')[0]


def _fail(confirmed: asyncio.Future[None], error: Exception) -> None:
    confirmed.set_exception(error)
    confirmed.exception()  # a caller that was cancelled leaves no unhandled error
