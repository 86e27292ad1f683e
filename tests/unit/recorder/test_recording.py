"""Recording: what is written, kept and lost, whatever the database does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import DataError, OperationalError

from contract.updates import Update
from history.spans import Span
from recorder import recording as module
from recorder.database_health import DatabaseHealth
from recorder.intake import ENTRY_OVERHEAD_BYTES, Intake
from recorder.metrics import RecorderMetrics
from recorder.recording import Recording
from recorder.store import Written
from runtime.backoff import Backoff
from runtime.queue_aware_clock import Clock
from tests.unit.recorder.histories import S, state
from tests.waiting import until


class FaultyStore:
    """Keeps what is written; fails as it is told."""

    def __init__(self) -> None:
        self.written: list[Update] = []
        self.spans: dict[int, int] = {}
        self.is_away = False
        self.refused: set[str] = set()
        self.attempts = 0

    async def write(self, updates: Sequence[Update], listened: Sequence[Span]) -> Written:
        """Write all or nothing."""
        self.attempts += 1
        if self.is_away:
            raise OperationalError("disk full", None, OSError("no space left on device"))
        if any(one.pillow in self.refused for one in updates):
            raise DataError("too long", None, ValueError())
        self.written += updates
        self.spans |= dict(listened)
        return Written(len(updates), 0)


class Rig:
    """A recording that runs on a faulty store."""

    def __init__(self, limit_bytes: int) -> None:
        self.store, self.metrics, self.intake = (
            FaultyStore(),
            RecorderMetrics(),
            Intake(limit_bytes),
        )
        self.health = DatabaseHealth(self.metrics)
        self.clock = Clock()
        self.clock.settle(has_pollers=False)
        self.recording = Recording(self.store, self.intake, self.clock, self.health, self.metrics)
        self.stopping = asyncio.Event()

    def lost(self, reason: str) -> float:
        """Return how many states were lost."""
        name = "pillowcast_recorder_lost_total"
        return self.metrics.registry.get_sample_value(name, {"reason": reason}) or 0


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, limit_bytes: int = 1_000_000
) -> AsyncIterator[Rig]:
    """Run a recording with short times."""
    monkeypatch.setattr(module, "GATHER_S", 0.01)
    monkeypatch.setattr(module, "LISTENED_S", 0.02)
    monkeypatch.setattr(module, "_BACKOFF", Backoff(first_s=0.01, max_s=0.02))
    rig = Rig(limit_bytes)
    task = asyncio.create_task(rig.recording.run(rig.stopping))
    yield rig
    rig.stopping.set()
    await asyncio.wait_for(task, 10)


async def test_what_arrives_is_written_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what arrives while the last batch is written, and at the stop."""
    states = [state(number * S) for number in range(50)]
    async with running(monkeypatch) as rig:
        rig.recording.on_ready()
        for one in states[:-1]:
            rig.recording.receive(one)
            await asyncio.sleep(0)
        await until(lambda: len(rig.store.written) == 49, "written")
        assert rig.health.state == "ok"
        rig.recording.receive(states[-1])

    assert rig.store.written == states


async def test_states_wait_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness says so, and recording goes on when there is room again."""
    async with running(monkeypatch) as rig:
        rig.recording.on_ready()
        rig.store.is_away = True
        rig.recording.receive(state(0))
        await until(lambda: "no space left" in rig.health.state, "the outage is said")
        for number in range(1, 20):
            rig.recording.receive(state(number * S))
        await until(lambda: rig.store.attempts >= 3, "it is tried again")
        assert not rig.store.written
        rig.store.is_away = False
        await until(lambda: len(rig.store.written) == 20, "all of them are written")


async def test_above_the_limit_states_are_counted_and_nobody_listened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The span ends there, and another begins when states are taken again."""
    room = 3 * (len(state(0).payload) + ENTRY_OVERHEAD_BYTES)
    async with running(monkeypatch, room) as rig:
        rig.recording.on_ready()
        await until(lambda: len(rig.store.spans) == 1, "listening is written")
        rig.store.is_away = True
        for number in range(5):
            rig.recording.receive(state(number * S))
        assert rig.lost("buffer-full") == 2
        rig.store.is_away = False
        await until(lambda: len(rig.store.written) == 3, "what was taken is written")
        await until(lambda: rig.intake.bytes == 0, "nothing waits")
        rig.recording.receive(state(9 * S))
        await until(lambda: len(rig.store.spans) == 2, "another span has begun")


async def test_a_state_that_the_database_refuses_keeps_no_other_one_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is counted and said."""
    async with running(monkeypatch) as rig:
        rig.store.refused = {"cloud-2"}
        for number in range(6):
            rig.recording.receive(state(number * S, pillow=f"cloud-{number % 3}"))
        await until(lambda: len(rig.store.written) == 4, "the others are written")
        await until(lambda: rig.lost("refused") == 2, "two are counted")


async def test_what_cannot_be_written_at_the_stop_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the stop is not delayed."""
    async with running(monkeypatch) as rig:
        rig.store.is_away = True
        rig.recording.receive(state(0))

    assert rig.lost("stopped") == 1


async def test_listening_ends_with_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """And begins anew with it."""
    async with running(monkeypatch) as rig:
        rig.recording.on_ready()
        await until(lambda: len(rig.store.spans) == 1, "the first span")
        rig.recording.on_lost()
        rig.recording.receive(state(0))  # what was under way
        await until(lambda: len(rig.store.written) == 1, "written")
        rig.recording.on_ready()
        await until(lambda: len(rig.store.spans) == 2, "the second span")
