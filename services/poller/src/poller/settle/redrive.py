"""Dead letters in hand: gone over, put back on the queue, and let go.

Whatever ends this, no letter is lost: it leaves the poison queue only once the state queue has
confirmed it. What ends it in between leaves a letter in both, and a duplicate is harmless.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, TypeVar

from poller.queues import DeleteResult, PoisonQueue, QueueDenied, QueueUnavailable
from poller.settle.dead_letters import Letter, lease_s, most_to_meet
from runtime.backoff import Backoff

AT_ONCE: Final = 16
"""How many letters are put back, or let go, side by side."""

TRIES: Final = 3
RETRY: Final = Backoff(first=0.5, most=4)

_Result = TypeVar("_Result")


class Walk:
    """Goes over the poison queue, page by page, each letter once.

    A letter is hidden from others from when it is met until the walk ends, which releases it,
    unless it was settled. A walk that is killed leaves that to the end of the leases.
    """

    def __init__(self, queue: PoisonQueue, stopping: asyncio.Event, *, count: int) -> None:
        self._queue = queue
        self._stopping = stopping
        self._most = most_to_meet(count)
        self._held: dict[str, Letter] = {}
        self.lease_s = lease_s(count)
        self.unreleased = 0
        """How many letters could not be released, and stay hidden until their leases end."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        free = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._release(letter, free) for letter in self._held.values()))

    async def pages(self) -> AsyncGenerator[list[Letter], None]:
        """Yield the letters that can be had, until there is no new one or it is to stop."""
        met: set[str] = set()
        while len(met) < self._most and not self._stopping.is_set():
            page = await self._queue.receive(self.lease_s)
            new = [letter for letter in page if letter.id not in met]
            met.update(letter.id for letter in new)
            # Without the text: thousands of them may be held. A letter that outlived its lease
            # comes again, with the receipt that counts.
            self._held.update((letter.id, replace(letter, text="")) for letter in page)
            if not new:
                return
            yield new

    def settle(self, letter: Letter) -> None:
        """Take in that a letter has left the poison queue."""
        self._held.pop(letter.id, None)

    async def _release(self, letter: Letter, free: asyncio.Semaphore) -> None:
        async with free:
            if self.unreleased:
                self.unreleased += 1  # what failed once would fail, slowly, for each of them
                return
            try:
                await self._queue.release(letter)
            except (QueueUnavailable, QueueDenied):
                self.unreleased += 1


@dataclass(slots=True)
class Tally:
    """How a replay went: the ids that are on the state queue again, and why others are not.

    A letter that failed may be in both queues, never in neither.
    `trouble` is what kept it from reading on.
    """

    replayed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None


async def replay(
    queue: PoisonQueue,
    walk: Walk,
    stopping: asyncio.Event,
    wanted: Callable[[Letter], bool],
    *,
    most: int,
    on_replayed: Callable[[Letter], None] = lambda _letter: None,
    retry: Backoff = RETRY,
) -> Tally:
    """Put the letters that are `wanted`, at most so many, back on the state queue.

    Where a whole page fails, the rest is not tried.
    """
    tally = Tally()
    free = asyncio.Semaphore(AT_ONCE)

    async def one(letter: Letter) -> None:
        async with free:
            if stopping.is_set():
                return
            why = await _put_back(queue, letter, retry)
        if why is None:
            walk.settle(letter)
            tally.replayed.append(letter.id)
            on_replayed(letter)
        else:
            tally.failed[letter.id] = why

    try:
        async with aclosing(walk.pages()) as pages:
            async for page in pages:
                left = most - len(tally.replayed) - len(tally.failed)
                chosen = [letter for letter in page if wanted(letter)][:left]
                async with asyncio.TaskGroup() as group:
                    for letter in chosen:
                        group.create_task(one(letter))
                if len(tally.replayed) + len(tally.failed) >= most:
                    break
                if chosen and all(letter.id in tally.failed for letter in chosen):
                    break
    except (QueueUnavailable, QueueDenied) as error:
        tally.trouble = str(error)
    return tally


async def _put_back(queue: PoisonQueue, letter: Letter, retry: Backoff) -> str | None:
    """Put a letter back and then take it out of the poison queue; returns why that failed."""
    if asyncio.get_running_loop().time() > letter.leased_until:
        return "not put back: its lease was over before its turn came"
    try:
        await _insist(lambda: queue.put_back(letter), retry)
    except (QueueUnavailable, QueueDenied) as error:
        return f"not put back: {error}"
    try:
        finish = await _insist(lambda: queue.delete(letter), retry)
    except (QueueUnavailable, QueueDenied) as error:
        return f"put back, but still in the poison queue too: {error}"
    if finish is DeleteResult.LEASE_LOST:
        return "put back, but still in the poison queue too: somebody else has received it"
    return None  # deleted, or gone already: after a lost answer, or by another replay


async def _insist(do: Callable[[], Coroutine[Any, Any, _Result]], retry: Backoff) -> _Result:
    for attempt in range(TRIES - 1):
        try:
            return await do()
        except QueueUnavailable:
            await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - jitter
    return await do()
