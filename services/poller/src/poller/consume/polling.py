"""The polling policy: when the queue is polled again. Pure: times and jitter are arguments.

The queue cannot push, and every request is billed.
While somebody looks, or while that is not known, the next poll follows at once after a message,
after the floor when there is none, and then after twice as long each time up to the ceiling. The
ceiling is low while somebody looks, and for `hot_s` after a message.
While somebody looks the delay counts from the beginning of the last poll, because what a message
waits is the time between two requests; at other times from its end.
While nobody looks, messages are fetched in batches: the delay goes on growing up to the ceiling,
and only a full page is followed by a poll at once.
A failing queue has a back-off of its own.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from poller.consume.viewers import Viewers
from poller.queues import RETRY_BACKOFF

DENIED_DELAY_S: Final = 30.0
"""The delay after a refused poll, in seconds, because only an operator can change the cause."""

HOT_CEILING_S: Final = 0.1
"""The ceiling of the delay while the queue had a message lately, unless the floor is higher."""

_JITTER: Final = 0.2


class Found(Enum):
    """What a poll found."""

    NOTHING = "nothing"
    SOME = "some"
    FULL = "full"
    """As many messages as were asked for, so that more may wait."""

    @classmethod
    def of(cls, number: int, limit: int) -> "Found":
        """Return what a poll found that asked for `limit` messages and got `number`."""
        return cls.FULL if number == limit else cls.SOME if number else cls.NOTHING


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """The bounds of the delay between two polls, in seconds.

    `ceiling_s` holds while nobody looks, `watched_s` while somebody does, and `unknown_s` while
    that is not known. `hot_s` is how long after a message the lower ceiling applies.
    """

    floor_s: float
    ceiling_s: float
    hot_s: float
    watched_s: float
    unknown_s: float


@dataclass(frozen=True, slots=True)
class PollState:
    """The results of the polls so far, as far as they determine the next delay.

    `last_message_s` is the time of the last poll that found a message.
    `delay_s` is the last delay, without jitter.
    `found` is what the last poll found, and `took_s` how long it took.
    `failures` counts the failed polls in a row.
    `retry_after_s` is the least delay that the queue asked for.
    """

    last_message_s: float
    delay_s: float = 0.0
    found: Found = Found.NOTHING
    took_s: float = 0.0
    failures: int = 0
    retry_after_s: float = 0.0


def after_poll(
    state: PollState,
    policy: PollPolicy,
    viewers: Viewers,
    found: Found,
    now_s: float,
    took_s: float = 0.0,
) -> PollState:
    """Return the state after a poll that did not fail; it ended at `now_s`."""
    last_message_s = state.last_message_s if found is Found.NOTHING else now_s
    if _is_due_at_once(found, viewers):
        # The scale of a queue that nobody looks at goes on, because its messages are no reason.
        delay_s = state.delay_s if viewers is Viewers.NONE else 0.0
    else:
        is_hot = now_s - last_message_s < policy.hot_s
        ceiling_s = _ceiling_s(policy, viewers, is_hot=is_hot)
        delay_s = min(ceiling_s, max(policy.floor_s, state.delay_s * 2))
    return PollState(last_message_s, delay_s, found, took_s)


def after_failure(state: PollState, retry_after_s: float = 0.0) -> PollState:
    """Return the state after a failed poll; `retry_after_s` is the least delay, in seconds."""
    return replace(
        state,
        delay_s=0.0,
        found=Found.NOTHING,
        failures=state.failures + 1,
        retry_after_s=retry_after_s,
    )


def next_delay_s(state: PollState, policy: PollPolicy, viewers: Viewers, jitter: float) -> float:
    """Return the seconds from the end of the last poll until the next one; `jitter` lies in 0..1.

    `viewers` may have changed since the last poll: a delay becomes shorter at once, and longer
    only after the next poll.
    The delay varies by a fifth within the bounds, so that several pollers do not poll in step.
    """
    if state.failures:
        return max(state.retry_after_s, RETRY_BACKOFF.delay(state.failures - 1, jitter))
    if _is_due_at_once(state.found, viewers):
        return 0.0
    varied_s = min(_ceiling_s(policy, viewers), state.delay_s * (1 + _JITTER * (2 * jitter - 1)))
    # The floor also holds behind a poll that took longer than the delay.
    return max(policy.floor_s, varied_s - (state.took_s if viewers is Viewers.SOME else 0.0))


def _is_due_at_once(found: Found, viewers: Viewers) -> bool:
    return found is Found.FULL or (found is Found.SOME and viewers is not Viewers.NONE)


def _ceiling_s(policy: PollPolicy, viewers: Viewers, *, is_hot: bool = False) -> float:
    ceiling_s = {
        Viewers.SOME: policy.watched_s,
        Viewers.NONE: policy.ceiling_s,
        Viewers.UNKNOWN: policy.unknown_s,
    }[viewers]
    if is_hot and viewers is not Viewers.NONE:
        ceiling_s = min(ceiling_s, HOT_CEILING_S)
    return min(policy.ceiling_s, max(policy.floor_s, ceiling_s))
