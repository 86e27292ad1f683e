"""The polling policy: when the queue is polled again. Pure: times and jitter are arguments.

The queue cannot push, and every request is billed.
So the next poll follows at once after a message, after the floor when there is none, and then after
twice as long each time up to the ceiling; for `hot_s` after a message the ceiling is HOT_CEILING_S.
A failing queue has a back-off of its own.
"""

from dataclasses import dataclass, replace
from typing import Final

from poller.queues import RETRY_BACKOFF

DENIED_DELAY_S: Final = 30.0
"""The delay after a refused poll, in seconds, because only an operator can change the cause."""

HOT_CEILING_S: Final = 0.1
"""The ceiling of the delay while the queue had a message lately, unless the floor is higher."""

_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """The bounds of the delay between two polls, in seconds.

    `hot_s` is how long after a message the lower ceiling applies.
    """

    floor_s: float
    ceiling_s: float
    hot_s: float


@dataclass(frozen=True, slots=True)
class PollState:
    """The results of the polls so far, as far as they determine the next delay.

    `last_message_s` is the time of the last poll that found a message.
    `delay_s` is the last delay, without jitter.
    `failures` counts the failed polls in a row.
    `retry_after_s` is the least delay that the queue asked for.
    """

    last_message_s: float
    delay_s: float = 0.0
    failures: int = 0
    retry_after_s: float = 0.0


def after_messages(state: PollState, now_s: float) -> PollState:
    """Return the state after a poll that found messages: the next poll is due at once."""
    return PollState(last_message_s=now_s)


def after_nothing(state: PollState, policy: PollPolicy, now_s: float) -> PollState:
    """Return the state after a poll that found nothing."""
    is_hot = now_s - state.last_message_s < policy.hot_s
    ceiling_s = max(policy.floor_s, HOT_CEILING_S) if is_hot else policy.ceiling_s
    delay_s = min(ceiling_s, policy.ceiling_s, max(policy.floor_s, state.delay_s * 2))
    return replace(state, delay_s=delay_s, failures=0, retry_after_s=0.0)


def after_failure(state: PollState, retry_after_s: float = 0.0) -> PollState:
    """Return the state after a failed poll; `retry_after_s` is the least delay, in seconds."""
    return replace(state, delay_s=0.0, failures=state.failures + 1, retry_after_s=retry_after_s)


def next_delay_s(state: PollState, policy: PollPolicy, jitter: float) -> float:
    """Return the seconds until the next poll; `jitter` lies in 0..1.

    The delay varies by a fifth within the bounds, so that several pollers do not poll in step.
    """
    if state.failures:
        return max(state.retry_after_s, RETRY_BACKOFF.delay(state.failures - 1, jitter))
    if state.delay_s == 0:
        return 0.0
    varied_s = state.delay_s * (1 + _JITTER * (2 * jitter - 1))
    return min(policy.ceiling_s, max(policy.floor_s, varied_s))
