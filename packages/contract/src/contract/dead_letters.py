"""Dead letters: the announcement of a message that can never be published."""

from typing import Final

import msgspec

EXCERPT_CHARACTERS: Final = 512
"""The length of the announced excerpt; the poison queue keeps the whole text."""


class DeadLetterAnnouncement(msgspec.Struct, frozen=True):
    """One announcement.

    `message` is the id on the queue, `reason` a `contract.messages.Reason`, `queued` an RFC 3339
    date-time, and `text` the message's text.
    """

    message: str
    reason: str
    detail: str
    attempts: int
    queued: str
    text: str


def encode_announcement(announcement: DeadLetterAnnouncement) -> bytes:
    """Encode an announcement for the dead-letter topic, with an excerpt as its text."""
    excerpt = announcement.text[:EXCERPT_CHARACTERS].encode(errors="replace").decode()
    return msgspec.json.encode(msgspec.structs.replace(announcement, text=excerpt))
