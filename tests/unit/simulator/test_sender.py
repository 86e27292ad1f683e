"""The sender: due messages reach the target, outages are waited out, a stop ends it at once."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from itertools import repeat

import pytest
from structlog.testing import capture_logs

from runtime.backoff import Backoff
from simulator import sender
from simulator.sender import Sender, SendOptions, SendStats
from simulator.stream.items import StreamItem
from simulator.targets.target import OutputClosed, Unavailable
from tests.fakes.virtual_time import now, virtual_time

DEADLINE_S = 5

Answer = Exception | float | asyncio.Event | None


class FakeTarget:
    """Accepts batches, or does what `answers` says for one batch after the other.

    None accepts the batch. An exception is raised. A number is how long sending takes, in seconds
    of `clock`. An event delays the batch until it is set. `clock` is a clock for the sender: the
    loop's virtual time plus what sending took.
    """

    def __init__(self, answers: Iterator[Answer] = repeat(None)) -> None:  # noqa: B008
        self.accepted: list[StreamItem] = []
        self.times_ready = 0
        self.replaced = 0
        self.network_changes: list[tuple[str, bool]] = []
        self.sending = asyncio.Event()
        self._answers = answers
        self._taken_s = 0.0

    def clock(self) -> float:
        return now() + self._taken_s

    def set_network(self, pillow: str, *, up: bool) -> None:
        self.network_changes.append((pillow, up))

    async def wait_ready(self) -> None:
        self.times_ready += 1

    async def send(self, batch: Sequence[StreamItem]) -> None:
        self.sending.set()
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        elif answer is not None:
            self._taken_s += answer
        self.accepted += batch


def due(*seconds: float) -> Iterator[StreamItem]:
    """Return messages that are due at these times, numbered from 0."""
    return (StreamItem(due_s, "cloud-1", b'{"seq":%d}' % seq) for seq, due_s in enumerate(seconds))


def seqs(items: Sequence[StreamItem]) -> list[int]:
    """Return the numbers of messages."""
    return [json.loads(item.body)["seq"] for item in items]


def sent_skipped_failed(stats: SendStats) -> tuple[int, int, int]:
    """Return the three counts."""
    return stats.sent, stats.skipped, stats.failed


@pytest.fixture(autouse=True)
def _short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "_RETRY", Backoff(first_s=0.001, max_s=0.001))


async def run(
    items: Iterator[StreamItem],
    target: FakeTarget,
    options: SendOptions = SendOptions(),  # noqa: B008
) -> SendStats:
    """Send until the stream ends."""
    running = Sender(items, target, options, clock=target.clock)
    await asyncio.wait_for(running.run(asyncio.Event()), DEADLINE_S)
    return running.stats


@virtual_time
async def test_every_message_is_sent_in_order_and_not_before_it_is_due() -> None:
    """After the target was ready once."""
    target = FakeTarget()
    began = now()

    stats = await run(due(0, 0.01, 0.05), target)

    assert now() - began >= 0.05
    assert seqs(target.accepted) == [0, 1, 2]
    assert sent_skipped_failed(stats) == (3, 0, 0)
    assert target.times_ready == 1


@virtual_time
async def test_sending_ends_after_count_messages() -> None:
    """Exactly, though more are due."""
    target = FakeTarget()

    stats = await run(due(*[0.0] * 10), target, SendOptions(count=4))

    assert len(target.accepted) == stats.sent == 4


@virtual_time
async def test_no_message_is_skipped_where_none_may_be() -> None:
    """Though the target took longer than a second; the delay is recorded."""
    target = FakeTarget(iter([1.2]))

    stats = await run(due(0, 0.001, 0.002, 0.003), target, SendOptions(may_skip=False))

    assert seqs(target.accepted) == [0, 1, 2, 3]
    assert sent_skipped_failed(stats) == (4, 0, 0)
    assert stats.max_late_s > 1.1


@virtual_time
async def test_a_slow_target_achieves_less_than_the_requested_rate() -> None:
    """The requested rate refers to the time in which the messages were due."""
    target = FakeTarget(iter([0.5, 0.5, 0.5]))

    stats = await run(
        due(*[tick / 100 for tick in range(101)]), target, SendOptions(may_skip=False)
    )

    assert sent_skipped_failed(stats) == (101, 0, 0)
    assert 90 < stats.requested_per_s < 103
    assert stats.achieved_per_s < 85


@pytest.mark.parametrize("speed", [600.0, None])
@virtual_time
async def test_a_minute_of_the_stream_is_sent_in_less_than_two_seconds(
    speed: float | None,
) -> None:
    """At 600 times the speed, and without waiting."""
    began = now()

    stats = await run(due(0, 30, 60), FakeTarget(), SendOptions(speed=speed))

    assert sent_skipped_failed(stats) == (3, 0, 0)
    assert now() - began < 2


@virtual_time
async def test_a_network_change_is_passed_to_target_and_listener_and_not_counted() -> None:
    """In order, between the messages."""
    target = FakeTarget()
    changes: list[StreamItem] = []
    sent: list[StreamItem] = []
    items = [
        StreamItem(0, "a", b"{}"),
        StreamItem(0, "a", network="down"),
        StreamItem(0.01, "a", network="up"),
    ]
    running = Sender(iter(items), target)
    running.set_listeners(sent.extend, on_network_change=changes.append)

    await asyncio.wait_for(running.run(asyncio.Event()), DEADLINE_S)

    assert target.network_changes == [("a", False), ("a", True)]
    assert [item.network for item in changes] == ["down", "up"]
    assert sent_skipped_failed(running.stats) == (len(sent), 0, 0) == (1, 0, 0)


@virtual_time
async def test_a_replaced_message_is_not_counted_as_sent() -> None:
    """It is counted as replaced."""

    class ReplacingTarget(FakeTarget):
        async def send(self, batch: Sequence[StreamItem]) -> None:
            self.replaced += len(batch) - 1

    stats = await run(due(0, 0, 0), ReplacingTarget())

    assert (stats.sent, stats.replaced, stats.requested) == (1, 2, 3)


@virtual_time
async def test_expected_rejections_are_counted_by_reason() -> None:
    """Of accepted messages."""
    invalid = StreamItem(0, "a", b"x", None, "malformed")

    stats = await run(iter([invalid, invalid, StreamItem(0, "a", b"{}")]), FakeTarget())

    assert stats.rejections == {"malformed": 2}


@virtual_time
async def test_a_message_more_than_a_second_late_is_skipped_and_counted() -> None:
    """Those that were due early in a batch that took 1.2 s."""
    target = FakeTarget(iter([1.2]))

    stats = await run(due(0, 0.01, 0.02, 1.3), target)

    assert seqs(target.accepted) == [0, 3]
    assert sent_skipped_failed(stats) == (2, 2, 0)


@virtual_time
async def test_an_outage_and_its_end_are_logged_once_each() -> None:
    """Whatever the number of attempts; the missed messages are counted."""
    outages = [Unavailable(0, "no answer; check THE_SETTING") for _ in range(3)]
    target = FakeTarget(iter([*outages, None]))

    with capture_logs() as lines:
        # More messages than are missed during the outage, even on a slow machine.
        stats = await run(due(*[tick / 50 for tick in range(200)]), target, SendOptions(count=2))

    assert [(line["log_level"], line.get("error"), line.get("missed")) for line in lines] == [
        ("warning", "no answer; check THE_SETTING", None),
        ("info", None, stats.failed + stats.skipped),
    ]
    assert stats.sent == 2
    assert stats.failed >= 3
    assert target.times_ready == 4


@virtual_time
async def test_a_second_outage_is_logged_as_well() -> None:
    """With its own reason."""
    target = FakeTarget(iter([Unavailable(0, "one"), None, Unavailable(0, "two"), None]))

    with capture_logs() as lines:
        await run(due(*[tick / 50 for tick in range(100)]), target, SendOptions(count=4))

    assert [line["error"] for line in lines if "error" in line] == ["one", "two"]


@virtual_time
async def test_an_outage_without_a_reason_is_not_logged() -> None:
    """The connection has logged it already."""
    target = FakeTarget(iter([Unavailable(0), None]))

    with capture_logs() as lines:
        stats = await run(due(0, 0.05), target, SendOptions(count=1))

    assert lines == []
    assert sent_skipped_failed(stats) == (1, 0, 1)


@virtual_time
async def test_the_accepted_part_of_a_failed_batch_counts_as_sent() -> None:
    """Two of three."""
    target = FakeTarget(iter([Unavailable(2, "one was refused")]))

    stats = await run(due(0, 0, 0), target)

    assert sent_skipped_failed(stats) == (2, 0, 1)


@virtual_time
async def test_sending_ends_without_an_error_when_the_output_is_closed() -> None:
    """As `simulator | head` does."""
    stats = await run(due(0, 0.01), FakeTarget(iter([OutputClosed()])))

    assert sent_skipped_failed(stats) == (0, 0, 0)


@virtual_time
async def test_an_unexpected_exception_ends_the_sender() -> None:
    """So that the process ends with a traceback."""
    with pytest.raises(ZeroDivisionError):
        await run(due(0), FakeTarget(iter([ZeroDivisionError()])))


async def stop_while_sending(answer: asyncio.Event, *, finishes: bool) -> SendStats:
    """Stop the sender while a batch is being sent, which is then accepted or not."""
    target = FakeTarget(iter([answer]))
    stopping = asyncio.Event()
    running = Sender(due(0, 0.1), target)

    task = asyncio.ensure_future(running.run(stopping))
    await asyncio.wait_for(target.sending.wait(), DEADLINE_S)
    stopping.set()
    if finishes:
        answer.set()
    await asyncio.wait_for(task, DEADLINE_S)
    return running.stats


@virtual_time
async def test_a_batch_that_is_accepted_soon_after_the_stop_is_counted() -> None:
    """The sender waits for it."""
    assert (await stop_while_sending(asyncio.Event(), finishes=True)).sent == 1


@virtual_time
async def test_a_batch_that_is_not_accepted_after_the_stop_is_given_up() -> None:
    """After STOP_GRACE_S."""
    assert (await stop_while_sending(asyncio.Event(), finishes=False)).sent == 0


@virtual_time
async def test_a_stop_ends_the_wait_for_the_next_message() -> None:
    """Though the next one is due in an hour."""
    target = FakeTarget()
    stopping = asyncio.Event()
    running = Sender(due(0, 3600), target)

    task = asyncio.ensure_future(running.run(stopping))
    await asyncio.wait_for(target.sending.wait(), DEADLINE_S)
    stopping.set()
    await asyncio.wait_for(task, DEADLINE_S)

    assert sent_skipped_failed(running.stats) == (1, 0, 0)


@virtual_time
async def test_skipped_messages_are_logged_once_an_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the number since the last line; without any, only a debug line is logged."""
    monkeypatch.setattr(sender, "PROGRESS_INTERVAL_S", 0.5)
    target = FakeTarget(iter([1.2, 0.6]))

    with capture_logs() as lines:
        await run(due(0, 0.01, 0.02, 1.3, 1.9), target)

    assert [(line["log_level"], line.get("skipped")) for line in lines] == [
        ("warning", 2),
        ("debug", None),
    ]
