"""The ordered log against a dictionary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.ordered_log import MIN_HOLES, OrderedLog


@given(
    st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(0, 400)), max_size=200),
    st.integers(0, 3),
)
def test_a_walk_from_any_number_has_the_items_after_it_in_order(
    steps: list[tuple[int, bool, int]], hole_share: int
) -> None:
    """Whatever was discarded before, also numbers that are not there."""
    log: OrderedLog[str] = OrderedLog()
    expected: dict[int, str] = {}
    number = 0
    for gap, is_discard, which in steps:
        if is_discard and hole_share:
            log.discard(which)
            expected.pop(which, None)
        else:
            number += gap
            log.append(number, f"item {number}")
            expected[number] = f"item {number}"
        assert len(log) == len(expected)
        after = [item for key, item in expected.items() if key > which]
        assert list(log.after(which)) == after


def test_holes_are_dropped() -> None:
    """A log in which the same items change for ever does not grow."""
    log: OrderedLog[int] = OrderedLog()
    for number in range(10_000):
        log.append(number, number)
        log.discard(number - 100)

    assert len(log) == 100
    assert len(log._items) <= 100 + MIN_HOLES + 100
    assert list(log.after(9_990)) == list(range(9_991, 10_000))


def test_a_number_that_is_not_larger_is_refused() -> None:
    """The order is what a walk depends on."""
    log: OrderedLog[str] = OrderedLog()
    log.append(2, "two")

    with pytest.raises(AssertionError):
        log.append(2, "again")
