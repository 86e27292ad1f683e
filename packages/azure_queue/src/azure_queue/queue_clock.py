"""The queue's clock, estimated from the answers of the service. Pure.

An answer carries the time of the queue in whole seconds.
The service wrote it between the moments at which the request was sent and the answer received, so
each answer gives an interval for the difference of the queue's clock and a monotonic one.
The intersection of these intervals is far narrower than a second.
"""

from dataclasses import dataclass
from typing import Final

SECOND_US: Final = 1_000_000

MAX_DISAGREEMENT_US: Final = 2 * SECOND_US
"""How far two times of one answer may differ; both are whole seconds, from two machines perhaps."""

MAX_STEP_US: Final = SECOND_US
"""A greater contradiction between answers is a clock that was set, or a machine that slept."""

_STEP_MARGIN_US: Final = 10_000

MAX_DRIFT: Final = 500e-6
"""How fast two clocks may diverge: the most by which NTP changes the rate of a clock."""


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """What an answer says about the queue's clock.

    `sent_s` and `received_s` are times of the monotonic clock, in seconds: of the request and of
    its answer.
    The others are in Unix microseconds, None where the answer lacks them: `date_us` is the header
    Date, `leased_us` is when the messages of the page were leased, `inserted_us` when the newest of
    them was put on the queue.
    """

    sent_s: float
    received_s: float
    date_us: int | None = None
    leased_us: int | None = None
    inserted_us: int | None = None


class QueueClock:
    """The interval in which the queue's clock minus the monotonic clock lies.

    Invariant: it lies within the interval of the newest answer that was used.
    """

    def __init__(self) -> None:
        self._low_us = 0
        self._high_us = -1
        self._received_s = 0.0
        self._trusts_date = True

    @property
    def is_known(self) -> bool:
        """Whether an answer has told the queue's time."""
        return self._low_us <= self._high_us

    @property
    def uncertainty_us(self) -> int:
        """How far the estimate may be from the queue's clock."""
        return (self._high_us - self._low_us) // 2

    def now_us(self, monotonic_s: float) -> int | None:
        """Return the queue's time in Unix microseconds; None while it is not known."""
        if not self.is_known:
            return None
        return (self._low_us + self._high_us) // 2 + int(monotonic_s * SECOND_US)

    def add(self, answer: AnswerTime) -> None:
        """Narrow the interval by an answer.

        Answers that contradict each other by more than MAX_STEP_US begin a new interval. Where the
        contradiction is smaller, because the machines of the service differ, the estimate moves no
        farther than the newest answer demands.
        """
        second_us = self._time_of(answer)
        if second_us is None:
            return
        low_us = second_us - int(answer.received_s * SECOND_US)
        high_us = second_us + SECOND_US - int(answer.sent_s * SECOND_US)
        if self.is_known:
            margin_us = int(abs(answer.received_s - self._received_s) * MAX_DRIFT * SECOND_US) + 1
            gap_us = max(self._low_us - high_us, low_us - self._high_us) - margin_us
            if gap_us > 0:
                margin_us += gap_us + _STEP_MARGIN_US
            if gap_us <= MAX_STEP_US:
                low_us = max(low_us, self._low_us - margin_us)
                high_us = min(high_us, self._high_us + margin_us)
        self._low_us, self._high_us = low_us, high_us
        self._received_s = answer.received_s

    def _time_of(self, answer: AnswerTime) -> int | None:
        """Return the queue's time of an answer, rounded down to seconds; None if it has none.

        `Date` is what a proxy may replace, so it is compared with the times of the page. Where they
        differ, the earlier one counts that is not before an insertion; the queue's clock gave it
        before. A `Date` that was wrong beside a message is not used alone either.
        """
        date_us, leased_us, inserted_us = answer.date_us, answer.leased_us, answer.inserted_us
        if inserted_us is None:
            return date_us if self._trusts_date else None
        known = [one for one in (date_us, leased_us) if one is not None]
        if len(known) == 2 and max(known) - min(known) <= MAX_DISAGREEMENT_US:
            self._trusts_date = True
            return date_us
        earliest_us = inserted_us - MAX_DISAGREEMENT_US
        chosen_us = min((one for one in known if one >= earliest_us), default=None)
        self._trusts_date = chosen_us is not None and chosen_us == date_us
        return chosen_us
