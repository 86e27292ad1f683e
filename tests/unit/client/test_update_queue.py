"""A bounded queue for a reader that may be slow."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pillowcast.pillow_state import Update
from pillowcast.update_queue import UpdateQueue
from tests.unit.client.strategies import UPDATES

LIMIT = 6


@given(st.lists(UPDATES, max_size=60), st.sets(st.integers(0, 59)))
def test_memory_is_bounded_and_what_is_left_out_is_counted(
    updates: Sequence[Update], reads: set[int]
) -> None:
    """The reader ends at the newest of each pillow."""
    queue = UpdateQueue(LIMIT)
    got = []
    for number, update in enumerate(updates):
        queue.push(update)
        assert len(queue) <= max(LIMIT, 2 * 4)
        if number in reads and (one := queue.pop()) is not None:
            got.append(one)
    while (one := queue.pop()) is not None:
        got.append(one)

    newest = {one.pillow: one.current for one in updates}
    assert {one.pillow: one.current for one in got} == newest
    assert len(got) + queue.superseded == len(updates)


@given(st.lists(UPDATES, max_size=LIMIT))
def test_a_reader_that_keeps_up_gets_every_update(updates: Sequence[Update]) -> None:
    """In order."""
    queue = UpdateQueue(LIMIT)
    for update in updates:
        queue.push(update)

    assert [queue.pop() for _ in updates] == list(updates)
    assert queue.superseded == 0
