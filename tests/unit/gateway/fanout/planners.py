"""A planner on a store of its own, and what tests do with them."""

from collections.abc import Iterator
from itertools import chain, repeat

from gateway.fanout.flush_planner import FlushPlanner
from gateway.fanout.writes import Write
from gateway.state.state_store import Change, StateStore
from tests.unit.gateway.strategies import EPOCH_MS, update
from tests.unit.gateway.subscribers import deliver

NOW = EPOCH_MS


def make() -> tuple[StateStore, FlushPlanner]:
    """Return a store and a planner on it."""
    store = StateStore("ep")
    return store, FlushPlanner(store)


def flush(planner: FlushPlanner, may_go_on: int | None = None) -> list[Write]:
    """Write what a flush yields, and return it; it may go on so many times, or for ever."""
    answers: Iterator[bool] = repeat(True)
    if may_go_on is not None:
        answers = chain(repeat(True, may_go_on), repeat(False))
    return deliver(planner.flush(NOW, None, answers.__next__))


def change_of(
    store: StateStore, pillow: str, at: int, pad: int = 0, *, has_motion: bool = False
) -> Change:
    """Store a state, and return the change."""
    if not has_motion:
        return store.put(update(pillow, at, pad=pad), None)
    return store.put(update(pillow, at, pad=pad, motion=[[0, at, 1.5]]), None)


def removal_of(store: StateStore, pillow: str) -> Change:
    """Remove a pillow, and return the change."""
    change = store.remove(pillow)
    assert change is not None
    return change
