"""What waits on the queue before a check, and a queue that gives no answer during it."""

import asyncio
from typing import cast

import pytest

from simulator.checking import queue_watch
from simulator.checking.queue_watch import QueueWatch, wait_until_empty
from simulator.targets.azure_queue import QueueView
from tests.waiting import until


class Queue:
    """A queue whose length is the next of a list, and which answers when it is told to."""

    def __init__(self, *lengths: int | None) -> None:
        self.lengths = list(lengths)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answered = 0

    async def count(self, name: str) -> int | None:
        return self.lengths.pop(0) if len(self.lengths) > 1 else self.lengths[0]

    async def answers(self, name: str) -> bool:
        await self.may_answer.wait()
        self.answered += 1
        return True


def view(queue: Queue) -> QueueView:
    return cast(QueueView, queue)


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_watch, "_POLL_S", 0.001)
    monkeypatch.setattr(queue_watch, "_INTERVAL_S", 0.001)


async def test_messages_are_waited_for_until_none_is_left() -> None:
    queue = Queue(30, 30, 12, None, 3, 0, 7)

    assert await wait_until_empty(view(queue), "q", asyncio.Event()) == 0
    assert queue.lengths == [7]


async def test_messages_that_nobody_receives_are_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue_watch, "STUCK_S", 0.01)

    assert await wait_until_empty(view(Queue(30, 12)), "q", asyncio.Event()) == 12


@pytest.mark.parametrize("length", [0, None])
async def test_an_empty_queue_and_one_that_cannot_be_read_are_not_waited_for(
    length: int | None,
) -> None:
    assert await wait_until_empty(view(Queue(length)), "q", asyncio.Event()) == 0


async def test_the_longest_time_without_an_answer_is_known_while_it_lasts_and_after() -> None:
    queue = Queue(0)
    watch = QueueWatch(view(queue), "q")
    async with watch.watching():
        await until(lambda: queue.answered > 3, "the queue answers", within_s=5)
        assert watch.longest_silence_s < 0.2

        queue.may_answer.clear()
        await until(lambda: watch.longest_silence_s > 0.3, "a silence is noticed", within_s=5)
        queue.may_answer.set()
        answered = queue.answered
        await until(lambda: queue.answered > answered + 3, "the queue answers again", within_s=5)

    assert watch.longest_silence_s > 0.3
