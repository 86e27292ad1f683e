"""Inbound scheduler: fair queueing of what clients send, within a CPU budget.

A small message is processed at once while the budget allows it.
A connection that sends more than QUANTUM_BYTES at once, or while the budget is used up, is not
read from until its turn in a round robin: the data waits in the client's own system, and updates
are sent to everyone meanwhile.
"""

import asyncio
import time
from typing import Final, Protocol

from gateway.transport.cpu_budget import LeakyBucket

QUANTUM_BYTES: Final = 2048
"""How much of one connection is processed in a turn: about a hundred pings, a few milliseconds."""


class Receiver(Protocol):
    """A connection whose inbound data is scheduled."""

    transport: asyncio.Transport

    def process(self, data: bytes) -> None:
        """Parse the data and act on it."""


class InboundScheduler:
    """The connections with unprocessed data; the data of each is processed in order."""

    def __init__(self) -> None:
        self._budget = LeakyBucket(time.monotonic())
        self._waiting: dict[Receiver, bytes] = {}  # in the order of their turns
        self._timer: asyncio.Handle | None = None

    def __contains__(self, receiver: object) -> bool:
        """Return whether data of a connection is unprocessed."""
        return receiver in self._waiting

    def schedule(self, receiver: Receiver, data: bytes) -> None:
        """Process the data now, or queue it and pause reading."""
        if (
            len(data) <= QUANTUM_BYTES
            and not self._waiting
            and self._budget.wait_s(time.monotonic()) == 0
        ):
            self._process(receiver, data)
            return
        self._waiting[receiver] = self._waiting.get(receiver, b"") + data
        receiver.transport.pause_reading()
        self._start_timer()

    def discard(self, receiver: Receiver) -> None:
        """Drop the unprocessed data of a connection, which is closed."""
        self._waiting.pop(receiver, None)

    def _process(self, receiver: Receiver, data: bytes) -> None:
        began_s = time.monotonic()
        receiver.process(data)
        self._budget.charge(time.monotonic() - began_s)

    def _start_timer(self) -> None:
        if self._timer is None and self._waiting:
            wait_s = self._budget.wait_s(time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._run_turn)

    def _run_turn(self) -> None:
        """Process one quantum of the first connection; what remains is queued again."""
        self._timer = None
        if not self._waiting:
            return
        receiver = next(iter(self._waiting))
        data = self._waiting.pop(receiver)
        if len(data) > QUANTUM_BYTES:
            self._waiting[receiver] = data[QUANTUM_BYTES:]
        else:
            receiver.transport.resume_reading()
        try:
            self._process(receiver, data[:QUANTUM_BYTES])
        finally:
            self._start_timer()
