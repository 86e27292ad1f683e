"""A poison queue in memory that fails as a test tells it to."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from azure_queue.service import PAGE_SIZE
from poller.queues import DeadLetter, DeleteResult, QueueDenied, QueueStats, QueueUnavailable


class Fault(Enum):
    """How a call fails: before or after it has an effect, for good, or unexpectedly."""

    LOST_REQUEST = "lost request"
    LOST_RESPONSE = "lost response"
    DENIED = "denied"
    UNEXPECTED = "unexpected"


class UnexpectedError(Exception):
    """An exception that no caller handles."""


Faults = Callable[[str, int], Fault | None]
"""The fault of a call, by its operation and its number."""


class FakePoisonQueue:
    """A poison queue and a state queue in memory, whose calls fail as `fault_of` says."""

    def __init__(self, texts: list[str], fault_of: Faults = lambda _operation, _n: None) -> None:
        self.letters = {f"m{n}": DeadLetter(f"m{n}", 0, 0, text) for n, text in enumerate(texts)}
        self.hidden: set[str] = set()
        self.states: list[str] = []
        self.calls: Counter[str] = Counter()
        self.max_concurrent = 0
        self.fault_of = fault_of
        self.on_requeued: Callable[[DeadLetter], None] = lambda _letter: None
        self.lease_ends_at_once = False
        self._stolen: set[str] = set()
        self._concurrent = 0

    def add(self, text: str, inserted_us: int) -> None:
        """Add a letter."""
        letter_id = f"n{len(self.letters)}-{len(self.states)}"
        self.letters[letter_id] = DeadLetter(letter_id, inserted_us, 0, text)

    def lose_lease(self, letter_id: str) -> None:
        """Let another consumer receive a letter."""
        self._stolen.add(letter_id)

    async def stats(self) -> QueueStats | None:
        return QueueStats(len(self.letters), 0)

    async def peek(self) -> list[DeadLetter]:
        return [one for one in self.letters.values() if one.id not in self.hidden][:PAGE_SIZE]

    async def receive(self, lease_s: int) -> list[DeadLetter]:
        page: list[DeadLetter] = []
        leased_until = _now() - 1 if self.lease_ends_at_once else _now() + lease_s

        def lease_page() -> None:
            for letter in [one for one in self.letters.values() if one.id not in self.hidden]:
                if len(page) < PAGE_SIZE:
                    self.hidden.add(letter.id)
                    page.append(replace(letter, pop_receipt="r", leased_until=leased_until))

        await self._call("receive", lease_page)
        return page

    async def release(self, letter: DeadLetter) -> None:
        assert letter.pop_receipt == "r"
        await self._call("release", lambda: self.hidden.discard(letter.id))

    async def requeue(self, letter: DeadLetter) -> None:
        def append() -> None:
            self.states.append(letter.text)
            self.on_requeued(letter)

        await self._call("requeue", append)

    async def delete(self, letter: DeadLetter) -> DeleteResult:
        if letter.id in self._stolen:
            return DeleteResult.LEASE_LOST
        exists = letter.id in self.letters
        await self._call("delete", lambda: self.letters.pop(letter.id, None))
        self.hidden.discard(letter.id)
        return DeleteResult.DELETED if exists else DeleteResult.GONE

    async def _call(self, operation: str, take_effect: Callable[[], object]) -> None:
        fault = self.fault_of(operation, self.calls.total())
        self.calls[operation] += 1
        self._concurrent += 1
        self.max_concurrent = max(self.max_concurrent, self._concurrent)
        await asyncio.sleep(0)
        self._concurrent -= 1
        if fault is Fault.LOST_REQUEST:
            raise QueueUnavailable("503")
        if fault is Fault.DENIED:
            raise QueueDenied("403")
        if fault is Fault.UNEXPECTED:
            raise UnexpectedError
        take_effect()
        if fault is Fault.LOST_RESPONSE:
            raise QueueUnavailable("no response")


def _now() -> float:
    return asyncio.get_running_loop().time()
