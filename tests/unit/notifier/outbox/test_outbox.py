"""The outbox while the notifier runs: what may be sent when, and what happens above the limits."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from notifier import silence_keeper
from notifier.detect.detector import Decision
from notifier.detect.event import Event
from notifier.detect.marks import Mark, MarkChange, Silence
from notifier.detect.pillow_watch import KEPT_MS, PillowWatch
from notifier.metrics import NotifierMetrics
from notifier.moments import Moments
from notifier.outbox import outbox as module
from notifier.outbox.delivery import Batch, Row
from notifier.outbox.outbox import FULL, GONE, Outbox, OutboxLimits
from notifier.outbox.outbox_file import Loaded, OutboxFile, OutboxUnavailable
from notifier.silence_keeper import SilenceKeeper
from tests.unit.notifier.examples import event, rule
from tests.waiting import until

LIMITS = OutboxLimits(waiting=3, dead_letters=10)


class Disk(OutboxFile):
    """A file whose disk can be full, and can be slow."""

    is_full = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.answers = threading.Event()
        self.answers.set()

    def commit(self, batch: Batch, max_dead_letters: int) -> int:
        self.answers.wait()
        if self.is_full:
            raise OutboxUnavailable("the disk is full")
        return super().commit(batch, max_dead_letters)


class Running:
    """An outbox that runs, and its file."""

    def __init__(self, file: Disk, outbox: Outbox, metrics: NotifierMetrics) -> None:
        self.file = file
        self.outbox = outbox
        self.metrics = metrics

    def add(self, *numbers: int, marks: Sequence[MarkChange] = ()) -> None:
        """Decide events for one destination."""
        events: list[tuple[Event, tuple[str, ...]]] = [
            (event(number=number), ("house",)) for number in numbers
        ]
        self.outbox.add(Decision(events, list(marks)))

    async def next_number(self) -> int:
        """Return the number of the delivery that is next."""
        return (await self.outbox.next("house")).number

    def metric(self, name: str) -> float:
        """Return a sample."""
        value = self.metrics.registry.get_sample_value(
            f"pillowcast_notifier_{name}", {"destination": "house"} if "events" in name else {}
        )
        assert value is not None
        return value


@asynccontextmanager
async def running(path: Path, rows: Sequence[Row] = ()) -> AsyncIterator[Running]:
    """Run an outbox whose file has these rows."""
    file = Disk(path)
    if rows:
        file.commit(Batch({row.number: row for row in rows}), 10)
    metrics = NotifierMetrics(["hugs"], ["house"])
    outbox = Outbox(file, file.load(), {"house": None}, LIMITS, metrics)
    stopping = asyncio.Event()
    task = asyncio.create_task(outbox.run(stopping))
    try:
        yield Running(file, outbox, metrics)
    finally:
        file.answers.set()
        stopping.set()
        await task


def reloaded(path: Path) -> tuple[Loaded, list[Row]]:
    """Return what is on disk: what waits, and dead letters."""
    file = OutboxFile(path)
    try:
        return file.load(), file.dead_letters()
    finally:
        file.close()


async def test_an_event_is_sent_when_it_is_on_disk_and_not_before(tmp_path: Path) -> None:
    """With the marks that belong to it."""
    path, mark = tmp_path / "outbox.db", Mark("alive", "", "cloud-1")
    async with running(path) as one:
        one.file.answers.clear()
        one.add(1, marks=[MarkChange(mark, True)])
        waiting = asyncio.create_task(one.next_number())
        done, _ = await asyncio.wait((waiting,), timeout=0.05)
        assert not done
        one.file.answers.set()
        assert await waiting == 1
        loaded, _ = reloaded(path)
        assert [row.number for row in loaded.waiting] == [1]
        assert loaded.marks == [mark]
        one.outbox.complete(await one.outbox.next("house"))
        await until(lambda: not reloaded(path)[0].waiting, "its deletion")


async def test_while_the_disk_fails_events_are_sent_from_memory_and_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    path = tmp_path / "outbox.db"
    async with running(path) as one:
        one.file.is_full = True
        one.add(1, 2)
        assert await one.next_number() == 1
        assert one.outbox.state.endswith("the disk is full")
        one.outbox.complete(await one.outbox.next("house"))
        assert await one.next_number() == 2
        one.file.is_full = False
        await until(lambda: bool(reloaded(path)[0].waiting), "what waits still")

    loaded, _ = reloaded(path)
    assert [row.number for row in loaded.waiting] == [2]


async def test_a_disk_that_does_not_answer_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.05)
    async with running(tmp_path / "outbox.db") as one:
        one.file.answers.clear()
        one.add(1)
        assert await one.next_number() == 1
        assert "has not answered" in one.outbox.state


async def test_above_the_limit_the_oldest_becomes_a_dead_letter(tmp_path: Path) -> None:
    """And an event that waits already is not there twice."""
    path = tmp_path / "outbox.db"
    async with running(path) as one:
        one.add(1, 2, 3, 2, 4)
        await one.next_number()
        assert one.outbox.waiting("house") == 3
        assert one.metric("dead_lettered_events_total") == 1
        assert one.metric("waiting_events") == 3
        await until(lambda: len(reloaded(path)[1]) == 1, "the dead letter")

    [letter] = reloaded(path)[1]
    assert (letter.event.id, letter.error) == (event(number=1).id, FULL)


async def test_after_a_restart_what_waited_is_there_and_other_destinations_are_gone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.db"
    rows = [
        Row(4, "house", event(number=4), attempts=7, waited_s=100.0),
        Row(5, "cellar", event(number=5)),
    ]
    async with running(path, rows) as one:
        delivery = await one.outbox.next("house")
        assert (delivery.number, delivery.attempts, delivery.waited_before_s) == (4, 7, 100.0)
        one.add(6)
        await until(lambda: len(reloaded(path)[0].waiting) == 2, "another event")

    loaded, [letter] = reloaded(path)
    assert [row.number for row in loaded.waiting] == [4, 6]
    assert (letter.destination, letter.error) == ("cellar", GONE)


async def test_silences_are_written_from_time_to_time_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once more when there are none any longer, so that old ones are gone."""
    monkeypatch.setattr(silence_keeper, "KEEP_S", 0.01)
    watch, path = PillowWatch([rule("gone", "offline", lasts_s=99)], 10), tmp_path / "outbox.db"
    moments = Moments()
    list(watch.restore([Mark("alive", "", "cloud-1")], moments.now()))
    silent = Silence("cloud-1", KEPT_MS, False, False, (1, 2, 3))
    async with running(path) as one:
        keeper = SilenceKeeper(watch, moments, one.outbox.keep)
        running_keeper = asyncio.create_task(keeper.run())
        list(watch.restore([], moments.now(), [silent]))
        await until(lambda: reloaded(path)[0].silences == [silent], "the silence is on disk")
        list(watch.remove("cloud-1"))
        await until(lambda: not reloaded(path)[0].silences, "there is none on disk")
        running_keeper.cancel()
        list(watch.restore([Mark("alive", "", "cloud-1")], moments.now(), [silent]))
        keeper.keep()

    assert reloaded(path)[0].silences == [silent]


async def test_what_a_command_puts_back_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    path = tmp_path / "outbox.db"
    async with running(path) as one:
        one.add(1)
        one.outbox.bury(await one.outbox.next("house"), "HTTP 500")
        await until(lambda: len(reloaded(path)[1]) == 1, "the dead letter")
        command = OutboxFile(path, create=False)
        assert command.retry([1]) == [1]
        command.close()
        delivery = await one.outbox.next("house")
        assert (delivery.number, delivery.is_retried, delivery.attempts) == (1, True, 0)
