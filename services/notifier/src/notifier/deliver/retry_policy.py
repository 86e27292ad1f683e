"""What follows an answer: the event has arrived, is sent again later, or becomes a dead letter.

Pure: randomness is an argument.
"""

from email.utils import parsedate_to_datetime
from typing import Final, Literal, NamedTuple

from runtime.backoff import Backoff

FIRST_RETRY_S: Final = 2.0
"""The first delay before another attempt is up to this long, in seconds; each further one up to
twice as long as the one before."""

MAX_RETRY_AFTER_S: Final = 3600.0
"""The longest pause that an answer may ask for, in seconds."""

MAX_REFUSALS: Final = 5
"""After how many refusals an event is a dead letter: a request that is refused as it is (400, 404,
a redirect …) would be refused again, and others wait behind it."""

NOTABLE_OFFSET_S: Final = 60
"""From what difference of two clocks on it is told; receivers allow five minutes as a rule."""

_NOT_REFUSALS: Final = frozenset({408, 425, 429})
"""Statuses of 4xx that another attempt may change."""

_GONE: Final = 410


class Answer(NamedTuple):
    """How an attempt ended: a status, or an error where there was none.

    `retry_after_s` is the pause that it asked for. `error` is a sentence for people.
    """

    status: int | None
    error: str = ""
    retry_after_s: float | None = None


class Standing(NamedTuple):
    """How far a delivery is: attempts, and how many of them were refused as they were, the last
    one included, and the time that is left until it is given up."""

    attempts: int
    refusals: int
    left_s: float


class Verdict(NamedTuple):
    """What follows: `after_s` is the pause before the next attempt, if there is one."""

    kind: Literal["delivered", "retry", "dead", "gone"]
    after_s: float = 0.0


def is_refusal(answer: Answer) -> bool:
    """Return whether an answer refuses a request as it is, so that another one would be, too."""
    status = answer.status
    return status is not None and 300 <= status < 500 and status not in _NOT_REFUSALS


def judge(answer: Answer, standing: Standing, *, retry_max_s: float, jitter: float) -> Verdict:
    """Return what follows an attempt; `jitter` lies in 0..1."""
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Verdict("delivered")
    if status == _GONE:
        return Verdict("gone")
    if standing.left_s <= 0 or standing.refusals >= MAX_REFUSALS:
        return Verdict("dead")
    backoff = Backoff(min(FIRST_RETRY_S, retry_max_s), retry_max_s)
    # The last attempt is made when the time is up, not before.
    after_s = min(backoff.delay(standing.attempts - 1, jitter), max(standing.left_s, 0.1))
    asked_s = min(answer.retry_after_s or 0.0, MAX_RETRY_AFTER_S)
    return Verdict("retry", max(after_s, asked_s))


def parse_retry_after(value: str | None, date: str | None, wall_s: float) -> float | None:
    """Return the seconds in a header Retry-After; `date` is the answer's header Date.

    A point in time is compared with the server's own clock, and with ours (`wall_s`, Unix seconds)
    where it does not tell its time.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until_s, now_s = _unix_s(text), _unix_s(date or "")
    if until_s is None:
        return None
    return max(0.0, until_s - (wall_s if now_s is None else now_s))


def clock_hint(date: str | None, wall_s: float) -> str:
    """Return the end of a sentence where a receiver's clock (the header Date) differs from ours.

    A receiver refuses signatures whose time is too far from its own.
    """
    theirs_s = _unix_s(date or "")
    ahead_s = 0 if theirs_s is None else round(wall_s - theirs_s)
    if abs(ahead_s) < NOTABLE_OFFSET_S:
        return ""
    return (
        f"; this machine's clock is {abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'} it"
    )


def _unix_s(text: str) -> float | None:
    """Return the time in a header like Date in Unix seconds; None if it has another form."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
