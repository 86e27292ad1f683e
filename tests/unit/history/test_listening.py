"""Spans of listening."""

from hypothesis import given
from hypothesis import strategies as st

from history.listening import Listening


def test_a_span_begins_when_the_broker_is_ready_whenever_the_time_is_known() -> None:
    """Ten seconds ago, by the monotonic clock."""
    listening = Listening()
    listening.start(5_000)

    assert listening.span(15_000, 1_000_000_000) == (990_000_000, 1_000_000_000)


def test_its_beginning_stays_when_the_estimate_of_the_time_moves() -> None:
    """It is the key of the row."""
    listening = Listening()
    listening.start(0)
    first = listening.span(1_000, 1_000_000_000)
    later = listening.span(2_000, 1_007_000_000)
    assert first is not None
    assert later is not None

    assert later[0] == first[0]
    assert later[1] - later[0] == 2_000_000


@given(st.lists(st.sampled_from(["start", "stop", "written"]), max_size=30))
def test_ended_spans_wait_until_they_are_written(steps: list[str]) -> None:
    """Each once, in order, and none is longer than it was."""
    listening, now_ms, began_ms = Listening(), 0, None
    expected: list[tuple[int, int]] = []
    for step in steps:
        now_ms += 1000
        if step == "start":
            listening.start(now_ms)
            began_ms = now_ms if began_ms is None else began_ms
        elif step == "stop":
            listening.stop(now_ms, now_ms * 1000)
            if began_ms is not None:
                expected.append((began_ms * 1000, now_ms * 1000))
            began_ms = None
        else:
            listening.discard(len(listening.ended()))
            expected.clear()
        assert listening.ended() == expected
        assert listening.is_on == (began_ms is not None)
