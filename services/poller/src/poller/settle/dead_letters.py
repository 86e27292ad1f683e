"""What can be said of a dead letter. Pure: the time is an argument.

The poison queue keeps a message word for word and nothing beside it.
So the reason is found anew, by the rules of the poller that is installed now, and what nobody can
know any more is not made up.
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from contract.messages import Reason, Rejection, decode_message
from contract.timestamps import format_timestamp

PAGE: Final = 32
"""The most letters that Azure shows or hands out at once."""

_SHORTEST_BASE64: Final = 8


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as the poison queue has it; `inserted_us` is when it was put there.

    `reads` counts how often it was received there; looking at it does not count.
    `receipt` releases or deletes it until `leased_until`, by the loop's clock; a letter that was
    only looked at has none.
    """

    id: str
    inserted_us: int
    reads: int
    text: str
    receipt: str = ""
    leased_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Survey:
    """What the queue service says of the poison queue: how many letters, and what time it is.

    `count` is never too low, and includes letters that somebody has received.
    """

    count: int
    now_us: int


class Outlook(StrEnum):
    """What a replay would come to."""

    COMES_BACK = "comes-back"
    """The message cannot be read: it would be a dead letter again, with a new id and age."""
    AS_SAID_NOW = "as-said-now"
    """It carries no time of its own: its state would count as said at the replay."""
    BY_ITS_TIME = "by-its-time"
    """Its state would be published, unless a newer one was."""


class Account(msgspec.Struct, frozen=True):
    """What is said of a letter; its JSON is what scripts and exports get.

    `attempts_at_least` is what follows from the reason: the queue does not keep the number.
    """

    id: str
    reason: Reason
    detail: str
    inserted: str
    age_s: int
    attempts_at_least: int
    reads: int
    if_replayed: Outlook
    text: str


def describe(letter: Letter, *, now_us: int, default_pillow: str, max_attempts: int) -> Account:
    """Say what is known of a letter; the last two are the poller's settings of today."""

    def decode(queued_us: int) -> object:
        return decode_message(letter.text, default_pillow=default_pillow, queued_us=queued_us)

    decision = decode(now_us)
    if isinstance(decision, Rejection):
        reason, detail, attempts = decision.reason, decision.detail, 1
        outlook = Outlook.COMES_BACK
    else:
        # A poller that reads it buries it for this alone, unless it was another poller.
        reason, attempts = Reason.TOO_MANY_ATTEMPTS, max_attempts + 1
        detail = (
            f"it can be read, so it was received more than {max_attempts} times without being "
            "published, unless the poller of then had other rules or settings"
        )
        # Queued a moment later, it would say the same if the time were its own.
        own_time = decode(now_us + 1) == decision
        outlook = Outlook.BY_ITS_TIME if own_time else Outlook.AS_SAID_NOW
    return Account(
        letter.id,
        reason,
        detail,
        format_timestamp(letter.inserted_us),
        max(0, now_us - letter.inserted_us) // 1_000_000,
        attempts,
        letter.reads,
        outlook,
        letter.text,
    )


def lease_s(count: int) -> int:
    """Return the seconds a letter is hidden while a queue of so many is gone over.

    Long enough for every page before the first letter comes again, and short enough to wait out
    where the one that went over it was killed.
    """
    return min(3600, 60 + -(-count // PAGE))


def most_to_meet(count: int) -> int:
    """Return how many letters to go over where there were so many.

    Each may have come back meanwhile, and new ones may come for ever.
    """
    return 2 * count + PAGE


def printable(text: str) -> str:
    """Escape what would not show, or would tell a terminal to do something: `\\x1b`, `\\u202e`.

    A backslash stays as it is, so this is for eyes; the JSON is exact.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def unpacked(text: str) -> str | None:
    """Return what text says as Base64; None where it is not Base64 of text, or hardly by intent."""
    packed = "".join(text.split())
    if len(packed) < _SHORTEST_BASE64:
        return None
    try:
        return base64.b64decode(packed, validate=True).decode()
    except ValueError:
        return None


def say_age(seconds: int) -> str:
    """Write an age in its largest whole unit: `59 s`, `3 h`, `12 d`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
