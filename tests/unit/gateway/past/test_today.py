"""The hugs of today: how often they are counted."""

import asyncio
from collections.abc import Mapping

import pytest

from gateway.past import today
from gateway.past.today import HugsOfToday
from history.hugs import Hugs


class Counting:
    """What counts, slowly, with a monotonic clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        self.now_s = 1000.0
        self.takes_s = 0.0
        self.pillows = 1
        self.fault: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        monkeypatch.setattr(today, "monotonic_s", lambda: self.now_s)
        self.hugs = HugsOfToday(self.count, lambda: 7)

    async def count(self, from_us: int, until_us: int) -> tuple[Mapping[str, Hugs], bool]:
        """Return hugs."""
        self.asked.append(from_us)
        await self.gate.wait()
        self.now_s += self.takes_s
        if self.fault is not None:
            raise self.fault
        return {f"cloud-{number}": Hugs(1, until_us, 0) for number in range(self.pillows)}, True


@pytest.fixture
async def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """One of this test."""
    return Counting(monkeypatch)


async def test_all_who_ask_within_seconds_get_one_count(counting: Counting) -> None:
    """Also while it is being made."""
    counting.gate.clear()
    waiting = [asyncio.ensure_future(counting.hugs.since(5)) for _ in range(100)]
    await asyncio.sleep(0)
    counting.gate.set()
    found = await asyncio.gather(*waiting)
    counting.now_s += today.KEPT_S - 0.1
    again = await counting.hugs.since(5)

    assert counting.asked == [5]
    assert all(one is again for one in found)
    assert (again.until_us, again.is_recorded) == (7, True)


async def test_it_is_counted_again_after_that(counting: Counting) -> None:
    """And for each day that began at another instant."""
    await counting.hugs.since(5)
    await counting.hugs.since(6)
    counting.now_s += today.KEPT_S
    await counting.hugs.since(5)

    assert counting.asked == [5, 6, 5]


async def test_a_count_that_took_long_is_kept_longer(counting: Counting) -> None:
    """So that counting takes a small part of the time."""
    counting.takes_s = 3.0
    await counting.hugs.since(5)
    counting.now_s += 3.0 / today.COST_SHARE - 1
    await counting.hugs.since(5)
    assert counting.asked == [5]

    counting.now_s += 1
    await counting.hugs.since(5)
    assert counting.asked == [5, 5]


async def test_a_request_that_is_cancelled_does_not_end_the_count_of_others(
    counting: Counting,
) -> None:
    """They wait for the same one."""
    counting.gate.clear()
    first, second = (asyncio.ensure_future(counting.hugs.since(5)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    counting.gate.set()

    assert (await second).until_us == 7
    assert counting.asked == [5]


async def test_a_count_that_failed_is_not_kept(counting: Counting) -> None:
    """The next request counts again."""
    counting.fault = ValueError("wrong")
    with pytest.raises(ValueError, match="wrong"):
        await counting.hugs.since(5)
    counting.fault = None

    assert (await counting.hugs.since(5)).until_us == 7


async def test_no_more_counts_and_pillows_are_kept_than_the_limits(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest go; one alone may be larger."""
    monkeypatch.setattr(today, "MAX_PILLOWS", 100)
    for from_us in range(today.MAX_DAYS + 1):
        await counting.hugs.since(from_us)
    counting.asked.clear()
    await counting.hugs.since(0)
    await counting.hugs.since(today.MAX_DAYS)
    assert counting.asked == [0]

    counting.pillows = 1000
    await counting.hugs.since(-1)
    counting.asked.clear()
    await counting.hugs.since(-1)
    await counting.hugs.since(today.MAX_DAYS)
    assert counting.asked == [today.MAX_DAYS]
