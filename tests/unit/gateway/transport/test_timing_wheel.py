"""The wheel, beside a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.timing_wheel import SPOKES, Wheel

steps = st.lists(st.tuples(st.sampled_from(("add", "discard", "turn")), st.integers(0, 99)))


@given(steps)
def test_it_holds_what_a_set_holds(given: list[tuple[str, int]]) -> None:
    """Whatever is added and discarded, and however often."""
    wheel: Wheel[int] = Wheel()
    plain: set[int] = set()
    for verb, member in given:
        if verb == "turn":
            assert set(wheel.turn()) <= plain
        else:
            getattr(wheel, verb)(member)
            getattr(plain, verb)(member)
        assert len(wheel) == len(plain)
        assert sorted(wheel) == sorted(plain)


@given(st.sets(st.integers(), max_size=50), st.integers(0, SPOKES))
def test_everyones_turn_comes_once_in_a_round(members: set[int], before: int) -> None:
    """Wherever the wheel stands."""
    wheel: Wheel[int] = Wheel()
    for member in members:
        wheel.add(member)
    for _ in range(before):
        wheel.turn()

    came = [member for _ in range(SPOKES) for member in wheel.turn()]

    assert sorted(came) == sorted(members)


def test_ten_thousand_objects_are_spread() -> None:
    """Or a turn would look after too many at once."""
    wheel: Wheel[object] = Wheel()
    kept = [object() for _ in range(10_000)]
    for one in kept:
        wheel.add(one)

    assert max(len(wheel.turn()) for _ in range(SPOKES)) < 3 * 10_000 / SPOKES
