"""Dead letters: the announcement of a message that can never be published."""

from typing import Annotated, Final

import msgspec

from contract.messages import Reason
from contract.wire_types import Timestamp, described

EXCERPT_CHARACTERS: Final = 512
"""The length of the announced excerpt; the poison queue keeps the whole text."""


class DeadLetterAnnouncement(msgspec.Struct, frozen=True):
    """The announcement of a message that can never be published."""

    message: Annotated[str, described("The message's id on the queue.")]
    reason: Annotated[str, described("Why, for programs.", enum=[one.value for one in Reason])]
    detail: Annotated[str, described("Why, for people.")]
    attempts: Annotated[int, described("How often it was delivered.", minimum=0)]
    queued: Timestamp
    text: Annotated[
        str,
        described(f"The first {EXCERPT_CHARACTERS} characters.", maxLength=EXCERPT_CHARACTERS),
    ]


def encode_announcement(announcement: DeadLetterAnnouncement) -> bytes:
    """Encode an announcement for the dead-letter topic, with an excerpt as its text."""
    excerpt = announcement.text[:EXCERPT_CHARACTERS].encode(errors="replace").decode()
    return msgspec.json.encode(msgspec.structs.replace(announcement, text=excerpt))
