"""A broker in memory: it retains, confirms in order, and tells each session of the others."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from contract.updates import Update
from runtime.mqtt import BrokerLost, PublishRefused
from tests.fakes.calls import Calls, Fault

LOST: Final = "mqtt://fake: gone"
REFUSED: Final = "the broker refused a publish (Not authorized)"


class Listener(Protocol):
    """Whom a session tells what it hears: the worker."""

    def see(self, update: Update) -> None:
        """Take in a state that the broker sent."""

    def broker_ready(self) -> None:
        """Take in that the broker has told all it retains."""

    def broker_lost(self) -> None:
        """Take in that the broker is gone."""


class BrokerServer:
    """Retains the newest publish of each pillow and hands it on to every other session."""

    def __init__(self) -> None:
        self.retained: dict[str, Update] = {}
        self.taken: list[Update] = []
        self.letters: list[bytes] = []
        self.known: dict[str, tuple[int, int]] = {}
        """The newest state of each pillow that some poller knows the broker to have had."""
        self.out_of_order: list[Update] = []
        self.sessions: list[FakeBroker] = []
        self.refuses: Callable[[Update], bool] = lambda _update: False
        self.hangs_up_on: Callable[[Update], bool] = lambda _update: False
        self.never_confirms: Callable[[Update], bool] = lambda _update: False

    def go(self) -> None:
        """End every connection."""
        for session in self.sessions:
            session.lose()

    def come(self) -> None:
        """Let every session connect again."""
        for session in self.sessions:
            session.connect()


class FakeBroker:
    """One process's session with a broker server; a way there takes `latency_s()`, and one back.

    A lost connection comes back by itself after `away_s`, or, where that is None, when it is told.
    For `unnoticed_s` it still calls itself ready, as a real one does until its end is handled.
    With `echoes` it hears its own publishes, as every client of MQTT 3.1.1 does.
    """

    def __init__(
        self,
        server: BrokerServer,
        calls: Calls,
        *,
        latency_s: Callable[[], float] = lambda: 0.005,
        away_s: float | None = None,
        unnoticed_s: float = 0.0,
        echoes: bool = False,
    ) -> None:
        self.server = server
        self.calls = calls
        self.listener: Listener | None = None
        self.away_s = away_s
        self.losses = 0
        self.most_in_flight = 0
        self._unnoticed_s = unnoticed_s
        self._echoes = echoes
        self._there = _Line(latency_s)
        self._back = _Line(latency_s)
        self._ready = asyncio.Event()
        self._connected = False
        self._in_flight: set[asyncio.Future[None]] = set()
        self._taken: dict[str, tuple[int, int]] = {}
        self._told: set[bytes] = set()
        self._timers: list[asyncio.TimerHandle] = []
        server.sessions.append(self)

    # The worker's side

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        await self._ready.wait()

    def publish_state(self, update: Update, traceparent: str | None) -> asyncio.Future[None]:
        return self._send("publish_state", update)

    def announce(self, letter: bytes) -> asyncio.Future[None]:
        return self._send("announce", letter)

    # The test's side

    def connect(self) -> None:
        """Connect, hear all that is retained, and be ready."""
        if self._connected or self.calls.crashed.is_set():
            return
        self._connected = True
        self._taken.clear()
        for update in tuple(self.server.retained.values()):
            self._hear(update)
        self._ready.set()
        if self.listener is not None:
            self.listener.broker_ready()

    def lose(self) -> None:
        """Lose the connection and all that is on its way."""
        if not self._connected:
            return
        self._connected = False
        self.losses += 1
        self._there.cut()
        self._back.cut()
        if self._unnoticed_s:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(self._unnoticed_s, self._notice))
        else:
            self._notice()

    def close(self) -> None:
        """Leave for good."""
        self.away_s = None
        self.lose()
        for timer in self._timers:
            timer.cancel()
        self.server.sessions.remove(self)

    def _notice(self) -> None:
        for confirmed in tuple(self._in_flight):
            if not confirmed.done():
                _fail(confirmed, BrokerLost(LOST))
        self._ready.clear()
        if self.listener is not None and not self.calls.crashed.is_set():
            self.listener.broker_lost()
        if self.away_s is not None:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(self.away_s, self.connect))

    def _hear(self, update: Update) -> None:
        if self.calls.crashed.is_set():
            return
        self._know(update)
        if self.listener is not None:
            self.listener.see(update)

    def _know(self, update: Update) -> None:
        self._told.add(_told(update))
        known = self.server.known
        known[update.pillow] = max(known.get(update.pillow, update.order), update.order)

    def _send(self, act: str, what: Update | bytes) -> asyncio.Future[None]:
        fault = self.calls.begin(act)
        if not self._connected:
            raise BrokerLost(LOST)
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._in_flight.add(confirmed)
        self.most_in_flight = max(self.most_in_flight, len(self._in_flight))
        confirmed.add_done_callback(self._in_flight.discard)
        self._there.send(lambda: self._arrive(what, fault, confirmed))
        return confirmed

    def _arrive(
        self, what: Update | bytes, fault: Fault | None, confirmed: asyncio.Future[None]
    ) -> None:
        server, state = self.server, what if isinstance(what, Update) else None
        if fault is Fault.CRASH_BEFORE:
            self.calls.crash()
        if self.calls.crashed.is_set():
            return
        if fault is Fault.LOST_REQUEST or (state and server.hangs_up_on(state)):
            self.lose()
            return
        refused = fault in (Fault.DENIED, Fault.THROTTLED) or (
            state is not None and server.refuses(state)
        )
        if not refused:
            self._take(what)
        if fault is Fault.CRASH_AFTER:
            self.calls.crash()
        elif fault is Fault.LOST_ANSWER:
            self.lose()
        elif not (state and server.never_confirms(state)):
            self._back.send(lambda: self._confirm(state, confirmed, refused=refused))

    def _take(self, what: Update | bytes) -> None:
        server = self.server
        if isinstance(what, bytes):
            server.letters.append(what)
            return
        # What was confirmed or heard before is sent again to heal: then it comes after a newer one.
        if _told(what) not in self._told:
            if what.order < self._taken.get(what.pillow, what.order):
                server.out_of_order.append(what)
            self._taken[what.pillow] = what.order
        server.retained[what.pillow] = what
        server.taken.append(what)
        for session in server.sessions:
            if session._connected and (session is not self or self._echoes):
                session._back.send(partial(session._hear, what))

    def _confirm(
        self, state: Update | None, confirmed: asyncio.Future[None], *, refused: bool
    ) -> None:
        if self.calls.crashed.is_set() or confirmed.done():
            return
        if refused:
            _fail(confirmed, PublishRefused(REFUSED))
            return
        if state is not None:
            self._know(state)
        confirmed.set_result(None)


class _Line:
    """One direction of a connection: everything arrives late, and in its order.

    What is due at the same moment arrives before anyone who waits for it goes on, as the packets
    do that one read brings.
    """

    def __init__(self, latency_s: Callable[[], float]) -> None:
        self._latency_s = latency_s
        self._last = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._timers: deque[asyncio.TimerHandle] = deque()

    def send(self, arrive: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._last = max(self._last, loop.time() + self._latency_s())
        self._waiting.append(arrive)
        self._timers.append(loop.call_at(self._last, self._arrived))

    def cut(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._waiting.clear()

    def _arrived(self) -> None:
        self._timers.popleft()
        self._waiting.popleft()()


def _told(update: Update) -> bytes:
    """What it says, hops apart: they are the last field a poller writes."""
    return update.payload.rpartition(b',"hops":')[0]


def _fail(confirmed: asyncio.Future[None], error: Exception) -> None:
    confirmed.set_exception(error)
    confirmed.exception()  # whoever gave up waiting is no unhandled error
