"""Past states of the database, and of memory while it is away."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from prometheus_client import CollectorRegistry, Gauge

from gateway.past import fallback
from gateway.past.fallback import PastWithFallback
from gateway.past.source import PastUnavailable
from history.hugs import Hugs
from history.pages import Page, Position
from history.spans import Span
from history.tallies import Activity


class Source:
    """A source that answers with its name, or does what it is told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = self.at_once = self.most_at_once = 0
        self.takes_s = 0.0
        self.fault: Exception | None = None
        self.hangs = self.knows_nothing = False

    async def page(self, pillow: str, first: Position, until_us: int, limit: int) -> Page | None:
        """Return a page with the source's name."""
        self.asked += 1
        if self.takes_s:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await asyncio.sleep(self.takes_s)
            self.at_once -= 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        return None if self.knows_nothing else Page([self.name], None)

    async def activity(self, pillow: str, spans: Sequence[Span], now_us: int) -> Activity | None:
        """Return nothing."""
        return None

    async def hugs(self, from_us: int, until_us: int) -> Mapping[str, Hugs]:
        """Return a hug of a pillow with the source's name."""
        if self.fault is not None:
            raise self.fault
        return {} if self.knows_nothing else {self.name: Hugs(1, 0, 0)}

    def since_us(self) -> int | None:
        """Return an instant of memory."""
        return 7 if self.name == "memory" else None


class Rig:
    """Past states with both sources."""

    def __init__(self) -> None:
        self.database, self.memory = Source("database"), Source("memory")
        self.up = Gauge("history_up", "", registry=CollectorRegistry())
        self.past = PastWithFallback(self.database, self.memory, self.up)

    async def source(self) -> str | None:
        """Return who answers; None if nobody knows the pillow."""
        page, is_recorded = await self.past.page("cloud-1", (0, 0), 1, 10)
        assert page is None or is_recorded == (page.states[0] == "database")
        return None if page is None else page.states[0]


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A rig with short times."""
    monkeypatch.setattr(fallback, "DEADLINE_S", 0.05)
    return Rig()


async def test_the_database_answers_where_there_is_one(rig: Rig) -> None:
    """And its metric says so."""
    assert await rig.source() == "database"
    assert rig.up._value.get() == 1


async def test_memory_answers_for_what_the_recorder_has_not_written_yet(rig: Rig) -> None:
    """A pillow that nobody knows is unknown."""
    rig.database.knows_nothing = True
    assert await rig.source() == "memory"
    rig.memory.knows_nothing = True
    assert await rig.source() is None


async def test_a_database_that_fails_is_left_alone_for_a_while(rig: Rig) -> None:
    """Requests do not wait for it one after the other."""
    rig.database.fault = PastUnavailable("OperationalError: away")

    assert [await rig.source() for _ in range(5)] == ["memory"] * 5
    assert rig.database.asked == 1
    assert rig.up._value.get() == 0


async def test_a_database_that_hangs_delays_one_request(rig: Rig) -> None:
    """By the deadline."""
    rig.database.hangs = True

    async with asyncio.timeout(1):
        assert [await rig.source() for _ in range(5)] == ["memory"] * 5


async def test_many_questions_wait_for_their_turn_and_not_for_the_deadline(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd is no fault of the database."""
    monkeypatch.setattr(fallback, "DEADLINE_S", 0.4)
    rig.database.takes_s = 0.05

    assert [*await asyncio.gather(*(rig.source() for _ in range(40)))] == ["database"] * 40
    assert rig.database.most_at_once == fallback.MAX_QUESTIONS


async def test_questions_that_wait_do_not_ask_a_database_that_has_failed(rig: Rig) -> None:
    """One that hangs delays as many as may ask at once, by the deadline."""
    rig.database.hangs = True

    async with asyncio.timeout(5):
        assert [*await asyncio.gather(*(rig.source() for _ in range(40)))] == ["memory"] * 40
    assert rig.database.asked == fallback.MAX_QUESTIONS


async def test_it_is_asked_again_after_the_pause(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """And tells again when it is back."""
    monkeypatch.setattr(fallback, "PAUSE_S", 0.0)
    rig.database.fault = PastUnavailable("OSError: no file")
    assert await rig.source() == "memory"
    rig.database.fault = None

    assert await rig.source() == "database"


async def test_hugs_are_of_the_database_even_where_it_has_none(rig: Rig) -> None:
    """A day without hugs is known; without the database they are of memory."""
    assert await rig.past.hugs(0, 1) == ({"database": Hugs(1, 0, 0)}, True)
    rig.database.knows_nothing = True
    assert await rig.past.hugs(0, 1) == ({}, True)
    rig.database.fault = PastUnavailable("OSError: no file")
    assert await rig.past.hugs(0, 1) == ({"memory": Hugs(1, 0, 0)}, False)
