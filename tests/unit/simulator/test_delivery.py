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
from simulator.reports import Report
from simulator.targets.target import Closed, Outgoing, Unavailable

WITHIN_S = 5


class FakeTarget:
    """Takes what it is sent, or does what `answers` says, one batch after the other.

    An answer is None (take it), or an exception, or a number of seconds to hang.
    """

    def __init__(self, answers: Iterator[Exception | float | None] = repeat(None)) -> None:  # noqa: B008
        self.taken: list[Outgoing] = []
        self.readied = 0
        self.sending = asyncio.Event()
        self._answers = answers

    async def ready(self) -> None:
        self.readied += 1

    async def send(self, batch: Sequence[Outgoing]) -> None:
        self.sending.set()
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await asyncio.sleep(answer)
        self.taken += batch


def due(*seconds: float) -> Iterator[Report]:
    """Reports that are due then."""
    return (
        Report(due_s, "cloud-1", "neutral", seq, 0.9, 0.8, ()) for seq, due_s in enumerate(seconds)
    )


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
    assert tally == Tally(sent=3)
    assert target.readied == 1


async def test_a_count_ends_an_endless_stream() -> None:
    """After exactly so many states, though more are due."""
    target = FakeTarget()

    tally = await run(Delivery(due(*[0.0] * 10), target, count=4))

    assert len(target.taken) == tally.sent == 4


async def test_a_state_is_said_now() -> None:
    """`at` is the wall clock's when it is sent."""
    target = FakeTarget()
    before = time.time()

    await run(Delivery(due(0), target))

    (one,) = target.taken
    at = json.loads(one.body)["at"]
    said = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(before))
    later = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(before + 60))
    assert at.startswith((said, later))


async def test_with_a_start_a_state_is_said_then_and_none_is_left_out() -> None:
    """Both make the bytes the same whenever it runs."""
    target = FakeTarget(iter([1.2]))

    tally = await run(Delivery(due(0, 0.001, 0.002, 0.003), target, start_us=0))

    assert [json.loads(one.body)["at"] for one in target.taken] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.001Z",
        "1970-01-01T00:00:00.002Z",
        "1970-01-01T00:00:00.003Z",
    ]
    assert tally == Tally(sent=4)


async def test_what_is_late_is_left_out_and_counted() -> None:
    """A target that hangs for longer than a second is not sent what was due meanwhile."""
    target = FakeTarget(iter([1.2]))

    tally = await run(Delivery(due(0, 0.01, 0.02, 1.3), target))

    assert [json.loads(one.body)["seq"] for one in target.taken] == [0, 3]
    assert tally == Tally(sent=2, skipped=2)


async def test_an_outage_is_waited_out_and_said_once_and_its_end_too() -> None:
    """However many attempts it takes; what was not taken is counted."""
    gone = [Unavailable(0, "no answer; check THE_SETTING") for _ in range(3)]
    target = FakeTarget(iter([*gone, None]))

    with capture_logs() as said:
        tally = await run(Delivery(due(0, 0.01, 0.02, 0.03, 0.04), target, count=2))

    assert [(line["log_level"], line.get("why"), line.get("missed")) for line in said] == [
        ("warning", "no answer; check THE_SETTING", None),
        ("info", None, tally.failed + tally.skipped),
    ]
    assert tally.sent == 2
    assert tally.failed == 3
    assert target.readied == 4


async def test_a_second_outage_is_said_as_well() -> None:
    """Once each."""
    target = FakeTarget(iter([Unavailable(0, "one"), None, Unavailable(0, "two"), None]))

    with capture_logs() as said:
        await run(Delivery(due(*[tick / 50 for tick in range(10)]), target, count=4))

    assert [line["why"] for line in said if "why" in line] == ["one", "two"]


async def test_what_the_connection_has_said_itself_is_not_said_again() -> None:
    """An outage without a sentence leaves no line."""
    target = FakeTarget(iter([Unavailable(0), None]))

    with capture_logs() as said:
        tally = await run(Delivery(due(0, 0.05), target, count=1))

    assert said == []
    assert tally == Tally(sent=1, failed=1)


async def test_a_batch_that_was_taken_in_part_counts_in_part() -> None:
    """Two of three were sent, one was not."""
    target = FakeTarget(iter([Unavailable(2, "one was refused")]))

    tally = await run(Delivery(due(0, 0, 0), target))

    assert tally == Tally(sent=2, failed=1)


async def test_it_ends_when_nobody_reads_any_more() -> None:
    """Without an error."""
    tally = await run(Delivery(due(0, 0.01), FakeTarget(iter([Closed()]))))

    assert tally == Tally()


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

    assert one.tally == Tally(sent=1)


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
