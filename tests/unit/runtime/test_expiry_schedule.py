"""The expiry schedule against a plain dictionary of deadlines."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.expiry_schedule import ExpirySchedule

pillows = st.sampled_from(["a", "b", "c", "d"])

steps = st.lists(
    st.one_of(
        st.tuples(st.just("schedule"), pillows, st.integers(0, 50)),
        st.tuples(st.just("cancel"), pillows, st.just(0)),
        st.tuples(st.just("pop"), st.just(""), st.integers(0, 10)),
    ),
    max_size=60,
)


@given(steps)
def test_each_pillow_is_due_once_at_its_deadline(given: list[tuple[str, str, int]]) -> None:
    """The earliest deadline counts until the pillow is due or its deadline is cancelled."""
    schedule = ExpirySchedule()
    deadlines: dict[str, int] = {}
    now_ms = 0
    for verb, pillow, number in given:
        if verb == "schedule":
            schedule.schedule(pillow, now_ms + number)
            deadlines[pillow] = min(now_ms + number, deadlines.get(pillow, now_ms + number))
        elif verb == "cancel":
            schedule.cancel(pillow)
            deadlines.pop(pillow, None)
        else:
            now_ms += number
            expected = sorted((at, one) for one, at in deadlines.items() if at <= now_ms)
            due = list(schedule.pop_due(now_ms))
            assert [(deadlines.pop(one), one) for one in due] == expected
        assert len(schedule) == len(deadlines)
        if deadlines:
            assert schedule.next_deadline_ms is not None
            assert schedule.next_deadline_ms <= min(deadlines.values())


def test_pillows_are_due_in_the_order_of_their_deadlines() -> None:
    """The one that is overdue for the longest is first."""
    schedule = ExpirySchedule()
    for pillow, deadline_ms in (("b", 2), ("c", 3), ("a", 1)):
        schedule.schedule(pillow, deadline_ms)

    assert list(schedule.pop_due(2)) == ["a", "b"]
    assert schedule.next_deadline_ms == 3


def test_stale_entries_are_bounded_by_the_pillows_there_are() -> None:
    """However often pillows are added and removed before their deadline."""
    schedule = ExpirySchedule()
    schedule.schedule("stays", 10**9)
    for number in range(5_000):
        schedule.schedule(f"goes-{number % 1000}", 10**9 + number)
        schedule.cancel(f"goes-{number % 1000}")
    for number in range(5_000):
        schedule.schedule("stays", 10**9 - number)

    assert len(schedule._heap) < 100
    assert list(schedule.pop_due(2 * 10**9)) == ["stays"]


def test_an_earlier_deadline_replaces_a_later_one() -> None:
    """A corrected age of a state moves its deadline forward."""
    schedule = ExpirySchedule()
    schedule.schedule("cloud-1", 1_000)
    schedule.schedule("cloud-1", 10)

    assert schedule.next_deadline_ms == 10
    assert list(schedule.pop_due(10)) == ["cloud-1"]
    assert list(schedule.pop_due(1_000)) == []
