"""Past states in the gateway's memory."""

import asyncio
import json

import pytest

from contract.timestamps import format_timestamp
from gateway.past import memory
from gateway.past.memory import MemoryPast
from gateway.state.history import History
from history.hugs import Hugs
from history.tallies import Tally
from runtime.queue_aware_clock import Clock

S = 1_000_000
LAST = 2**62


def state(at_s: int, name: str = "hugging", **fields: object) -> bytes:
    """Return a state as it was on MQTT."""
    at = format_timestamp(at_s * S)
    return json.dumps({"pillow": "cloud-1", "state": name, "at": at, **fields}).encode()


def past_of(*states: bytes) -> MemoryPast:
    """Return a memory that has heard states."""
    history = History(1_000_000)
    for one in states:
        history.append("cloud-1", one)
    return MemoryPast(history, Clock())


async def test_pages_follow_each_other_and_have_every_state_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the walk takes several steps."""
    monkeypatch.setattr(memory, "STEP", 3)
    states = [state(number) for number in range(10)]
    past, first = past_of(*states), (0, 0)
    found: list[str] = []
    while True:
        page = await past.page("cloud-1", first, LAST, 4)
        assert page is not None
        found += page.states
        if page.following is None:
            break
        first = page.following

    assert found == [one.decode() for one in states]


async def test_a_page_is_limited_by_time() -> None:
    """From an instant on, and before another."""
    past = past_of(*(state(number) for number in range(10)))

    page = await past.page("cloud-1", (3 * S, 0), 6 * S, 100)

    assert page is not None
    assert [json.loads(one)["at"][17:19] for one in page.states] == ["03", "04", "05"]


async def test_episodes_leave_out_what_the_gateway_made_itself() -> None:
    """`notconnected` with `since` says that nothing was reported."""
    made = state(2, "notconnected", since=format_timestamp(32 * S), last="hugging")
    past = past_of(state(0), state(1), state(2), made, state(60, "neutral"))

    found = await past.activity("cloud-1", [(0, 30 * S), (30 * S, 90 * S)], 90 * S)

    assert found is not None
    assert found.tallies == {(0, "hugging"): Tally(1, 2 * S, 2 * S), (1, "neutral"): Tally(1)}


async def test_it_was_listened_while_the_broker_was_there() -> None:
    """Until now, if it still is."""
    times = iter(range(0, 10_000_000, 1000))
    clock = Clock(wall=lambda: 1_790_000_000_000, monotonic=lambda: next(times))
    history = History(1_000_000)
    history.append("cloud-1", state(0))
    past = MemoryPast(history, clock)
    past.on_ready()
    past.on_lost()
    past.on_ready()

    found = await past.activity("cloud-1", [(0, LAST)], LAST)

    assert found is not None
    assert len(found.unheard) == 3


async def test_the_hugs_of_all_pillows_are_counted() -> None:
    """Those of one that nobody hugged are not there."""
    history = History(1_000_000)
    history.append("cloud-1", state(7))
    history.append("cloud-1", state(9, "neutral"))
    history.append("cloud-2", state(9, "neutral"))
    past = MemoryPast(history, Clock())

    assert await past.hugs(0, 60 * S) == {"cloud-1": Hugs(1, 9 * S, 2 * S)}


def test_it_has_everything_since_it_listened_and_what_was_evicted_is_gone() -> None:
    """Before it listened, it has nothing to tell of."""
    times = iter(range(0, 10_000_000, 1000))
    clock = Clock(wall=lambda: 1_790_000_000_000, monotonic=lambda: next(times))
    history = History(600)
    past = MemoryPast(history, clock)
    before_us = past.since_us()
    past.on_ready()
    began_us = past.since_us()
    assert before_us is not None
    assert began_us is not None
    assert began_us >= before_us >= 1_790_000_000 * S
    for after_s in range(9):
        history.append("cloud-1", state(began_us // S + 60 + after_s))
        assert (past.since_us() == began_us) is (history.oldest_after_eviction is None)

    kept = json.loads(history.states("cloud-1")[0])["at"]
    since_us = past.since_us()
    assert since_us is not None
    assert format_timestamp(since_us) == kept


async def test_many_requests_leave_the_event_loop_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They take one step together in each of its turns."""
    monkeypatch.setattr(memory, "STEP", 3)
    past = past_of(*(state(number) for number in range(30)))
    done = asyncio.gather(*(past.activity("cloud-1", [(0, LAST)], LAST) for _ in range(20)))
    turns = 0
    while not done.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns >= 20 * 10
    assert all(one == done.result()[0] for one in done.result())


async def test_a_pillow_that_was_not_heard_is_unknown() -> None:
    """The response is 404."""
    past = past_of(state(0))

    assert await past.page("cloud-2", (0, 0), LAST, 10) is None
    assert await past.activity("cloud-2", [(0, LAST)], LAST) is None
