"""Power cuts in a world of fakes: what was deleted from the queue is on the broker again."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.updates import EXPIRY_S, Update, decode_state
from poller.journal.journal_file import JournalFile, JournalRow
from poller.journal.journal_folder import JournaledState, OpenedJournal
from poller.journal.save_marks import NEVER, SaveMark, SaveMarks, encode_mark
from poller.metrics import PollerMetrics
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.pillow_limit import PillowLimit
from tests.fakes.queue import EPOCH_S
from tests.fakes.virtual_time import virtual_time
from tests.unit.poller.publish.test_last_writes import update
from tests.unit.poller.world import World, order, state


class FakeFile:
    """A journal's file in memory, for what reads only its id."""

    id = "a0"


class FakeJournal:
    """A journal that is committed when a test says so."""

    def __init__(self, disk: dict[str, JournalRow] | None = None) -> None:
        self.disk: dict[str, JournalRow] = {} if disk is None else disk
        self.pending: dict[str, JournalRow | None] = {}
        self.committed: asyncio.Future[None] | None = None
        self.rows: dict[str, JournalRow] = {}

    def listen(self, on_opened: Callable[[OpenedJournal], None]) -> None:
        on_opened(opened(self.disk))

    def adopt(self) -> None:
        """There is no other journal."""

    def get(self, pillow: str) -> JournalRow | None:
        return self.rows.get(pillow)

    def take(self, row: JournalRow) -> None:
        self.rows[row.pillow] = row
        if row.pillow in self.pending:
            self.pending[row.pillow] = row

    def put(self, row: JournalRow) -> asyncio.Future[None] | None:
        self.rows[row.pillow] = self.pending[row.pillow] = row
        return self.wait_for(row.pillow)

    def wait_for(self, pillow: str) -> asyncio.Future[None] | None:
        if pillow not in self.pending:
            return None
        if self.committed is None:
            self.committed = asyncio.get_running_loop().create_future()
        return self.committed

    def remove(self, pillow: str) -> None:
        if self.rows.pop(pillow, None) is not None:
            self.pending[pillow] = None

    def is_removed(self, pillow: str) -> bool:
        return self.pending.get(pillow, self) is None

    def commit(self) -> None:
        """Write what is pending."""
        for pillow, row in self.pending.items():
            if row is None:
                self.disk.pop(pillow, None)
            else:
                self.disk[pillow] = row
        self.pending.clear()
        if self.committed is not None:
            self.committed.set_result(None)
            self.committed = None


def rows(states: dict[str, SaveMark]) -> dict[str, JournalRow]:
    """Return rows with states of the time 3."""
    return {
        pillow: JournalRow(pillow, _payload(pillow, 3), mark) for pillow, mark in states.items()
    }


def _payload(pillow: str, at_s: int) -> bytes:
    return state(pillow, at_s).encode()


def opened(found: dict[str, JournalRow]) -> OpenedJournal:
    """Return a journal that was opened."""
    states = {}
    for pillow, row in found.items():
        one = decode_state(pillow, row.payload)
        assert isinstance(one, Update)
        states[pillow] = JournaledState(one, row)
    numbers = [row.mark.number for row in found.values() if row.mark.number < NEVER]
    file: JournalFile = FakeFile()  # type: ignore[assignment]
    return OpenedJournal(file, states, {"a0": "one"}, max(numbers, default=0), frozenset())


def writes_with(journal: FakeJournal) -> JournaledWrites:
    """Return the writes of a poller that is connected to an empty broker."""
    writes = JournaledWrites(SaveMarks("a0"), PillowLimit(3, PollerMetrics()), journal)
    writes.compare(delivers_retained=True)
    return writes


async def test_a_state_is_written_once() -> None:
    """And again only when it, or its mark, is another."""
    journal = FakeJournal()
    writes = writes_with(journal)
    writes.record(update(1))
    first = writes.journaled("a")
    assert first is not None
    assert writes.journaled("a") is first
    journal.commit()
    assert first.done()
    assert writes.journaled("a") is None
    writes.record(update(2, hop=2))
    assert writes.journaled("a") is not None
    assert writes.journaled("unknown") is None
    writes.remove("a")
    journal.commit()
    assert journal.disk == {}


async def test_a_pillow_above_the_limit_leaves_the_journal_too() -> None:
    """The journal is bounded by the number of pillows."""
    journal = FakeJournal()
    writes = writes_with(journal)
    for pillow in "abcd":
        writes.record(update(1, pillow=pillow))
        writes.journaled(pillow)
    journal.commit()
    assert set(journal.disk) == {"b", "c", "d"}


async def test_states_of_a_journal_are_compared_with_the_broker() -> None:
    """Saved and not there: removed; not saved: lost; of another journal: by that one's mark."""
    journal = FakeJournal()
    writes = JournaledWrites(SaveMarks("ff"), PillowLimit(10, PollerMetrics()), journal)
    marks = {
        "removed": SaveMark("a0", 5),
        "lost": SaveMark("a0", 6),
        "there": SaveMark("b0", 1),
        "older": SaveMark("b0", 1),
    }
    writes.load(opened(rows(marks)))
    writes.receive_mark(encode_mark(SaveMark("a0", 5)))
    writes.receive_mark(b"nonsense")
    for pillow, at_s in (("there", 3), ("older", 2)):
        received = decode_state(pillow, _payload(pillow, at_s))
        assert isinstance(received, Update)
        writes.record_received(received)

    missing = writes.compare(delivers_retained=True)

    assert {one.pillow for one in missing} == {"lost", "older"}
    assert journal.pending["removed"] is None
    there = journal.pending["there"]
    assert there is not None
    assert there.mark == SaveMark("a0", 7)
    assert writes.has_lost


async def test_a_journal_that_is_opened_late_does_not_bring_back_what_is_older() -> None:
    """Nor what was removed meanwhile."""
    journal = FakeJournal()
    writes = writes_with(journal)
    writes.record(update(EPOCH_S * 10**6 + 5 * 10**6, pillow="newer"))
    journal.rows["gone"] = JournalRow("gone", b"", SaveMark("a0", 1))
    writes.remove("gone")
    names = ("newer", "gone", "old")
    writes.load(opened(rows(dict.fromkeys(names, SaveMark("a0", 1)))))

    assert {one.pillow for one in writes.compare(delivers_retained=True)} == {"old"}


@virtual_time
async def test_a_pillow_removed_between_two_connections_stays_removed() -> None:
    """While one whose state the broker lost comes back."""
    world = World()
    world.queue.put(state("removed", 1))
    world.queue.put(state("kept", 1))
    async with world.running() as poller:
        await world.rest()
        await asyncio.sleep(1)
        world.broker.save()
        poller.broker.reconnect_s = None
        world.broker.disconnect_all()
        await asyncio.sleep(300)  # as long as it takes
        world.broker.remove("removed")
        world.broker.connect_all()
        await asyncio.sleep(5)
        assert set(world.broker.retained) == {"kept"}
        assert poller.count("republished") == 0
        world.broker.known.pop("removed")
        world.broker.crash()
        await asyncio.sleep(200)
        assert set(world.broker.retained) == {"kept", "removed"}, "the broker had saved it"


@virtual_time
async def test_a_state_lost_by_the_broker_comes_back_whatever_the_clock_shows() -> None:
    """The wall clock is set by minutes, and the loss is noticed late."""
    for ahead_s in (0.0, 180.0, -180.0):
        world = World()
        poller = world.start(clock_ahead_s=ahead_s)
        async with world.running(poller):
            world.queue.put(state("a", 1))
            await world.rest()
            poller.broker.reconnect_s = None
            world.broker.crash()
            await asyncio.sleep(1000)
            world.broker.connect_all()
            await asyncio.sleep(5)
        world.check_newest()


@virtual_time
async def test_a_state_of_the_journal_outlasts_a_queue_clock_that_was_set_back() -> None:
    """After a power cut a machine may not know the time; nothing else has the state."""
    hours = 3
    journal = FakeJournal({"a": JournalRow("a", _payload("a", hours * 3600), SaveMark("a0", 1))})
    world = World()
    async with world.running(world.start(journal=journal)) as poller:
        await asyncio.sleep(hours * 3600 - 600)
        journal.commit()
        assert world.broker.retained == {}
        assert set(journal.disk) == {"a"}
        await asyncio.sleep(600)
        assert world.broker.retained["a"].order == order(hours * 3600)
        assert poller.count("republished") == 1


@virtual_time
async def test_a_state_of_the_journal_that_the_broker_would_have_dropped_stays_away() -> None:
    """It is too old; the save mark that would tell that the broker had it has expired as well."""
    states = {}
    for pillow, published_s in (("old", 0), ("new", 86_400)):
        hops = b'"hops":{"queued":%d,"polled":%d,"published":%d}' % (
            (int((EPOCH_S + published_s) * 1000),) * 3
        )
        payload = _payload(pillow, published_s).rstrip(b"}") + b"," + hops + b"}"
        states[pillow] = JournalRow(pillow, payload, SaveMark("a0", 1))
    world = World()
    await asyncio.sleep(EXPIRY_S + 3600)
    async with world.running(world.start(journal=FakeJournal(states))) as poller:
        await world.until(lambda: "new" in world.broker.retained, "published again")
        await world.until(lambda: bool(world.broker.marks), "a save mark")
        await asyncio.sleep(60)
        assert set(world.broker.retained) == {"new"}
        assert poller.count("republished") == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["put", "put", "wait", "save", "broker", "commit", "all"])))
def test_nothing_that_was_deleted_is_missing_after_power_cuts(steps: list[str]) -> None:
    """The broker saves, the journal commits, and everything is killed, at any moments."""
    play(steps)


@virtual_time
async def play(steps: list[str]) -> None:
    """Do each step; then let everything come to rest, and check what the broker has."""
    world = World()
    journal = FakeJournal({})
    poller = world.start(journal=journal)
    for number, step in enumerate(steps):
        match step:
            case "put":
                world.queue.put(state(f"p{number % 3}", number))
            case "wait":
                await asyncio.sleep(0.5)
            case "save":
                world.broker.save()
            case "commit":
                journal.commit()
            case "broker":
                world.broker.crash()
            case "all":
                await poller.crash()
                world.broker.crash()
                journal = FakeJournal(journal.disk)
                poller = world.start(journal=journal)
        await asyncio.sleep(0.03)
    async with world.running(poller):
        for _ in range(80):
            journal.commit()
            await asyncio.sleep(1)
        await world.rest()
        await asyncio.sleep(1)
    world.check_newest()
