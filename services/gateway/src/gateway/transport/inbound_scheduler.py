"""Inbound scheduler: fair queueing of what clients send, within a budget of the loop's time.

A small piece of data is processed at once while the budget allows it.
A connection that sends more than a piece, or while the budget is used up, is not read from until
its turn in a round robin: the data waits in the client's own system, and updates are sent to
everyone meanwhile. Updates that are about to be sent go first.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol, Self

from gateway.transport.loop_budget import LoopBudget
from gateway.transport.reading_rests import ReadingRests, Rested

PART_BYTES: Final = 1024
"""Below this, what comes is a small part. Most segments of TCP are larger."""

RECEIVED_COST_S: Final = 10e-6
"""What is charged for the way of data from the system to here, in seconds, however little it is."""


class Receiver(Rested, Protocol):
    """A connection whose inbound data is scheduled."""

    def piece_bytes(self, data: bytes | bytearray) -> int:
        """Return how many of these bytes are processed at once, one at least."""

    def process(self, data: bytes) -> None:
        """Parse a piece and act on it."""


class _Turn:
    """A task that waits for its turn; what it does then is charged by itself."""

    def __init__(self) -> None:
        self.taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def transport(self) -> Self:
        """Itself."""
        return self

    def pause_reading(self) -> None:
        """Do nothing: it reads nothing."""

    resume_reading = read_again = pause_reading

    def is_closing(self) -> bool:
        """It is not closed."""
        return False

    def piece_bytes(self, data: bytes | bytearray) -> int:
        """It has no data."""
        return len(data)

    def process(self, data: bytes) -> None:
        """Let the task go on."""
        if not self.taken.done():
            self.taken.set_result(None)


class InboundScheduler:
    """The connections with unprocessed data; the data of each is processed in order.

    There is one for what clients send on streams, and one for handshakes and HTTP.
    """

    def __init__(
        self,
        budget: LoopBudget,
        on_delayed: Callable[[], None] | None = None,
        has_updates: Callable[[], bool] = lambda: False,
    ) -> None:
        """`on_delayed` is called for each that waits because the share of the time is used up.

        `has_updates` returns whether updates are sent in the next turn of the event loop.
        """
        self._budget = budget
        self._on_delayed = on_delayed
        self._has_updates = has_updates
        self._has_given_way = False  # to updates, in the last turn
        self._waiting: dict[Receiver, bytearray] = {}  # in the order of their turns
        self._rests = ReadingRests()
        self._timer: asyncio.Handle | None = None

    def __contains__(self, receiver: object) -> bool:
        """Return whether data of a connection is unprocessed, or may wait in the system."""
        return receiver in self._waiting or receiver in self._rests

    def __len__(self) -> int:
        """Return how many connections and tasks wait."""
        return len(self._waiting)

    @property
    def resting(self) -> int:
        """How many connections are not read from for a while."""
        return len(self._rests)

    def schedule(self, receiver: Receiver, data: bytes) -> None:
        """Process the data now, or queue it and pause reading."""
        if not self._waiting and self._may_work_at_once and receiver.piece_bytes(data) == len(data):
            self._budget.charge(RECEIVED_COST_S)
            self._process(receiver, data)
            return
        began_s = time.monotonic()
        receiver.transport.pause_reading()
        self._wait(receiver, data)
        self._budget.charge(time.monotonic() - began_s + RECEIVED_COST_S)

    def may_keep(self, receiver: Receiver) -> bool:
        """Return whether a connection's data may be kept out of turn, because it is not parsed.

        To let it wait would cost more. What it costs is charged by the caller.
        """
        return receiver not in self._waiting and self._budget.has_share

    def drop(self, connection: Rested, size: int = 0) -> None:
        """Charge for data that is dropped, and read no more from its connection for a while.

        `size` is that of the data where all must be read, or the end would be a reset: behind a
        large part the connection does not rest, because more follows.
        """
        self.charge(RECEIVED_COST_S)
        if size < PART_BYTES:
            self.rest(connection)

    def rest(self, connection: Rested) -> None:
        """Stop reading from a connection for a while, because it sends little again and again."""
        connection.transport.pause_reading()
        self._rests.begin(connection)

    def forget_rest(self, connection: Rested) -> None:
        """Let a connection rest no more, because it is closed."""
        self._rests.discard(connection)

    def discard(self, receiver: Receiver) -> None:
        """Drop the unprocessed data of a connection, which is closed."""
        self._waiting.pop(receiver, None)
        self.forget_rest(receiver)

    def charge(self, cost_s: float) -> None:
        """Charge the time of work that was not scheduled here, in seconds."""
        self._budget.charge(cost_s)

    async def turn(self) -> None:
        """Wait until a task may do its next piece of work, which it charges."""
        if self._waiting or not self._may_work_at_once:
            turn = _Turn()
            self._wait(turn, b"")
            try:
                await turn.taken
            finally:
                self.discard(turn)

    @property
    def _may_work_at_once(self) -> bool:
        return self._budget.may_work and not self._has_updates()

    def _wait(self, receiver: Receiver, data: bytes) -> None:
        self._waiting.setdefault(receiver, bytearray()).extend(data)
        self._start_timer()
        if self._on_delayed is not None and self._budget.wait_s > 0:
            self._on_delayed()

    def _process(self, receiver: Receiver, data: bytes) -> None:
        began_s = time.monotonic()
        receiver.process(data)
        self._budget.charge(time.monotonic() - began_s)

    def _start_timer(self) -> None:
        if self._timer is None and self._waiting:
            wait_s = self._budget.wait_s
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._run_turn)

    def _run_turn(self) -> None:
        """Process what the budget of this turn allows, a piece at least in every other turn."""
        self._timer = None
        if self._has_updates() and not self._has_given_way:
            self._has_given_way = True
            self._timer = asyncio.get_running_loop().call_soon(self._run_turn)
            return
        self._has_given_way = False
        try:
            while self._waiting:
                receiver = next(iter(self._waiting))
                self._process_piece(receiver)
                # A task that was let go on works in the next turn.
                if isinstance(receiver, _Turn) or not self._budget.may_work:
                    break
        finally:
            self._start_timer()

    def _process_piece(self, receiver: Receiver) -> None:
        """Process one piece of a connection's data; what remains is queued again."""
        waiting = self._waiting.pop(receiver)
        size = receiver.piece_bytes(waiting)
        data = bytes(waiting[:size])
        del waiting[:size]  # which copies nothing
        if waiting:
            self._waiting[receiver] = waiting
        else:
            receiver.transport.resume_reading()
        self._process(receiver, data)
