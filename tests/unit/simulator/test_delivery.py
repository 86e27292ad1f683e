"""Delivery: what is due reaches the target, an outage is waited out, a signal is heard."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from itertools import repeat

import pytest
from structlog.testing import capture_logs

from runtime.backoff import Backoff
from simulator import delivery
from simulator.delivery import Delivery, Tally
from simulator.stream.faults import Item
from simulator.targets.target import Closed, Unavailable

WITHIN_S = 5


class FakeTarget:
    """Takes what it is sent, or does what `answers` says, one batch after the other.

    An answer is None (take it), or an exception, or a number of seconds to hang.
    """

    def __init__(self, answers: Iterator[Exception | float | None] = repeat(None)) -> None:  # noqa: B008
        self.taken: list[Item] = []
        self.readied = 0
        self.unsaid = 0
        self.links: list[tuple[str, bool]] = []
        self.sending = asyncio.Event()
        self._answers = answers

    def network(self, pillow: str, *, up: bool) -> None:
        self.links.append((pillow, up))

    async def ready(self) -> None:
        self.readied += 1

    async def send(self, batch: Sequence[Item]) -> None:
        self.sending.set()
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await asyncio.sleep(answer)
        self.taken += batch


def due(*seconds: float) -> Iterator[Item]:
    """Messages that are due then."""
    return (Item(due_s, "cloud-1", b'{"seq":%d}' % seq) for seq, due_s in enumerate(seconds))


def counted(tally: Tally) -> tuple[int, int, int]:
    """What was sent, skipped and not taken."""
    return tally.sent, tally.skipped, tally.failed


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_RETRY", Backoff(first=0.001, most=0.001))


async def run(one: Delivery) -> Tally:
    """Let it run to its own end."""
    await asyncio.wait_for(one.run(asyncio.Event()), WITHIN_S)
    return one.tally


async def test_a_stream_is_sent_to_its_end() -> None:
    """In order, when the target is ready, each when it is due."""
    target = FakeTarget()
    began = time.monotonic()

    tally = await run(Delivery(due(0, 0.01, 0.05), target))

    assert time.monotonic() - began >= 0.05
    assert [json.loads(one.body)["seq"] for one in target.taken] == [0, 1, 2]
    assert counted(tally) == (3, 0, 0)
    assert target.readied == 1


async def test_a_count_ends_an_endless_stream() -> None:
    """After exactly so many states, though more are due."""
    target = FakeTarget()

    tally = await run(Delivery(due(*[0.0] * 10), target, count=4))

    assert len(target.taken) == tally.sent == 4


async def test_nothing_is_left_out_where_nothing_may_be_missing() -> None:
    """However long the target hung; and how late it was is known."""
    target = FakeTarget(iter([1.2]))

    tally = await run(Delivery(due(0, 0.001, 0.002, 0.003), target, may_skip=False))

    assert [json.loads(one.body)["seq"] for one in target.taken] == [0, 1, 2, 3]
    assert counted(tally) == (4, 0, 0)
    assert 1.1 < tally.worst_late_s < 4


async def test_what_was_asked_is_counted_in_the_time_in_which_it_was_due() -> None:
    """A target that is too slow achieves less than was asked, though all of it arrives."""
    target = FakeTarget(iter([0.5, 0.5, 0.5]))

    tally = await run(Delivery(due(*[tick / 100 for tick in range(101)]), target, may_skip=False))

    assert counted(tally) == (101, 0, 0)
    assert 90 < tally.asked_per_s < 103
    assert tally.achieved_per_s < 85


async def test_a_stream_may_run_faster_than_time_or_not_wait_at_all() -> None:
    """A minute's worth within a second, or at once."""
    for speed in (600.0, None):
        began = time.monotonic()
        tally = await run(Delivery(due(0, 30, 60), FakeTarget(), speed=speed))
        assert counted(tally) == (3, 0, 0)
        assert time.monotonic() - began < 2


async def test_a_network_that_comes_or_goes_is_no_message() -> None:
    """The target and whoever listens hear of it, and it is not counted."""
    target = FakeTarget()
    heard: list[Item] = []
    sent: list[Item] = []
    one = Delivery(
        iter([Item(0, "a", b"{}"), Item(0, "a", link="down"), Item(0.01, "a", link="up")]), target
    )
    one.hear(sent.extend, on_link=heard.append)

    tally = await run(one)

    assert target.links == [("a", False), ("a", True)]
    assert [item.link for item in heard] == ["down", "up"]
    assert counted(tally) == (len(sent), 0, 0) == (1, 0, 0)


async def test_what_a_pillow_without_a_connection_replaced_was_not_sent() -> None:
    """It is counted apart."""

    class Forgetful(FakeTarget):
        async def send(self, batch: Sequence[Item]) -> None:
            self.unsaid += len(batch) - 1

    tally = await run(Delivery(due(0, 0, 0), Forgetful()))

    assert (tally.sent, tally.unsaid, tally.asked) == (1, 2, 3)


async def test_dead_letters_to_come_are_counted_by_their_reason() -> None:
    """Those that were taken."""
    wrong = Item(0, "a", b"x", None, "malformed")

    tally = await run(Delivery(iter([wrong, wrong, Item(0, "a", b"{}")]), FakeTarget()))

    assert tally.reasons == {"malformed": 2}


async def test_what_is_late_is_left_out_and_counted() -> None:
    """A target that hangs for longer than a second is not sent what was due meanwhile."""
    target = FakeTarget(iter([1.2]))

    tally = await run(Delivery(due(0, 0.01, 0.02, 1.3), target))

    assert [json.loads(one.body)["seq"] for one in target.taken] == [0, 3]
    assert counted(tally) == (2, 2, 0)


async def test_an_outage_is_waited_out_and_said_once_and_its_end_too() -> None:
    """However many attempts it takes; what was not taken is counted."""
    gone = [Unavailable(0, "no answer; check THE_SETTING") for _ in range(3)]
    target = FakeTarget(iter([*gone, None]))

    with capture_logs() as said:
        # More than a machine that stalls can lose to the outage.
        tally = await run(Delivery(due(*[tick / 50 for tick in range(200)]), target, count=2))

    assert [(line["log_level"], line.get("why"), line.get("missed")) for line in said] == [
        ("warning", "no answer; check THE_SETTING", None),
        ("info", None, tally.failed + tally.skipped),
    ]
    assert tally.sent == 2
    assert tally.failed >= 3
    assert target.readied == 4


async def test_a_second_outage_is_said_as_well() -> None:
    """Once each."""
    target = FakeTarget(iter([Unavailable(0, "one"), None, Unavailable(0, "two"), None]))

    with capture_logs() as said:
        await run(Delivery(due(*[tick / 50 for tick in range(100)]), target, count=4))

    assert [line["why"] for line in said if "why" in line] == ["one", "two"]


async def test_what_the_connection_has_said_itself_is_not_said_again() -> None:
    """An outage without a sentence leaves no line."""
    target = FakeTarget(iter([Unavailable(0), None]))

    with capture_logs() as said:
        tally = await run(Delivery(due(0, 0.05), target, count=1))

    assert said == []
    assert counted(tally) == (1, 0, 1)


async def test_a_batch_that_was_taken_in_part_counts_in_part() -> None:
    """Two of three were sent, one was not."""
    target = FakeTarget(iter([Unavailable(2, "one was refused")]))

    tally = await run(Delivery(due(0, 0, 0), target))

    assert counted(tally) == (2, 0, 1)


async def test_it_ends_when_nobody_reads_any_more() -> None:
    """Without an error."""
    tally = await run(Delivery(due(0, 0.01), FakeTarget(iter([Closed()]))))

    assert counted(tally) == (0, 0, 0)


async def test_a_fault_nobody_expects_ends_it() -> None:
    """The process is to end with a traceback, not to go on half."""
    with pytest.raises(ZeroDivisionError):
        await run(Delivery(due(0), FakeTarget(iter([ZeroDivisionError()]))))


@pytest.mark.parametrize("hangs_s", [0.05, 3600])
async def test_a_signal_is_heard_while_something_is_being_sent(hangs_s: float) -> None:
    """What is in hand is finished when that is quick, and given up when it is not."""
    target = FakeTarget(iter([hangs_s]))
    stopping = asyncio.Event()
    one = Delivery(due(0, 0.1), target)

    running = asyncio.ensure_future(one.run(stopping))
    await asyncio.wait_for(target.sending.wait(), WITHIN_S)
    stopping.set()
    await asyncio.wait_for(running, WITHIN_S)

    assert one.tally.sent == (1 if hangs_s < 1 else 0)


async def test_a_signal_is_heard_while_nothing_is_due() -> None:
    """It does not wait for the next state."""
    target = FakeTarget()
    stopping = asyncio.Event()
    one = Delivery(due(0, 3600), target)

    running = asyncio.ensure_future(one.run(stopping))
    await asyncio.wait_for(target.sending.wait(), WITHIN_S)
    stopping.set()
    await asyncio.wait_for(running, WITHIN_S)

    assert counted(one.tally) == (1, 0, 0)


async def test_falling_behind_is_said_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how many were left out since the last time; otherwise there is nothing to say."""
    monkeypatch.setattr(delivery, "SUMMARY_S", 0.5)
    target = FakeTarget(iter([1.2]))

    with capture_logs() as said:
        await run(Delivery(due(0, 0.01, 0.02, 1.3, 1.9), target))

    assert [(line["log_level"], line.get("skipped")) for line in said] == [
        ("warning", 2),
        ("debug", None),
    ]
