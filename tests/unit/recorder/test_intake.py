"""The intake: order, limit and loss."""

from hypothesis import given
from hypothesis import strategies as st

from recorder.intake import ENTRY_OVERHEAD_BYTES, Intake
from tests.unit.recorder.histories import state


@given(st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=60), st.integers(1, 4000))
def test_states_leave_in_their_order_within_the_limit(
    steps: list[int | None], limit_bytes: int
) -> None:
    """A step adds a state (None) or writes some; what is not taken is counted."""
    intake, expected, added, lost = Intake(limit_bytes), [], 0, 0
    for step in steps:
        if step is None:
            one = state(added)
            if intake.add(one):
                expected.append(one)
            else:
                lost += 1
            added += 1
        else:
            assert intake.first(step) == expected[:step]
            count = min(step, len(intake))
            intake.discard(count)
            del expected[:count]
        assert len(intake) == len(expected)
        assert intake.bytes == sum(len(one.payload) + ENTRY_OVERHEAD_BYTES for one in expected)
        assert intake.bytes <= limit_bytes
        assert intake.lost == lost
