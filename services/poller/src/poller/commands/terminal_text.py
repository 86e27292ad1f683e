"""Formats text for a terminal. Pure."""

import base64
from typing import Final

_MIN_BASE64_LENGTH: Final = 8
"""Shorter words, such as `spin`, may be valid Base64 by chance."""


def decode_base64(text: str) -> str | None:
    """Decode a text that is Base64 of UTF-8; None for any other text, and for a short word."""
    joined = "".join(text.split())
    if len(joined) < _MIN_BASE64_LENGTH:
        return None
    try:
        return base64.b64decode(joined, validate=True).decode()
    except ValueError:
        return None


def format_age(seconds: int) -> str:
    """Format an age in its largest whole unit: `59 s`, `3 h`, `12 d`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
