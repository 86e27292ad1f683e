"""Lines of events that repeat."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.log_repeats import MAX_KEYS, REPEAT_S, LogRepeats
from tests.fakes.time import Time


def test_the_first_of_each_key_of_each_event_is_logged_at_once() -> None:
    """Other keys and other events have lines of their own."""
    repeats = LogRepeats(clock_s=Time())

    assert [repeats.due("behind", "a") for _ in range(3)] == [{}, None, None]
    assert repeats.due("behind", "b") == {}
    assert repeats.due("refused", "a") == {}
    assert [repeats.due("forgotten") for _ in range(3)] == [{}, None, None]


def test_what_repeats_has_one_line_in_an_interval_with_its_number() -> None:
    """Of all keys of the event together, so that many pillows do not fill the log."""
    time = Time()
    repeats = LogRepeats(60.0, time)
    for key in ("a", "b", "a", "b", "b"):
        repeats.due("refused", key)

    time.now_s += 60
    assert repeats.due("refused", "a") == {"repeats": 3}
    assert repeats.due("refused", "b") is None
    time.now_s += 60
    assert repeats.due("refused", "b") == {"repeats": 1}
    time.now_s += REPEAT_S
    assert repeats.due("refused", "b") == {}


def test_what_is_over_may_begin_again() -> None:
    """Only what was logged has an end."""
    repeats = LogRepeats(clock_s=Time())

    assert not repeats.is_over("refused", "a")
    repeats.due("refused", "a")
    assert [repeats.is_over("refused", "a") for _ in range(2)] == [True, False]
    assert repeats.due("refused", "a") == {}


def test_no_more_than_max_keys_are_remembered() -> None:
    """Made-up ids fill neither the memory nor the log; they are in the number."""
    time = Time()
    repeats = LogRepeats(clock_s=time)

    lines = [repeats.due("behind", f"p{number}") for number in range(3 * MAX_KEYS)]

    assert sum(line == {} for line in lines) == MAX_KEYS
    time.now_s += REPEAT_S
    assert repeats.due("behind", f"p{3 * MAX_KEYS}") == {"repeats": 2 * MAX_KEYS}


def test_events_beyond_max_keys_share_a_line() -> None:
    """An event may have the name of something outside."""
    repeats = LogRepeats(clock_s=Time())

    lines = [repeats.due(f"event {number}") for number in range(2 * MAX_KEYS)]

    assert sum(line == {} for line in lines) == MAX_KEYS + 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 2 * REPEAT_S)), max_size=60))
def test_every_occurrence_is_a_line_or_in_the_number_of_a_later_one(
    occurrences: list[tuple[str, float]],
) -> None:
    """Nothing is left out silently."""
    time = Time()
    repeats = LogRepeats(clock_s=time)
    lines = 0
    counted = 0
    for key, pause_s in [("a", 0.0), *occurrences]:
        time.now_s += pause_s
        fields = repeats.due("event", key)
        if fields is not None:
            lines += 1
            counted += fields.get("repeats", 0)
    time.now_s += REPEAT_S + 1
    last = repeats.due("event", "a")
    assert last is not None
    assert lines + counted + last.get("repeats", 0) == len(occurrences) + 1
