"""The polling policy: quick under load, cheap at rest, never a tight loop."""

from hypothesis import given
from hypothesis import strategies as st

from poller.consume.polling import (
    DENIED_S,
    FAILING,
    HOT_PAUSE_S,
    Policy,
    PollState,
    after_failure,
    after_messages,
    after_nothing,
    pause,
)

chances = st.floats(min_value=0, max_value=1)
policies = st.tuples(
    st.floats(min_value=0.01, max_value=60),
    st.floats(min_value=1, max_value=1000),
    st.floats(min_value=0, max_value=3600),
).map(lambda given: Policy(given[0], given[0] * given[1], given[2]))
polls = st.lists(
    st.tuples(
        st.sampled_from(["messages", "nothing", "failure"]),
        st.floats(min_value=0, max_value=10),
        chances,
    ),
    max_size=40,
)

DEFAULT = Policy(floor_s=0.1, ceiling_s=2.0, hot_s=5.0)


def step(pace: PollState, policy: Policy, found: str, now_s: float) -> PollState:
    """The pace after one more poll."""
    if found == "messages":
        return after_messages(pace, now_s)
    return after_failure(pace) if found == "failure" else after_nothing(pace, policy, now_s)


@given(policies, polls)
def test_every_pause_is_within_the_bounds_of_what_was_found(
    policy: Policy, history: list[tuple[str, float, float]]
) -> None:
    """None after messages; from floor to ceiling after nothing; its own scale after a failure."""
    pace, now_s = PollState(last_message_s=-policy.hot_s), 0.0
    for found, took_s, chance in history:
        now_s += took_s
        pace = step(pace, policy, found, now_s)
        delay_s = pause(pace, policy, chance)
        now_s += delay_s
        if found == "messages":
            assert delay_s == 0
        elif found == "nothing":
            assert policy.floor_s <= delay_s <= policy.ceiling_s
        else:
            assert FAILING.first / 20 <= delay_s <= FAILING.most


@given(policies, polls, chances, st.floats(min_value=0, max_value=1, exclude_max=True))
def test_the_floor_holds_while_a_message_was_there_lately(
    policy: Policy, history: list[tuple[str, float, float]], chance: float, part: float
) -> None:
    """Whatever came before: for `hot_s` after a message no pause means to be much above it."""
    pace, now_s = PollState(last_message_s=-policy.hot_s), 0.0
    for found, took_s, _ in history:
        now_s += took_s
        pace = step(pace, policy, found, now_s)

    pace = after_messages(pace, now_s)
    pace = after_nothing(pace, policy, now_s + policy.hot_s * part)

    assert pace.pause_s == policy.floor_s
    assert pause(pace, policy, chance) <= policy.floor_s * 1.2
    for _ in range(10):
        pace = after_nothing(pace, policy, now_s + policy.hot_s * part)
        # Of the shortest times a part is no less, and of late ones a little is nothing.
        if (now_s + policy.hot_s * part) - now_s < policy.hot_s:
            assert pace.pause_s <= max(policy.floor_s, HOT_PAUSE_S)


@given(polls)
def test_the_first_pause_after_work_is_the_floor_even_without_a_hot_time(
    history: list[tuple[str, float, float]],
) -> None:
    """A long idle time leaves nothing behind once a message has come."""
    policy = Policy(floor_s=0.1, ceiling_s=60, hot_s=0)
    pace = PollState(last_message_s=0)
    for found, _, _ in history:
        pace = step(pace, policy, found, 100.0)

    pace = after_nothing(after_messages(pace, 200.0), policy, 300.0)

    assert pause(pace, policy, 0.5) == policy.floor_s


def test_an_idle_queue_is_asked_less_and_less_often_until_the_ceiling() -> None:
    """Doubling, with the defaults from a tenth of a second to two."""
    pace, now_s, pauses = after_messages(PollState(0), 0.0), 5.0, []
    for _ in range(7):
        pace = after_nothing(pace, DEFAULT, now_s)
        pauses.append(round(pause(pace, DEFAULT, 0.5), 6))
        now_s += pauses[-1]

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_a_queue_that_was_busy_is_asked_again_within_milliseconds() -> None:
    """Then a little less often each time, and for a while still ten times a second."""
    policy = Policy(floor_s=0.01, ceiling_s=2.0, hot_s=5.0)
    pace, now_s, pauses = after_messages(PollState(0), 0.0), 0.0, []
    while now_s < 12:
        pace = after_nothing(pace, policy, now_s)
        pauses.append(round(pause(pace, policy, 0.5), 6))
        now_s += pauses[-1]

    assert pauses[:6] == [0.01, 0.02, 0.04, 0.08, 0.1, 0.1]
    assert pauses.count(0.1) in (49, 50)
    assert pauses[-6:] == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@given(st.floats(min_value=0.13, max_value=1.6), chances, chances)
def test_chance_moves_a_pause_by_up_to_a_fifth(pause_s: float, one: float, other: float) -> None:
    """Or several pollers would beat in time."""
    pace = PollState(last_message_s=-100, pause_s=pause_s)

    assert abs(pause(pace, DEFAULT, one) - pause_s) <= pause_s * 0.2 + 1e-9
    assert pause(pace, DEFAULT, 0) < pause(pace, DEFAULT, 0.5) < pause(pace, DEFAULT, 1)
    if one < other:
        assert pause(pace, DEFAULT, one) <= pause(pace, DEFAULT, other)


@given(st.integers(min_value=1, max_value=100_000), chances)
def test_a_failing_queue_is_asked_on_a_scale_of_its_own(failures: int, chance: float) -> None:
    """Neither the policy's floor nor its ceiling has a say, however long it goes on."""
    for policy in (DEFAULT, Policy(60, 600, 0)):
        pace = PollState(last_message_s=0)
        for _ in range(min(failures, 200)):
            pace = after_failure(pace)
        assert 0.025 <= pause(pace, policy, chance) <= 30
        assert pause(pace, policy, 1) == min(30, 0.5 * 2 ** (min(failures, 200) - 1))


def test_a_queue_that_answers_again_is_back_on_the_idle_scale() -> None:
    """The failures are forgotten at the first answer."""
    pace = PollState(last_message_s=0)
    for _ in range(10):
        pace = after_failure(pace)

    assert pause(after_nothing(pace, DEFAULT, 1000.0), DEFAULT, 0.5) == DEFAULT.floor_s
    assert pause(after_messages(pace, 1000.0), DEFAULT, 0.5) == 0


def test_a_queue_that_says_no_is_asked_every_half_minute() -> None:
    """Only a person can change it, and every request costs."""
    assert DENIED_S == 30
