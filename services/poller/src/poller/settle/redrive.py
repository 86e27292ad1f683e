"""Scans the poison queue, and replays or discards dead letters.

A replay copies a letter to the state queue and then deletes it; discarding only deletes it.

No letter is lost, whatever ends a replay: a letter is deleted from the poison queue only after the
state queue has confirmed its copy. A replay that is killed in between leaves the letter in both
queues, and a duplicate is harmless.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, TypeVar

from azure_queue.service import PAGE_SIZE
from poller.queues import (
    DeadLetter,
    DeleteResult,
    PoisonQueue,
    QueueDenied,
    QueueUnavailable,
)
from runtime.backoff import Backoff

CONCURRENCY: Final = 16
"""How many letters are replayed or released at the same time."""

MAX_TRIES: Final = 3
"""How often a request is sent that the queue service does not answer."""

RETRY: Final = Backoff(first_s=0.5, max_s=4)

_Result = TypeVar("_Result")


def scan_lease_s(count: int) -> int:
    """Return the length of a letter's lease in a scan of `count` letters, in seconds.

    It allows a second for each page, so that no letter returns before the scan ends.
    It is an hour at most, because a scan that is killed leaves its letters hidden for so long.
    """
    return min(3600, 60 + -(-count // PAGE_SIZE))


def scan_limit(count: int) -> int:
    """Return how many letters a scan of `count` letters receives at most.

    A replayed letter may return and new ones may arrive, so a scan without a limit may never end.
    """
    return 2 * count + PAGE_SIZE


class QueueScan:
    """Receives the letters of the poison queue, page by page, each letter once.

    A letter stays leased, and so hidden from other consumers, until the scan ends and releases it.
    A scan that is killed leaves its letters hidden until their leases end.
    """

    def __init__(self, queue: PoisonQueue, stopping: asyncio.Event, *, count: int) -> None:
        self._queue = queue
        self._stopping = stopping
        self._limit = scan_limit(count)
        self._leased: dict[str, DeadLetter] = {}
        self.lease_s = scan_lease_s(count)
        self.unreleased = 0
        """How many letters could not be released, and stay hidden until their leases end."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        free = asyncio.Semaphore(CONCURRENCY)
        await asyncio.gather(*(self._release(letter, free) for letter in self._leased.values()))

    async def pages(self) -> AsyncGenerator[list[DeadLetter], None]:
        """Yield pages of letters until there is no new one or `stopping` is set."""
        seen: set[str] = set()
        while len(seen) < self._limit and not self._stopping.is_set():
            page = await self._queue.receive(self.lease_s)
            new = [letter for letter in page if letter.id not in seen]
            seen.update(letter.id for letter in new)
            # Without the text, because thousands may be leased. A letter whose lease has ended
            # arrives again with the pop receipt that is valid.
            self._leased.update((letter.id, replace(letter, text="")) for letter in page)
            if not new:
                return
            yield new

    def remove(self, letter: DeadLetter) -> None:
        """Remove a letter that has left the poison queue; the scan does not release it."""
        self._leased.pop(letter.id, None)

    async def _release(self, letter: DeadLetter, free: asyncio.Semaphore) -> None:
        async with free:
            if self.unreleased:
                # After one failure the others are not tried: each would fail slowly as well.
                self.unreleased += 1
                return
            try:
                await self._queue.release(letter)
            except (QueueUnavailable, QueueDenied):
                self.unreleased += 1


@dataclass(slots=True)
class RedriveResult:
    """The result of a replay, or of discarding letters.

    `done` are the ids of letters that have left the poison queue.
    `failed` maps the ids of the others to the reason; such a letter may be in both queues.
    `scan_error` is the error that ended the scan early, None without one.
    """

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    scan_error: str | None = None


async def replay(
    queue: PoisonQueue,
    scan: QueueScan,
    stopping: asyncio.Event,
    is_wanted: Callable[[DeadLetter], bool],
    *,
    limit: int,
    on_replayed: Callable[[DeadLetter], None] = lambda _letter: None,
    retry: Backoff = RETRY,
) -> RedriveResult:
    """Move the wanted letters, at most `limit`, from the poison queue to the state queue.

    It ends early after a page of which every letter failed.
    """

    async def move(letter: DeadLetter) -> str | None:
        error = await _move(queue, letter, retry)
        if error is None:
            on_replayed(letter)
        return error

    return await _for_each(scan, stopping, is_wanted, move, limit=limit)


async def discard(
    queue: PoisonQueue,
    scan: QueueScan,
    stopping: asyncio.Event,
    ids: frozenset[str],
    *,
    retry: Backoff = RETRY,
) -> RedriveResult:
    """Delete the letters with these ids for good."""
    return await _for_each(
        scan,
        stopping,
        lambda letter: letter.id in ids,
        lambda letter: _delete(queue, letter, retry, "not deleted"),
        limit=len(ids),
    )


async def _for_each(
    scan: QueueScan,
    stopping: asyncio.Event,
    is_wanted: Callable[[DeadLetter], bool],
    act: Callable[[DeadLetter], Coroutine[Any, Any, str | None]],
    *,
    limit: int,
) -> RedriveResult:
    """Take the wanted letters off the poison queue by `act`, which returns the error."""
    result = RedriveResult()
    free = asyncio.Semaphore(CONCURRENCY)

    async def act_on(letter: DeadLetter) -> None:
        async with free:
            if stopping.is_set():
                return
            error = await act(letter)
        if error is None:
            scan.remove(letter)
            result.done.append(letter.id)
        else:
            result.failed[letter.id] = error

    try:
        async with aclosing(scan.pages()) as pages:
            async for page in pages:
                left = limit - len(result.done) - len(result.failed)
                chosen = [letter for letter in page if is_wanted(letter)][:left]
                async with asyncio.TaskGroup() as group:
                    for letter in chosen:
                        group.create_task(act_on(letter))
                if len(result.done) + len(result.failed) >= limit:
                    break
                if chosen and all(letter.id in result.failed for letter in chosen):
                    break
    except (QueueUnavailable, QueueDenied) as error:
        result.scan_error = str(error)
    return result


async def _move(queue: PoisonQueue, letter: DeadLetter, retry: Backoff) -> str | None:
    """Copy a letter to the state queue and then delete it; returns the error, None without one."""
    if asyncio.get_running_loop().time() > letter.leased_until:
        return "not put back: its lease ended before its turn"
    try:
        await _with_retries(lambda: queue.requeue(letter), retry)
    except (QueueUnavailable, QueueDenied) as error:
        return f"not put back: {error}"
    return await _delete(queue, letter, retry, "put back, but still in the poison queue too")


async def _delete(
    queue: PoisonQueue, letter: DeadLetter, retry: Backoff, failure: str
) -> str | None:
    """Delete a letter; returns the error, which begins with `failure`, None without one."""
    try:
        result = await _with_retries(lambda: queue.delete(letter), retry)
    except (QueueUnavailable, QueueDenied) as error:
        return f"{failure}: {error}"
    if result is DeleteResult.LEASE_LOST:
        return f"{failure}: another consumer has received it"
    return None  # deleted now, or before: by a try whose response was lost, or by another replay


async def _with_retries(
    send: Callable[[], Coroutine[Any, Any, _Result]], retry: Backoff
) -> _Result:
    for attempt in range(MAX_TRIES - 1):
        try:
            return await send()
        except QueueUnavailable:
            await asyncio.sleep(retry.delay(attempt, random.random()))  # noqa: S311 - jitter
    return await send()
