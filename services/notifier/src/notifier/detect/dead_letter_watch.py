"""Dead-letter watch: announcements of dead letters as events. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from contract.dead_letters import EXCERPT_CHARACTERS, DeadLetterAnnouncement
from contract.timestamps import parse_timestamp
from notifier.detect.event import Found
from notifier.rules.schema import Rule

MAX_DETAIL_CHARACTERS = 300
MAX_ID_CHARACTERS = 100


def dead_letters(
    rules: Sequence[Rule], poller: str, payload: bytes, wall_ms: int
) -> Iterator[Found]:
    """Return what the rules on `dead-letter` find; raises ValueError for no announcement."""
    try:
        letter = msgspec.json.decode(payload, type=DeadLetterAnnouncement)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    message = letter.message[:MAX_ID_CHARACTERS]
    data: dict[str, Any] = {
        "poller": poller,
        "message": message,
        "reason": letter.reason[:MAX_ID_CHARACTERS],
        "detail": letter.detail[:MAX_DETAIL_CHARACTERS],
        "attempts": letter.attempts,
        "queued": letter.queued[:MAX_ID_CHARACTERS],
        "excerpt": letter.text[:EXCERPT_CHARACTERS],
    }
    text = f"a message was kept as a dead letter ({data['reason']}): {message}"
    time_us = parse_timestamp(letter.queued) or wall_ms * 1000
    replacements = {name: str(data[name]) for name in ("message", "reason", "poller")}
    for rule in rules:
        if rule.on == "dead-letter" and (not rule.reasons or letter.reason in rule.reasons):
            yield Found(
                rule, "message.dead-lettered", message, (letter.queued,), time_us, text, data,
                replacements=replacements,
            )  # fmt: skip
