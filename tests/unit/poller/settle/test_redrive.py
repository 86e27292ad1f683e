"""Replay: whatever fails or stops it, no letter is lost and none stays hidden."""

import asyncio
from collections.abc import Callable
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from azure_queue.service import PAGE_SIZE
from poller.queues import DeadLetter
from poller.settle.redrive import (
    CONCURRENCY,
    QueueScan,
    RedriveResult,
    discard,
    replay,
    scan_lease_s,
    scan_limit,
)
from runtime.backoff import Backoff
from tests.fakes.poison_queue import FakePoisonQueue, Fault, UnexpectedError

NO_DELAY: Final = Backoff(first_s=1e-9, max_s=1e-9)


async def replay_all(
    queue: FakePoisonQueue,
    *,
    stopping: asyncio.Event | None = None,
    is_wanted: Callable[[DeadLetter], bool] = lambda _letter: True,
    limit: int | None = None,
) -> RedriveResult:
    """Replay as `replay --all` does."""
    stopping = stopping or asyncio.Event()
    count = len(queue.letters)
    async with QueueScan(queue, stopping, count=count) as scan:
        return await replay(
            queue,
            scan,
            stopping,
            is_wanted,
            limit=count if limit is None else limit,
            retry=NO_DELAY,
        )


def texts_of(count: int) -> list[str]:
    """Different texts."""
    return [f"text {n}" for n in range(count)]


@given(st.integers(0, 3 * PAGE_SIZE + 1))
async def test_each_letter_is_moved_once_and_at_most_16_at_a_time(count: int) -> None:
    """From the poison queue to the state queue."""
    queue = FakePoisonQueue(texts_of(count))
    result = await replay_all(queue)

    assert sorted(queue.states) == sorted(texts_of(count))
    assert queue.letters == {}
    assert (len(result.done), result.failed, result.scan_error) == (count, {}, None)
    assert queue.max_concurrent <= CONCURRENCY
    assert queue.calls["release"] == 0, "no letter was left to release"


@given(
    st.integers(1, 2 * PAGE_SIZE + 3),
    st.dictionaries(st.integers(0, 200), st.sampled_from(Fault), max_size=30),
)
async def test_no_letter_is_lost_whichever_call_fails(count: int, faults: dict[int, Fault]) -> None:
    """Each is in one queue or in both, and the result is true."""
    queue = FakePoisonQueue(texts_of(count), lambda _operation, n: faults.get(n))
    result = RedriveResult()
    try:
        result = await replay_all(queue)
    except* UnexpectedError:
        pass

    kept = {letter.text for letter in queue.letters.values()}
    assert kept | set(queue.states) == set(texts_of(count))
    for letter_id in result.done:
        assert letter_id not in queue.letters
        assert f"text {letter_id[1:]}" in queue.states
    for letter_id, reason in result.failed.items():
        assert letter_id in queue.letters or "still in the poison queue" in reason


@given(st.integers(1, 2 * PAGE_SIZE + 3), st.integers(0, 150), st.sampled_from(Fault))
async def test_a_letter_that_was_not_moved_is_released_at_once(
    count: int, first: int, fault: Fault
) -> None:
    """Whatever failed, unless the release itself did."""
    queue = FakePoisonQueue(
        texts_of(count),
        lambda operation, n: (
            fault if n >= first and operation not in ("release", "receive") else None
        ),
    )
    try:
        await replay_all(queue)
    except* UnexpectedError:
        pass

    assert queue.hidden == set()


@given(st.integers(1, 3 * PAGE_SIZE), st.integers(0, 3 * PAGE_SIZE))
async def test_a_stopped_replay_finishes_the_letters_it_has_begun(count: int, after: int) -> None:
    """So no letter is in both queues, and the others are visible at once."""
    queue, stopping = FakePoisonQueue(texts_of(count)), asyncio.Event()
    queue.on_requeued = lambda _letter: stopping.set() if len(queue.states) > after else None
    result = await replay_all(queue, stopping=stopping)

    assert len(queue.states) == len(result.done) == count - len(queue.letters)
    assert len(queue.states) <= after + CONCURRENCY
    assert queue.hidden == set()


@given(count=st.integers(1, 3 * PAGE_SIZE), inserted_us=st.sampled_from([0, 1]))
async def test_a_letter_that_becomes_a_dead_letter_again_is_not_replayed_again(
    count: int, inserted_us: int
) -> None:
    """A poller that dead-letters each at once causes no endless loop.

    A letter that returns within the second of the count looks as old as the others; the limit ends
    the replay all the same.
    """
    queue = FakePoisonQueue(texts_of(count))
    queue.on_requeued = lambda letter: queue.add(letter.text, inserted_us)
    result = await replay_all(queue, is_wanted=lambda letter: letter.inserted_us <= 0)

    assert len(result.done) == len(queue.states) == count
    assert len(queue.letters) == count
    assert queue.hidden == set()


async def test_a_scan_ends_although_new_letters_keep_arriving() -> None:
    """At twice the number of letters that there were."""
    queue = FakePoisonQueue(texts_of(40))
    numbers = iter(range(10**6))

    def add_page(_operation: str, _n: int) -> None:
        for _ in range(PAGE_SIZE):
            letter_id = f"new{next(numbers)}"
            queue.letters[letter_id] = DeadLetter(letter_id, 1, 0, "what?")

    queue.fault_of = add_page
    result = await replay_all(
        queue, is_wanted=lambda letter: letter.inserted_us <= 0 and letter.id != "m3"
    )

    assert len(result.done) == 39
    assert "m3" in queue.letters


async def test_a_replay_ends_after_a_page_of_which_every_letter_failed() -> None:
    """Each of the others would cost three tries; the reason says that nothing was moved."""
    queue = FakePoisonQueue(
        texts_of(3 * PAGE_SIZE),
        lambda operation, _n: Fault.LOST_REQUEST if operation == "requeue" else None,
    )
    result = await replay_all(queue)

    assert len(result.failed) == PAGE_SIZE
    assert set(result.failed.values()) == {"not put back: 503"}
    assert len(queue.letters) == 3 * PAGE_SIZE
    assert queue.hidden == set()


async def test_a_letter_that_cannot_be_deleted_is_reported_as_in_both_queues() -> None:
    """The duplicate is harmless, and the operator has to know of it."""
    queue = FakePoisonQueue(
        ["a"], lambda operation, _n: Fault.DENIED if operation == "delete" else None
    )
    result = await replay_all(queue)

    assert result.failed == {"m0": "put back, but still in the poison queue too: 403"}
    assert (queue.states, queue.hidden) == (["a"], set())


async def test_a_letter_whose_lease_has_ended_is_not_moved() -> None:
    """Another consumer may have it."""
    queue = FakePoisonQueue(["a"])
    queue.lease_ends_at_once = True
    result = await replay_all(queue)

    assert result.failed == {"m0": "not put back: its lease ended before its turn"}
    assert queue.states == []


async def test_a_letter_that_another_consumer_received_is_reported_as_in_both_queues() -> None:
    """Its deletion returns LEASE_LOST."""
    queue = FakePoisonQueue(["a"])
    queue.on_requeued = lambda letter: queue.lose_lease(letter.id)
    result = await replay_all(queue)

    assert "still in the poison queue too: another consumer" in result.failed["m0"]
    assert (queue.states, list(queue.letters)) == (["a"], ["m0"])


async def test_after_one_failed_release_the_others_are_counted_and_not_tried() -> None:
    """The end of their leases has the same effect."""
    queue = FakePoisonQueue(
        texts_of(50), lambda operation, _n: Fault.DENIED if operation == "release" else None
    )
    async with QueueScan(queue, asyncio.Event(), count=50) as scan:
        assert sum([len(page) async for page in scan.pages()]) == 50

    assert scan.unreleased == 50
    assert queue.calls["release"] <= CONCURRENCY


async def test_a_replay_of_named_letters_moves_no_other_and_ends_with_the_last() -> None:
    """The pages behind it are not received."""
    queue = FakePoisonQueue(texts_of(4 * PAGE_SIZE))
    result = await replay_all(queue, is_wanted=lambda one: one.id in ("m1", "m40"), limit=2)

    assert sorted(result.done) == ["m1", "m40"]
    assert queue.calls["receive"] == 2
    assert len(queue.letters) == 4 * PAGE_SIZE - 2
    assert queue.hidden == set()


@given(st.integers(0, 10**7))
def test_a_lease_lasts_a_second_a_page_and_a_scan_has_a_limit(count: int) -> None:
    """The lease is a minute at least and an hour at most."""
    assert 60 <= scan_lease_s(count) <= 3600
    assert scan_lease_s(count) >= min(3600, count / PAGE_SIZE)
    assert scan_limit(count) > count


@given(st.integers(0, 3 * PAGE_SIZE + 1), st.data())
async def test_only_the_letters_that_were_named_are_discarded(
    count: int, data: st.DataObject
) -> None:
    """The others are neither hidden afterwards nor put on the state queue."""
    queue = FakePoisonQueue(texts_of(count))
    ids = data.draw(st.frozensets(st.sampled_from([*queue.letters, "none"]), max_size=5))
    kept = queue.letters.keys() - ids
    stopping = asyncio.Event()

    async with QueueScan(queue, stopping, count=count) as scan:
        result = await discard(queue, scan, stopping, ids, retry=NO_DELAY)

    assert set(result.done) == ids - {"none"}
    assert queue.letters.keys() == kept
    assert (queue.states, queue.hidden, result.failed) == ([], set(), {})
