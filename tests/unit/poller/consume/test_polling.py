"""The polling policy: fast while somebody looks, few requests otherwise, never a tight loop."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.consume.polling import (
    DENIED_DELAY_S,
    HOT_CEILING_S,
    Found,
    PollPolicy,
    PollState,
    after_failure,
    after_poll,
    next_delay_s,
)
from poller.consume.viewers import Viewers
from poller.queues import RETRY_BACKOFF
from poller.settings import PollerSettings

DAY_S = 86_400.0

jitters = st.floats(min_value=0, max_value=1)
viewers = st.sampled_from(Viewers)
ceilings = st.floats(min_value=0.01, max_value=600)
policies = st.builds(
    lambda floor_s, times, hot_s, watched_s, unknown_s: PollPolicy(
        floor_s, floor_s * times, hot_s, watched_s, unknown_s
    ),
    st.floats(min_value=0.01, max_value=60),
    st.floats(min_value=1, max_value=1000),
    st.floats(min_value=0, max_value=3600),
    ceilings,
    ceilings,
)
polls = st.lists(
    st.tuples(
        st.sampled_from([*Found, None]), st.floats(min_value=0, max_value=10), jitters, viewers
    ),
    max_size=40,
)

DEFAULT = PollPolicy(floor_s=0.1, ceiling_s=2.0, hot_s=5.0, watched_s=0.1, unknown_s=2.0)
"""As it was before gateways said whether somebody looks."""

STANDARD = PollPolicy(0.01, 10.0, 5.0, 0.1, 2.0)
"""That of the settings' defaults."""


def ceiling_s(policy: PollPolicy, who: Viewers) -> float:
    """Return the longest delay of a policy."""
    longest = {
        Viewers.SOME: policy.watched_s,
        Viewers.NONE: policy.ceiling_s,
        Viewers.UNKNOWN: policy.unknown_s,
    }[who]
    return min(policy.ceiling_s, max(policy.floor_s, longest))


def step(
    state: PollState,
    policy: PollPolicy,
    who: Viewers,
    found: Found | None,
    now_s: float,
    took_s: float = 0.0,
) -> PollState:
    """Return the state after one more poll; None failed."""
    if found is None:
        return after_failure(state)
    return after_poll(state, policy, who, found, now_s, took_s)


def after(
    history: list[tuple[Found | None, float, float, Viewers]], policy: PollPolicy
) -> tuple[PollState, float]:
    """Return the state after some polls, and the time."""
    state, now_s = PollState(last_message_s=-policy.hot_s), 0.0
    for found, took_s, jitter, who in history:
        now_s += took_s
        state = step(state, policy, who, found, now_s, took_s)
        now_s += next_delay_s(state, policy, who, jitter)
    return state, now_s


def test_the_policy_of_these_tests_is_that_of_the_defaults() -> None:
    """Also where no variable is set."""
    fields = PollerSettings.model_fields
    names = ("poll_min", "poll_max", "poll_hot", "poll_watched")

    assert [fields[name].default for name in names] == [
        STANDARD.floor_s,
        STANDARD.ceiling_s,
        STANDARD.hot_s,
        STANDARD.watched_s,
    ]


@given(policies, polls)
def test_every_delay_is_within_the_bounds_of_its_result(
    policy: PollPolicy, history: list[tuple[Found | None, float, float, Viewers]]
) -> None:
    """0 after a full page; floor to ceiling after an empty one; the back-off after a failure."""
    state, now_s = PollState(last_message_s=-policy.hot_s), 0.0
    for found, took_s, jitter, who in history:
        now_s += took_s
        state = step(state, policy, who, found, now_s, took_s)
        delay_s = next_delay_s(state, policy, who, jitter)
        now_s += delay_s
        if found is None:
            assert RETRY_BACKOFF.first_s / 20 <= delay_s <= RETRY_BACKOFF.max_s
        elif found is Found.FULL or (found is Found.SOME and who is not Viewers.NONE):
            assert delay_s == 0
        else:
            assert policy.floor_s <= delay_s <= ceiling_s(policy, who)


@given(policies, st.floats(min_value=0, max_value=10), jitters)
def test_a_watched_queue_is_asked_as_often_however_long_a_poll_takes(
    policy: PollPolicy, took_s: float, jitter: float
) -> None:
    """The delay counts from the beginning of a poll, and after its end the floor remains."""
    state = PollState(last_message_s=0)
    for _ in range(20):
        state = after_poll(state, policy, Viewers.SOME, Found.NOTHING, 10_000, took_s)

    delay_s = next_delay_s(state, policy, Viewers.SOME, jitter)

    assert delay_s >= policy.floor_s
    assert took_s + delay_s <= max(took_s + policy.floor_s, ceiling_s(policy, Viewers.SOME)) + 1e-9
    for who in (Viewers.NONE, Viewers.UNKNOWN):
        other = after_poll(state, policy, who, Found.NOTHING, 10_000, took_s)
        same = after_poll(state, policy, who, Found.NOTHING, 10_000)
        assert next_delay_s(other, policy, who, jitter) == next_delay_s(same, policy, who, jitter)


@given(policies, polls, jitters, viewers)
def test_a_delay_becomes_shorter_at_once_when_somebody_begins_to_look(
    policy: PollPolicy,
    history: list[tuple[Found | None, float, float, Viewers]],
    jitter: float,
    before: Viewers,
) -> None:
    """However long it was: the longest is that of a watched queue, counted from the last poll."""
    state, now_s = after(history, policy)
    state = after_poll(state, policy, before, Found.NOTHING, now_s)

    watched_s = next_delay_s(state, policy, Viewers.SOME, jitter)

    assert watched_s <= ceiling_s(policy, Viewers.SOME)
    if policy.watched_s <= policy.unknown_s:
        assert watched_s <= next_delay_s(state, policy, before, jitter)


@given(policies, polls, jitters)
def test_a_delay_grows_at_most_twofold_when_the_last_one_stops_looking(
    policy: PollPolicy,
    history: list[tuple[Found | None, float, float, Viewers]],
    jitter: float,
) -> None:
    """A page that is loaded again finds the queue nearly as quick as it left it."""
    state, now_s = after(history, policy)
    state = after_poll(state, policy, Viewers.SOME, Found.NOTHING, now_s)
    before_s = state.delay_s
    state = after_poll(state, policy, Viewers.NONE, Found.NOTHING, now_s)

    assert state.delay_s <= max(policy.floor_s, 2 * before_s)
    assert next_delay_s(state, policy, Viewers.NONE, jitter) <= max(policy.floor_s, 2.4 * before_s)


@given(policies, polls, jitters, st.floats(min_value=0, max_value=1, exclude_max=True))
def test_no_delay_is_above_the_hot_ceiling_for_hot_s_after_a_message(
    policy: PollPolicy,
    history: list[tuple[Found | None, float, float, Viewers]],
    jitter: float,
    part: float,
) -> None:
    """The first delay is the floor, and earlier results do not matter."""
    state, now_s = after(history, policy)
    who = Viewers.UNKNOWN

    state = after_poll(state, policy, who, Found.SOME, now_s)
    state = after_poll(state, policy, who, Found.NOTHING, now_s + policy.hot_s * part)

    assert state.delay_s == policy.floor_s
    assert next_delay_s(state, policy, who, jitter) <= policy.floor_s * 1.2
    for _ in range(10):
        state = after_poll(state, policy, who, Found.NOTHING, now_s + policy.hot_s * part)
        # Rounding can make the sum reach the end of the hot time.
        if (now_s + policy.hot_s * part) - now_s < policy.hot_s:
            assert state.delay_s <= max(policy.floor_s, HOT_CEILING_S)


@given(polls)
def test_the_first_delay_after_a_message_is_the_floor_without_a_hot_time(
    history: list[tuple[Found | None, float, float, Viewers]],
) -> None:
    """A long idle time has no effect once a message has arrived."""
    policy = PollPolicy(floor_s=0.1, ceiling_s=60, hot_s=0, watched_s=0.1, unknown_s=60)
    state, _ = after(history, policy)
    for who in (Viewers.SOME, Viewers.UNKNOWN):
        found = after_poll(state, policy, who, Found.SOME, 20_000.0)
        state = after_poll(found, policy, who, Found.NOTHING, 20_100.0)

        assert next_delay_s(state, policy, who, 0.5) == policy.floor_s


def test_the_delay_of_an_idle_queue_doubles_up_to_the_ceiling() -> None:
    """From 10 ms to 10 s where nobody looks, to 2 s where that is not known, else to 0.1 s."""
    scale = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.0, 10.0]
    for who in Viewers:
        state, now_s, delays = PollState(last_message_s=-100), 0.0, []
        for _ in scale:
            state = after_poll(state, STANDARD, who, Found.NOTHING, now_s)
            delays.append(round(next_delay_s(state, STANDARD, who, 0.5), 6))
            now_s += delays[-1]

        assert delays == [min(one, ceiling_s(STANDARD, who)) for one in scale]


def test_a_hot_queue_is_polled_every_10_ms_to_100_ms_and_then_less_often() -> None:
    """For 5 s after a message the delay is 0.1 s at most; then it doubles up to the ceiling."""
    state = after_poll(PollState(0), STANDARD, Viewers.UNKNOWN, Found.SOME, 0.0)
    now_s, delays = 0.0, []
    while now_s < 12:
        state = after_poll(state, STANDARD, Viewers.UNKNOWN, Found.NOTHING, now_s)
        delays.append(round(next_delay_s(state, STANDARD, Viewers.UNKNOWN, 0.5), 6))
        now_s += delays[-1]

    assert delays[:6] == [0.01, 0.02, 0.04, 0.08, 0.1, 0.1]
    assert delays.count(0.1) in (49, 50)
    assert delays[-6:] == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize(
    "messages",
    [
        lambda _now_s, _rng: Found.NOTHING,
        lambda _now_s, _rng: Found.SOME,
        lambda now_s, _rng: Found.SOME if now_s % 60 < 10 else Found.NOTHING,
    ],
    ids=["idle", "a trickle", "a message a minute"],
)
def test_a_queue_that_nobody_looks_at_is_polled_at_most_10000_times_a_day(
    messages: Callable[[float, object], Found],
) -> None:
    """Whatever comes short of full pages, and however short the requests are."""
    state, now_s, polls_made, jitter = PollState(last_message_s=-100), 0.0, 0, 0.0
    while now_s < DAY_S:
        polls_made += 1
        state = after_poll(state, STANDARD, Viewers.NONE, messages(now_s, None), now_s)
        jitter = (jitter + 0.618) % 1
        now_s += next_delay_s(state, STANDARD, Viewers.NONE, jitter)

    assert polls_made <= 10_000


@given(polls)
def test_a_full_page_is_followed_by_a_poll_at_once_also_where_nobody_looks(
    history: list[tuple[Found | None, float, float, Viewers]],
) -> None:
    """A backlog is received at full speed; afterwards the delay is what it was before."""
    state, now_s = after(history, STANDARD)
    state = after_poll(state, STANDARD, Viewers.NONE, Found.NOTHING, now_s)
    full = state
    for _ in range(5):
        full = after_poll(full, STANDARD, Viewers.NONE, Found.FULL, now_s)
        assert next_delay_s(full, STANDARD, Viewers.NONE, 0.5) == 0

    rest = after_poll(full, STANDARD, Viewers.NONE, Found.SOME, now_s)
    other = after_poll(state, STANDARD, Viewers.NONE, Found.SOME, now_s)

    assert rest.delay_s == other.delay_s > 0


@given(st.floats(min_value=0.13, max_value=1.6), jitters, jitters)
def test_jitter_changes_a_delay_by_a_fifth_at_most(
    delay_s: float, one: float, other: float
) -> None:
    """Otherwise several pollers would poll in step."""
    state = PollState(last_message_s=-100, delay_s=delay_s)

    def delay(jitter: float) -> float:
        return next_delay_s(state, DEFAULT, Viewers.UNKNOWN, jitter)

    assert abs(delay(one) - delay_s) <= delay_s * 0.2 + 1e-9
    assert delay(0) < delay(0.5) < delay(1)
    if one < other:
        assert delay(one) <= delay(other)


@given(st.integers(min_value=1, max_value=100_000), jitters, viewers)
def test_the_back_off_of_a_failing_queue_ignores_the_policy(
    failures: int, jitter: float, who: Viewers
) -> None:
    """It is 30 s at most, whatever the bounds are, whoever looks, and however long it fails."""
    for policy in (DEFAULT, PollPolicy(60, 600, 0, 60, 60)):
        state = PollState(last_message_s=0)
        for _ in range(min(failures, 200)):
            state = after_failure(state)
        assert 0.025 <= next_delay_s(state, policy, who, jitter) <= 30
        assert next_delay_s(state, policy, who, 1) == min(30, 0.5 * 2 ** (min(failures, 200) - 1))


def test_the_delay_after_a_failure_is_at_least_retry_after() -> None:
    """The back-off of a first failure is shorter than what the queue asked for."""
    state = after_failure(PollState(last_message_s=0), retry_after_s=7.0)

    assert next_delay_s(state, DEFAULT, Viewers.SOME, 0.5) == 7.0


@given(viewers)
def test_the_first_success_resets_the_back_off(who: Viewers) -> None:
    """The delay is the policy's again, whether or not a message was found."""
    state = PollState(last_message_s=0)
    for _ in range(10):
        state = after_failure(state)

    nothing = after_poll(state, DEFAULT, who, Found.NOTHING, 1000.0)
    full = after_poll(state, DEFAULT, who, Found.FULL, 1000.0)

    assert next_delay_s(nothing, DEFAULT, who, 0.5) == DEFAULT.floor_s
    assert next_delay_s(full, DEFAULT, who, 0.5) == 0


def test_a_queue_that_denies_access_is_polled_every_30_s() -> None:
    """Only an operator can change the cause, and every request is billed."""
    assert DENIED_DELAY_S == 30
