"""Dead letters in hand: whatever fails or stops, none is lost and none stays hidden."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from poller.queues import DeleteResult, QueueDenied, QueueUnavailable
from poller.settle.dead_letters import PAGE, Letter, Survey
from poller.settle.redrive import AT_ONCE, Tally, Walk, replay
from runtime.backoff import Backoff

AT_ONCE_AGAIN: Final = Backoff(first=1e-9, most=1e-9)


class Fault(Enum):
    """How a call fails: before it does anything, after it did, or for good."""

    LOST_REQUEST = "lost request"
    LOST_ANSWER = "lost answer"
    DENIED = "denied"
    BROKEN = "broken"


class Broken(Exception):
    """What nobody expects."""


class FakePoisonQueue:
    """Two queues in memory; `fault` is asked before each call, by its act and number."""

    def __init__(
        self, texts: list[str], fault: Callable[[str, int], Fault | None] = lambda _act, _n: None
    ) -> None:
        self.letters = {f"m{n}": Letter(f"m{n}", 0, 0, text) for n, text in enumerate(texts)}
        self.hidden: set[str] = set()
        self.states: list[str] = []
        self.calls: Counter[str] = Counter()
        self.under_way = self.most_under_way = 0
        self.on_put_back: Callable[[Letter], None] = lambda _letter: None
        self._fault = fault

    def add(self, text: str, inserted_us: int) -> None:
        """Put one more letter there."""
        name = f"n{len(self.letters)}-{len(self.states)}"
        self.letters[name] = Letter(name, inserted_us, 0, text)

    async def survey(self) -> Survey | None:
        return Survey(len(self.letters), 0)

    async def peek(self) -> list[Letter]:
        return [one for one in self.letters.values() if one.id not in self.hidden][:PAGE]

    async def receive(self, lease_s: int) -> list[Letter]:
        taken: list[Letter] = []

        def take() -> None:
            for letter in [one for one in self.letters.values() if one.id not in self.hidden]:
                if len(taken) < PAGE:
                    self.hidden.add(letter.id)
                    taken.append(replace(letter, receipt="r", leased_until=_now() + lease_s))

        await self._call("receive", take)
        return taken

    async def release(self, letter: Letter) -> None:
        assert letter.receipt == "r"
        await self._call("release", lambda: self.hidden.discard(letter.id))

    async def put_back(self, letter: Letter) -> None:
        def put() -> None:
            self.states.append(letter.text)
            self.on_put_back(letter)

        await self._call("put_back", put)

    async def delete(self, letter: Letter) -> DeleteResult:
        there = letter.id in self.letters
        await self._call("delete", lambda: self.letters.pop(letter.id, None))
        self.hidden.discard(letter.id)
        return DeleteResult.DELETED if there else DeleteResult.GONE

    async def _call(self, act: str, do: Callable[[], object]) -> None:
        fault = self._fault(act, self.calls.total())
        self.calls[act] += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if fault is Fault.LOST_REQUEST:
            raise QueueUnavailable("503")
        if fault is Fault.DENIED:
            raise QueueDenied("403")
        if fault is Fault.BROKEN:
            raise Broken
        do()
        if fault is Fault.LOST_ANSWER:
            raise QueueUnavailable("no answer")


def _now() -> float:
    return asyncio.get_running_loop().time()


async def replay_all(
    queue: FakePoisonQueue,
    *,
    stopping: asyncio.Event | None = None,
    wanted: Callable[[Letter], bool] = lambda _letter: True,
    most: int | None = None,
) -> Tally:
    """What `replay --all` does."""
    stopping = stopping or asyncio.Event()
    count = len(queue.letters)
    async with Walk(queue, stopping, count=count) as walk:
        return await replay(
            queue,
            walk,
            stopping,
            wanted,
            most=count if most is None else most,
            retry=AT_ONCE_AGAIN,
        )


def texts_of(count: int) -> list[str]:
    """So many different texts."""
    return [f"text {n}" for n in range(count)]


@given(st.integers(0, 3 * PAGE + 1))
def test_all_letters_leave_the_poison_queue_for_the_state_queue(count: int) -> None:
    """Each once, and not too many at a time."""

    async def story() -> None:
        queue = FakePoisonQueue(texts_of(count))
        tally = await replay_all(queue)
        assert sorted(queue.states) == sorted(texts_of(count))
        assert queue.letters == {}
        assert (len(tally.replayed), tally.failed, tally.trouble) == (count, {}, None)
        assert queue.most_under_way <= AT_ONCE
        assert queue.calls["release"] == 0, "there was nothing left to let go"

    asyncio.run(story())


@given(
    st.integers(1, 2 * PAGE + 3),
    st.dictionaries(st.integers(0, 200), st.sampled_from(Fault), max_size=30),
)
def test_whatever_call_fails_no_letter_is_lost(count: int, faults: dict[int, Fault]) -> None:
    """Each is in one queue or in both, and what is said of it is so."""

    async def story() -> None:
        queue = FakePoisonQueue(texts_of(count), lambda _act, n: faults.get(n))
        tally = Tally()
        try:
            tally = await replay_all(queue)
        except* Broken:
            pass
        kept = {letter.text for letter in queue.letters.values()}
        assert kept | set(queue.states) == set(texts_of(count))
        for name in tally.replayed:
            assert name not in queue.letters
            assert f"text {name[1:]}" in queue.states
        for name, why in tally.failed.items():
            assert name in queue.letters or "still in the poison queue" in why

    asyncio.run(story())


@given(st.integers(1, 2 * PAGE + 3), st.integers(0, 150), st.sampled_from(Fault))
def test_what_was_not_put_back_is_let_go_at_once(count: int, at: int, fault: Fault) -> None:
    """Whatever broke, nothing is hidden afterwards but by what broke the letting go."""

    async def story() -> None:
        queue = FakePoisonQueue(
            texts_of(count),
            lambda act, n: fault if n >= at and act not in ("release", "receive") else None,
        )
        try:
            await replay_all(queue)
        except* Broken:
            pass
        assert queue.hidden == set()

    asyncio.run(story())


@given(st.integers(1, 3 * PAGE), st.integers(0, 3 * PAGE))
def test_one_that_is_stopped_finishes_what_it_began(count: int, after: int) -> None:
    """No letter is in both queues for it, and the rest is there for everybody."""

    async def story() -> None:
        queue, stopping = FakePoisonQueue(texts_of(count)), asyncio.Event()
        queue.on_put_back = lambda _letter: stopping.set() if len(queue.states) > after else None
        tally = await replay_all(queue, stopping=stopping)
        assert len(queue.states) == len(tally.replayed) == count - len(queue.letters)
        assert len(queue.states) <= after + AT_ONCE
        assert queue.hidden == set()

    asyncio.run(story())


@given(st.integers(1, 3 * PAGE))
def test_letters_that_come_back_are_not_chased(count: int) -> None:
    """A poller that buries each at once, in whatever order the queue then has, is no endless loop.

    What comes back within the second of the survey looks as old as what was there; the count ends
    it even so.
    """

    async def story(inserted_us: int) -> None:
        queue = FakePoisonQueue(texts_of(count))
        queue.on_put_back = lambda letter: queue.add(letter.text, inserted_us)
        tally = await replay_all(queue, wanted=lambda letter: letter.inserted_us <= 0)
        assert len(tally.replayed) == len(queue.states) == count
        assert len(queue.letters) == count
        assert queue.hidden == set()

    asyncio.run(story(inserted_us=1))
    asyncio.run(story(inserted_us=0))


def test_new_letters_without_end_do_not_keep_it() -> None:
    """It goes over twice what was there, and then leaves."""

    async def story() -> None:
        queue = FakePoisonQueue(texts_of(40))
        name = iter(range(10**6))

        def arrive(_act: str, _n: int) -> None:
            for _ in range(PAGE):
                new = f"new{next(name)}"
                queue.letters[new] = Letter(new, 1, 0, "what?")

        queue._fault = arrive
        tally = await replay_all(
            queue, wanted=lambda letter: letter.inserted_us <= 0 and letter.id != "m3"
        )
        assert len(tally.replayed) == 39
        assert "m3" in queue.letters

    asyncio.run(story())


def test_a_queue_that_takes_nothing_is_not_tried_for_every_letter() -> None:
    """Each would wait for its own three tries; the reasons say that nothing was done."""

    async def story() -> None:
        queue = FakePoisonQueue(
            texts_of(3 * PAGE), lambda act, _n: Fault.LOST_REQUEST if act == "put_back" else None
        )
        tally = await replay_all(queue)
        assert len(tally.failed) == PAGE
        assert set(tally.failed.values()) == {"not put back: 503"}
        assert len(queue.letters) == 3 * PAGE
        assert queue.hidden == set()

    asyncio.run(story())


def test_a_letter_that_cannot_be_deleted_is_said_to_be_in_both() -> None:
    """Which is harmless, and to be known."""

    async def story() -> None:
        queue = FakePoisonQueue(["a"], lambda act, _n: Fault.DENIED if act == "delete" else None)
        tally = await replay_all(queue)
        assert tally.failed == {"m0": "put back, but still in the poison queue too: 403"}
        assert (queue.states, queue.hidden) == (["a"], set())

    asyncio.run(story())


def test_what_cannot_be_let_go_is_counted_and_not_tried_for_ever() -> None:
    """The first failure ends it: their leases will do the same."""

    async def story() -> None:
        queue, stopping = (
            FakePoisonQueue(
                texts_of(50), lambda act, _n: Fault.DENIED if act == "release" else None
            ),
            asyncio.Event(),
        )
        async with Walk(queue, stopping, count=50) as walk:
            assert sum([len(page) async for page in walk.pages()]) == 50
        assert walk.unreleased == 50
        assert queue.calls["release"] <= AT_ONCE

    asyncio.run(story())


def test_only_the_letters_that_are_wanted_are_put_back() -> None:
    """And it stops looking once it has them."""

    async def story() -> None:
        queue = FakePoisonQueue(texts_of(4 * PAGE))
        tally = await replay_all(queue, wanted=lambda letter: letter.id in ("m1", "m40"), most=2)
        assert sorted(tally.replayed) == ["m1", "m40"]
        assert queue.calls["receive"] == 2
        assert len(queue.letters) == 4 * PAGE - 2
        assert queue.hidden == set()

    asyncio.run(story())
