"""The timing wheel beside a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.timing_wheel import BUCKETS, TimingWheel

steps = st.lists(st.tuples(st.sampled_from(("add", "discard", "tick")), st.integers(0, 99)))


@given(steps)
def test_it_has_the_members_of_a_set(given: list[tuple[str, int]]) -> None:
    """Whatever is added and discarded."""
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
def test_each_member_is_returned_once_in_a_round(members: set[int], before: int) -> None:
    """From any position of the wheel."""
    wheel: TimingWheel[int] = TimingWheel()
    for member in members:
        wheel.add(member)
    for _ in range(before):
        wheel.tick()

    returned = [member for _ in range(BUCKETS) for member in wheel.tick()]

    assert sorted(returned) == sorted(members)


def test_ten_thousand_objects_spread_over_the_buckets() -> None:
    """No bucket has more than three times its share, so that no tick takes long."""
    wheel: TimingWheel[object] = TimingWheel()
    kept = [object() for _ in range(10_000)]
    for one in kept:
        wheel.add(one)

    assert max(len(wheel.tick()) for _ in range(BUCKETS)) < 3 * 10_000 / BUCKETS
