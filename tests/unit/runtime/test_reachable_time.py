"""Reachable time against a sum of the intervals in which the broker was reachable."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.reachable_time import ReachableTime

steps = st.lists(
    st.tuples(st.sampled_from(("start", "stop", "advance")), st.integers(-3_600_000, 3_600_000))
)


@given(steps)
def test_it_adds_up_while_the_broker_is_reachable_and_never_goes_back(
    given: list[tuple[str, int]],
) -> None:
    """A monotonic clock that is set back, as a virtual machine may do, costs nothing."""
    reachable = ReachableTime()
    now_ms = total_ms = 0
    runs = False
    for verb, passed_ms in given:
        now_ms += passed_ms
        total_ms += max(0, passed_ms) if runs else 0
        if verb == "advance":
            reachable.advance(now_ms)
        elif verb == "start":
            reachable.start(now_ms)
            total_ms = reachable.advance(now_ms) if runs else total_ms
            runs = True
        else:
            reachable.stop(now_ms)
            runs = False
        assert reachable.advance(now_ms) == total_ms
