"""When to ask the queue again. Pure: times and chance are arguments.

The queue has no way to wait for a message, and every question costs.
So: at once after a message, at the floor when there is none, then less and less often; for a while
(`hot_s`) not much less.
A queue that fails is asked on a scale of its own.
"""

from dataclasses import dataclass, replace
from typing import Final

from runtime.backoff import Backoff

FAILING: Final = Backoff(first=0.5, most=30)
"""For a queue that does not answer."""

DENIED_S: Final = 30.0
"""For a queue that answers no: only a person can change that."""

HOT_PAUSE_S: Final = 0.1
"""The longest pause while the queue had a message lately, unless the floor is higher."""

_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds of the pause between two polls, in seconds."""

    floor_s: float
    ceiling_s: float
    hot_s: float


@dataclass(frozen=True, slots=True)
class PollState:
    """How things stand: when the last message came, and how long the last pause was meant to be.

    `failures` counts the polls in a row that failed, `wait_s` is how long the queue asked for.
    """

    last_message_s: float
    pause_s: float = 0.0
    failures: int = 0
    wait_s: float = 0.0


def after_messages(pace: PollState, now_s: float) -> PollState:
    """Return the pace after a poll that found something: the next poll is due at once."""
    return PollState(last_message_s=now_s)


def after_nothing(pace: PollState, policy: Policy, now_s: float) -> PollState:
    """Return the pace after a poll that found nothing."""
    hot = now_s - pace.last_message_s < policy.hot_s
    most_s = max(policy.floor_s, HOT_PAUSE_S) if hot else policy.ceiling_s
    pause_s = min(most_s, policy.ceiling_s, max(policy.floor_s, pace.pause_s * 2))
    return replace(pace, pause_s=pause_s, failures=0, wait_s=0.0)


def after_failure(pace: PollState, wait_s: float = 0.0) -> PollState:
    """Return the pace after a poll that failed; `wait_s` is the least to wait for."""
    return replace(pace, pause_s=0.0, failures=pace.failures + 1, wait_s=wait_s)


def pause(pace: PollState, policy: Policy, chance: float) -> float:
    """Return the seconds to wait before the next poll; `chance` lies in 0..1.

    Several pollers must not beat in time, so a pause varies by a fifth, within the bounds.
    """
    if pace.failures:
        return max(pace.wait_s, FAILING.delay(pace.failures - 1, chance))
    if pace.pause_s == 0:
        return 0.0
    varied = pace.pause_s * (1 + _JITTER * (2 * chance - 1))
    return min(policy.ceiling_s, max(policy.floor_s, varied))
