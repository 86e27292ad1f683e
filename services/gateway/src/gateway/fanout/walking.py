"""Walking: which changes the next piece of a catch-up has. Pure.

A walk follows the log in the order of change, so that the cursor of each piece is one to resume
from. A pillow that changes is moved to the end of the log; one that changes faster than the client
reads would always be ahead of the walk, and the end would never be reached.
So a round in the order of change ends where the stream ended when the round began. If more than a
piece has changed meanwhile, a sweep follows: it visits each pillow once, in an order that changes
do not affect, and sends those that were moved. Then the next round begins.
So a walk over n pillows ends after at most 2 n states, however fast they change, and a client that
never keeps up gets each pillow once in two rounds.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.auth.scope import Scope
from gateway.fanout.coalescing import MAX_STATES_BYTES, size_in_frame
from gateway.fanout.positions import Sweep, Walk
from gateway.fanout.subscriptions import Filter
from gateway.state.state_store import Change, StateStore

MAX_VISITED: Final = 10_000
"""How many pillows a sweep visits for one piece, because most of them may not have changed."""


class Step(NamedTuple):
    """The changes of a piece, in order, and where the walk goes on; None when all was sent.

    `cursor` is the offset that a client has reached with all of the changes. Those of a sweep do
    not move it.
    """

    changes: list[Change]
    cursor: int
    rest: Walk | None
    is_round_over: bool = False
    """Whether each pillow that was known when the walk began is sent."""


def begin_walk(store: StateStore, position: int, removed_through: int) -> Walk:
    """Return a walk over everything after `position`."""
    return Walk(position, store.cursor.offset, removed_through)


def take_step(store: StateStore, filter: Filter, walk: Walk) -> Step:
    """Return the next piece of a walk. The store has every removal that the walk has to send."""
    if walk.sweep is not None:
        return _swept(store, filter, walk, walk.sweep)
    in_order = _in_order(store, filter, walk)
    if in_order.rest is None or walk.position < walk.end:
        return in_order
    return _begin_sweep(store, filter, walk)


def _in_order(store: StateStore, filter: Filter, walk: Walk) -> Step:
    """Take the changes after the walk's position, as many as fit."""
    taken: list[Change] = []
    size = 0
    for change in _changes_after(store, filter, walk.position):
        if change.payload is None and change.offset <= walk.removed_through:
            continue
        size += size_in_frame(change)
        if taken and size > MAX_STATES_BYTES:
            position = taken[-1].offset
            removed_through = max(position, walk.removed_through)
            return Step(taken, position, Walk(position, walk.end, removed_through))
        taken.append(change)
    return Step(taken, store.cursor.offset, None, is_round_over=True)


def _begin_sweep(store: StateStore, filter: Filter, walk: Walk) -> Step:
    """Send the removals until now, because a sweep visits known pillows only."""
    offset = store.cursor.offset
    sweep = Sweep(0, store.last_arrival, offset)
    rest = walk._replace(removed_through=offset, sweep=sweep)
    removals = [
        change
        for change in store.removals_after(walk.removed_through)
        if filter is None or change.pillow in filter
    ]
    if not removals:
        return _swept(store, filter, rest, sweep)
    return Step(removals, walk.position, rest)


def _swept(store: StateStore, filter: Filter, walk: Walk, sweep: Sweep) -> Step:
    """Take the changes after the walk's position, of pillows that were not visited yet."""
    taken: list[Change] = []
    size, arrival = 0, sweep.arrival
    for visited, (number, change) in enumerate(_arrivals_after(store, filter, arrival)):
        if number > sweep.last_arrival:
            break
        if change.offset > walk.position:
            size += size_in_frame(change)
            if taken and size > MAX_STATES_BYTES:
                return _paused_sweep(taken, walk, sweep, arrival)
            taken.append(change)
        elif visited >= MAX_VISITED:
            return _paused_sweep(taken, walk, sweep, arrival)
        arrival = number
    next_round = Walk(sweep.offset, store.cursor.offset, walk.removed_through)
    return Step(taken, walk.position, next_round, is_round_over=True)


def _paused_sweep(taken: list[Change], walk: Walk, sweep: Sweep, arrival: int) -> Step:
    return Step(taken, walk.position, walk._replace(sweep=sweep._replace(arrival=arrival)))


def _changes_after(store: StateStore, filter: Filter, offset: int) -> Iterator[Change]:
    if filter is None:
        return store.changes_after(offset)
    if isinstance(filter, Scope):
        return (change for change in store.changes_after(offset) if change.pillow in filter)
    last = (store.last_change(pillow) for pillow in store.known_of(filter))
    missed = [change for change in last if change is not None and change.offset > offset]
    return iter(sorted(missed, key=lambda change: change.offset))


def _arrivals_after(
    store: StateStore, filter: Filter, arrival: int
) -> Iterator[tuple[int, Change]]:
    if filter is None:
        return store.arrivals_after(arrival)
    if isinstance(filter, Scope):
        return (one for one in store.arrivals_after(arrival) if one[1].pillow in filter)
    known = (store.arrival(pillow) for pillow in store.known_of(filter))
    left = [one for one in known if one is not None and one[0] > arrival]
    return iter(sorted(left, key=lambda one: one[0]))
