"""The wheel, beside a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.timing_wheel import BUCKETS, TimingWheel

steps = st.lists(st.tuples(st.sampled_from(("add", "discard", "tick")), st.integers(0, 99)))


@given(steps)
def test_it_holds_what_a_set_holds(given: list[tuple[str, int]]) -> None:
    """Whatever is added and discarded, and however often."""
    wheel: TimingWheel[int] = TimingWheel()
    plain: set[int] = set()
    for verb, member in given:
        if verb == "tick":
            assert set(wheel.tick()) <= plain
        else:
            getattr(wheel, verb)(member)
            getattr(plain, verb)(member)
        assert len(wheel) == len(plain)
        assert sorted(wheel) == sorted(plain)


@given(st.sets(st.integers(), max_size=50), st.integers(0, BUCKETS))
def test_everyones_turn_comes_once_in_a_round(members: set[int], before: int) -> None:
    """Wherever the wheel stands."""
    wheel: TimingWheel[int] = TimingWheel()
    for member in members:
        wheel.add(member)
    for _ in range(before):
        wheel.tick()

    came = [member for _ in range(BUCKETS) for member in wheel.tick()]

    assert sorted(came) == sorted(members)


def test_ten_thousand_objects_are_spread() -> None:
    """Or a turn would look after too many at once."""
    wheel: TimingWheel[object] = TimingWheel()
    kept = [object() for _ in range(10_000)]
    for one in kept:
        wheel.add(one)

    assert max(len(wheel.tick()) for _ in range(BUCKETS)) < 3 * 10_000 / BUCKETS
