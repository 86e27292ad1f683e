"""The queue's clock: the estimate follows it, whatever this machine's clocks and proxies do."""

from hypothesis import example, given
from hypothesis import strategies as st

from azure_queue.queue_clock import (
    MAX_DRIFT,
    MAX_STEP_US,
    SECOND_US,
    AnswerTime,
    QueueClock,
)

NOW_US = 1_795_327_200_000_000
MINUTE_US = 60 * SECOND_US

delays = st.lists(
    st.tuples(st.floats(0, 600), st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=30
)
"""For each answer the pause before its request, and the time of its request and of its answer."""


def whole_second(time_us: float) -> int:
    """A time as the service writes it."""
    return int(time_us) // SECOND_US * SECOND_US


def answer_of(
    queue_us: float, sent_s: float, received_s: float, *, date_us: int | None = None
) -> AnswerTime:
    """The answer of an empty page by a queue whose clock shows `queue_us`."""
    return AnswerTime(sent_s, received_s, whole_second(queue_us) if date_us is None else date_us)


@given(delays, st.integers(-(10**15), 10**15))
def test_the_estimate_is_within_its_uncertainty_of_the_queue_s_clock(
    pauses: list[tuple[float, float, float]], started_us: int
) -> None:
    """Whatever the queue's clock and this machine's show, and however long the requests take."""
    clock, monotonic_s, queue_us = QueueClock(), 1000.0, float(NOW_US + started_us)
    assert clock.now_us(monotonic_s) is None
    previous_us = None
    for pause_s, request_s, answer_s in pauses:
        sent_s = monotonic_s + pause_s
        read_us = queue_us + (pause_s + request_s) * SECOND_US
        monotonic_s = sent_s + request_s + answer_s
        queue_us += (pause_s + request_s + answer_s) * SECOND_US
        clock.add(answer_of(read_us, sent_s, monotonic_s))

        estimate_us = clock.now_us(monotonic_s)
        assert estimate_us is not None
        assert abs(estimate_us - queue_us) <= clock.uncertainty_us + 10
        round_trip_us = int((request_s + answer_s) * SECOND_US)
        assert clock.uncertainty_us <= (SECOND_US + round_trip_us) / 2 + 10
        if previous_us is not None:
            drift_us = (pause_s + request_s + answer_s) * MAX_DRIFT * SECOND_US
            assert clock.uncertainty_us <= previous_us + drift_us + 10
        previous_us = clock.uncertainty_us


def test_answers_at_different_fractions_of_a_second_narrow_the_estimate() -> None:
    """To far less than the second in which an answer is written."""
    clock = QueueClock()
    for number in range(50):
        sent_s = 5 + number * 0.1037
        clock.add(answer_of(NOW_US + sent_s * SECOND_US, sent_s, sent_s + 0.01))

    assert clock.uncertainty_us < 50_000


@given(st.integers(MAX_STEP_US + 3 * SECOND_US, 10**14), st.booleans(), st.integers(1, 20))
def test_a_clock_that_was_set_is_followed_at_once(step_us: int, back: bool, before: int) -> None:
    """The queue's, or the monotonic one, which stands still while a machine sleeps."""
    clock, queue_us = QueueClock(), float(NOW_US)
    for number in range(before):
        clock.add(answer_of(queue_us + number * SECOND_US, number, number + 0.01))
    queue_us += -step_us if back else step_us
    clock.add(answer_of(queue_us + before * SECOND_US, before, before + 0.01))

    estimate_us = clock.now_us(before)
    assert estimate_us is not None
    assert abs(estimate_us - (queue_us + before * SECOND_US)) <= SECOND_US


def test_a_small_contradiction_moves_the_estimate_no_farther_than_it_demands() -> None:
    """Two machines of one service differ by a tenth of a second."""
    clock = QueueClock()
    for number in range(200):
        sent_s = number * 0.1037
        clock.add(answer_of(NOW_US + sent_s * SECOND_US, sent_s, sent_s + 0.01))
        other_us = NOW_US + sent_s * SECOND_US - 100_000
        clock.add(answer_of(other_us, sent_s, sent_s + 0.01))
        estimate_us = clock.now_us(sent_s)
        assert estimate_us is not None
        if number > 50:
            assert abs(estimate_us - NOW_US - sent_s * SECOND_US) < 200_000


@given(
    st.none() | st.integers(-(10**15), -3 * SECOND_US) | st.integers(3 * SECOND_US, 10**15),
    st.integers(0, 7 * 86_400 * SECOND_US),
)
@example(-31 * SECOND_US, 0)
def test_a_date_that_contradicts_the_page_does_not_move_the_estimate(
    wrong_us: int | None, waited_us: int
) -> None:
    """A proxy wrote it, or removed it; the end of the lease tells the queue's time."""
    clock = QueueClock()
    read_us = whole_second(NOW_US)
    date_us = None if wrong_us is None else max(0, NOW_US + wrong_us)
    inserted_us = read_us - whole_second(waited_us)
    if date_us is not None and inserted_us <= date_us < read_us:
        return  # a queue may have inserted and leased the message at these times
    clock.add(AnswerTime(10, 10.01, date_us, read_us, inserted_us))
    clock.add(AnswerTime(11, 11.01, date_us))

    estimate_us = clock.now_us(10)
    if date_us is not None and inserted_us - 2 * SECOND_US <= date_us < read_us:
        return
    assert estimate_us is not None
    assert abs(estimate_us - NOW_US) <= SECOND_US


def test_a_lease_that_contradicts_the_page_does_not_move_the_estimate() -> None:
    """A queue that reports the end of a lease carelessly has its Date all the same."""
    for leased_us in (0, NOW_US - MINUTE_US, NOW_US + MINUTE_US, None):
        clock = QueueClock()
        clock.add(AnswerTime(10, 10.01, NOW_US, leased_us, NOW_US - SECOND_US))
        estimate_us = clock.now_us(10)
        assert estimate_us is not None
        assert abs(estimate_us - NOW_US) <= SECOND_US


def test_answers_without_a_time_tell_nothing() -> None:
    """And a page whose only time lies before its messages."""
    clock = QueueClock()
    clock.add(AnswerTime(10, 10.01))
    clock.add(AnswerTime(10, 10.01, 0, None, NOW_US))

    assert not clock.is_known
    clock.add(AnswerTime(11, 11.01, NOW_US, NOW_US, NOW_US + MINUTE_US))
    assert clock.is_known, "a queue that was set back agrees with itself"
