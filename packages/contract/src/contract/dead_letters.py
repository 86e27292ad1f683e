"""Dead letters: what a poller announces about a message that can never be published."""

from typing import Final

import msgspec

EXCERPT_CHARACTERS: Final = 512
"""How much of a dead letter's text is announced; the poison queue keeps it whole."""


class DeadLetter(msgspec.Struct, frozen=True):
    """One announcement. `reason` is a `contract.messages.Reason`; `queued` is RFC 3339."""

    message: str
    reason: str
    detail: str
    attempts: int
    queued: str
    text: str


def encode_dead_letter(letter: DeadLetter) -> bytes:
    """Write an announcement for the dead-letter topic, the text cut to its first characters."""
    excerpt = letter.text[:EXCERPT_CHARACTERS].encode(errors="replace").decode()
    return msgspec.json.encode(msgspec.structs.replace(letter, text=excerpt))
