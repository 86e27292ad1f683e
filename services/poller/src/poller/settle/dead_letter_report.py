"""What can be reported of a dead letter. Pure: the time is an argument.

The poison queue keeps a message's text and nothing else.
So the reason is found again by the rules of the installed poller, and a fact that cannot be found
again is not reported.
"""

from enum import StrEnum

import msgspec

from contract.messages import Reason, Rejection, decode_message
from contract.timestamps import format_timestamp
from poller.queues import DeadLetter


class ReplayForecast(StrEnum):
    """What a replay would lead to."""

    COMES_BACK = "comes-back"
    """The message cannot be decoded: it would be a dead letter again, with a new id and age."""
    AS_SAID_NOW = "as-said-now"
    """The message carries no time: its state would get the time of the replay."""
    BY_ITS_TIME = "by-its-time"
    """Its state would be published, unless a newer one was."""


class DeadLetterReport(msgspec.Struct, frozen=True):
    """All that is known of a letter; scripts and exports get it as JSON.

    `age_s` is the time since its insertion into the poison queue, in seconds.
    `attempts_at_least` follows from the reason, because the queue does not keep the number.
    """

    id: str
    reason: Reason
    detail: str
    inserted: str
    age_s: int
    attempts_at_least: int
    reads: int
    if_replayed: ReplayForecast
    text: str


def report_on(
    letter: DeadLetter, *, now_us: int, default_pillow: str, max_attempts: int
) -> DeadLetterReport:
    """Report on a letter at a time; `default_pillow` and `max_attempts` are current settings."""

    def decode(queued_us: int) -> object:
        return decode_message(letter.text, default_pillow=default_pillow, queued_us=queued_us)

    decoded = decode(now_us)
    if isinstance(decoded, Rejection):
        reason, detail, attempts = decoded.reason, decoded.detail, 1
        forecast = ReplayForecast.COMES_BACK
    else:
        # A poller dead-letters a message that it can decode for this reason only.
        reason, attempts = Reason.TOO_MANY_ATTEMPTS, max_attempts + 1
        detail = (
            f"it can be decoded, so it was received more than {max_attempts} times without being "
            "published, unless the poller of that time had other rules or settings"
        )
        # With a time of its own, it decodes to the same state a microsecond later.
        has_own_time = decode(now_us + 1) == decoded
        forecast = ReplayForecast.BY_ITS_TIME if has_own_time else ReplayForecast.AS_SAID_NOW
    return DeadLetterReport(
        id=letter.id,
        reason=reason,
        detail=detail,
        inserted=format_timestamp(letter.inserted_us),
        age_s=max(0, now_us - letter.inserted_us) // 1_000_000,
        attempts_at_least=attempts,
        reads=letter.reads,
        if_replayed=forecast,
        text=letter.text,
    )
