"""How many clients a gateway has now, as it says on its topic `watching`: a plain number."""

import re
from typing import Final

MAX_WATCHING: Final = 9_999_999
"""More than the sockets of any machine; a larger number is none."""

_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,6}")


def encode_watching(clients: int) -> bytes:
    """Return the payload for a number of clients."""
    return b"%d" % min(clients, MAX_WATCHING)


def decode_watching(payload: bytes) -> int | None:
    """Return the number of clients; None for anything that is no number within MAX_WATCHING."""
    return int(payload) if _NUMBER.fullmatch(payload) else None
