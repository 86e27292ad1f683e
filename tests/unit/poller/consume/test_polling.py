"""The polling policy: fast under load, few requests when idle, never a tight loop."""

from hypothesis import given
from hypothesis import strategies as st

from poller.consume.polling import (
    DENIED_DELAY_S,
    HOT_CEILING_S,
    PollPolicy,
    PollState,
    after_failure,
    after_messages,
    after_nothing,
    next_delay_s,
)
from poller.queues import RETRY_BACKOFF

jitters = st.floats(min_value=0, max_value=1)
policies = st.tuples(
    st.floats(min_value=0.01, max_value=60),
    st.floats(min_value=1, max_value=1000),
    st.floats(min_value=0, max_value=3600),
).map(lambda given: PollPolicy(given[0], given[0] * given[1], given[2]))
polls = st.lists(
    st.tuples(
        st.sampled_from(["messages", "nothing", "failure"]),
        st.floats(min_value=0, max_value=10),
        jitters,
    ),
    max_size=40,
)

DEFAULT = PollPolicy(floor_s=0.1, ceiling_s=2.0, hot_s=5.0)


def step(state: PollState, policy: PollPolicy, found: str, now_s: float) -> PollState:
    """Return the state after one more poll."""
    if found == "messages":
        return after_messages(state, now_s)
    return after_failure(state) if found == "failure" else after_nothing(state, policy, now_s)


@given(policies, polls)
def test_every_delay_is_within_the_bounds_of_its_result(
    policy: PollPolicy, history: list[tuple[str, float, float]]
) -> None:
    """0 after messages, floor to ceiling after an empty page, the back-off after a failure."""
    state, now_s = PollState(last_message_s=-policy.hot_s), 0.0
    for found, took_s, jitter in history:
        now_s += took_s
        state = step(state, policy, found, now_s)
        delay_s = next_delay_s(state, policy, jitter)
        now_s += delay_s
        if found == "messages":
            assert delay_s == 0
        elif found == "nothing":
            assert policy.floor_s <= delay_s <= policy.ceiling_s
        else:
            assert RETRY_BACKOFF.first_s / 20 <= delay_s <= RETRY_BACKOFF.max_s


@given(policies, polls, jitters, st.floats(min_value=0, max_value=1, exclude_max=True))
def test_no_delay_is_above_the_hot_ceiling_for_hot_s_after_a_message(
    policy: PollPolicy, history: list[tuple[str, float, float]], jitter: float, part: float
) -> None:
    """The first delay is the floor, and earlier results do not matter."""
    state, now_s = PollState(last_message_s=-policy.hot_s), 0.0
    for found, took_s, _ in history:
        now_s += took_s
        state = step(state, policy, found, now_s)

    state = after_messages(state, now_s)
    state = after_nothing(state, policy, now_s + policy.hot_s * part)

    assert state.delay_s == policy.floor_s
    assert next_delay_s(state, policy, jitter) <= policy.floor_s * 1.2
    for _ in range(10):
        state = after_nothing(state, policy, now_s + policy.hot_s * part)
        # Rounding can make the sum reach the end of the hot time.
        if (now_s + policy.hot_s * part) - now_s < policy.hot_s:
            assert state.delay_s <= max(policy.floor_s, HOT_CEILING_S)


@given(polls)
def test_the_first_delay_after_a_message_is_the_floor_without_a_hot_time(
    history: list[tuple[str, float, float]],
) -> None:
    """A long idle time has no effect once a message has arrived."""
    policy = PollPolicy(floor_s=0.1, ceiling_s=60, hot_s=0)
    state = PollState(last_message_s=0)
    for found, _, _ in history:
        state = step(state, policy, found, 100.0)

    state = after_nothing(after_messages(state, 200.0), policy, 300.0)

    assert next_delay_s(state, policy, 0.5) == policy.floor_s


def test_the_delay_of_an_idle_queue_doubles_up_to_the_ceiling() -> None:
    """With this policy from 0.1 s to 2 s."""
    state, now_s, delays = after_messages(PollState(0), 0.0), 5.0, []
    for _ in range(7):
        state = after_nothing(state, DEFAULT, now_s)
        delays.append(round(next_delay_s(state, DEFAULT, 0.5), 6))
        now_s += delays[-1]

    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_a_hot_queue_is_polled_every_10_ms_to_100_ms_and_then_less_often() -> None:
    """For 5 s after a message the delay is 0.1 s at most; then it doubles up to the ceiling."""
    policy = PollPolicy(floor_s=0.01, ceiling_s=2.0, hot_s=5.0)
    state, now_s, delays = after_messages(PollState(0), 0.0), 0.0, []
    while now_s < 12:
        state = after_nothing(state, policy, now_s)
        delays.append(round(next_delay_s(state, policy, 0.5), 6))
        now_s += delays[-1]

    assert delays[:6] == [0.01, 0.02, 0.04, 0.08, 0.1, 0.1]
    assert delays.count(0.1) in (49, 50)
    assert delays[-6:] == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@given(st.floats(min_value=0.13, max_value=1.6), jitters, jitters)
def test_jitter_changes_a_delay_by_a_fifth_at_most(
    delay_s: float, one: float, other: float
) -> None:
    """Otherwise several pollers would poll in step."""
    state = PollState(last_message_s=-100, delay_s=delay_s)

    assert abs(next_delay_s(state, DEFAULT, one) - delay_s) <= delay_s * 0.2 + 1e-9
    low, middle, high = (next_delay_s(state, DEFAULT, jitter) for jitter in (0, 0.5, 1))
    assert low < middle < high
    if one < other:
        assert next_delay_s(state, DEFAULT, one) <= next_delay_s(state, DEFAULT, other)


@given(st.integers(min_value=1, max_value=100_000), jitters)
def test_the_back_off_of_a_failing_queue_ignores_the_policy(failures: int, jitter: float) -> None:
    """It is 30 s at most, whatever floor and ceiling are and however long the queue fails."""
    for policy in (DEFAULT, PollPolicy(60, 600, 0)):
        state = PollState(last_message_s=0)
        for _ in range(min(failures, 200)):
            state = after_failure(state)
        assert 0.025 <= next_delay_s(state, policy, jitter) <= 30
        assert next_delay_s(state, policy, 1) == min(30, 0.5 * 2 ** (min(failures, 200) - 1))


def test_the_delay_after_a_failure_is_at_least_retry_after() -> None:
    """The back-off of a first failure is shorter than what the queue asked for."""
    state = after_failure(PollState(last_message_s=0), retry_after_s=7.0)

    assert next_delay_s(state, DEFAULT, 0.5) == 7.0


def test_the_first_success_resets_the_back_off() -> None:
    """The delay is the policy's again, whether or not a message was found."""
    state = PollState(last_message_s=0)
    for _ in range(10):
        state = after_failure(state)

    assert next_delay_s(after_nothing(state, DEFAULT, 1000.0), DEFAULT, 0.5) == DEFAULT.floor_s
    assert next_delay_s(after_messages(state, 1000.0), DEFAULT, 0.5) == 0


def test_a_queue_that_denies_access_is_polled_every_30_s() -> None:
    """Only an operator can change the cause, and every request is billed."""
    assert DENIED_DELAY_S == 30
