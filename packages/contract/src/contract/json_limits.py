"""Limits of the JSON that is accepted, what a decoder raises for other bytes, and how a received
value is shown in an error message.
"""

import re
from typing import Final

import msgspec

DECODE_ERRORS: Final = (msgspec.MsgspecError, RecursionError, ValueError)
"""What msgspec raises for bytes that it cannot decode; text that is not UTF-8 is a ValueError."""

MAX_NESTING: Final = 64
"""How deep lists and objects may nest, because decoders in other languages have limits too."""

MAX_SEQ: Final = 2**53 - 1
"""The largest integer that every JSON decoder represents exactly (RFC 8259 section 6)."""

# A string, which may be cut off, or what is neither a string nor a bracket.
_NO_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^"\[\]{}]++', re.DOTALL)
_ONE_KIND: Final = str.maketrans("{}", "[]")


def is_nested_too_deeply(text: str) -> bool:
    """Return whether lists and objects in JSON text nest deeper than MAX_NESTING.

    Brackets in strings do not count. For text that is not JSON the result is either, because a
    decoder refuses it anyway.
    """
    # Almost no message has that many brackets, and counting them costs far less than the rest.
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return False
    brackets = _NO_BRACKET.sub("", text).translate(_ONE_KIND)
    # A pass removes the innermost level. A loop over the characters would take 10 ms for 64 KiB.
    for _ in range(MAX_NESTING):
        brackets = brackets.replace("[]", "")
    return "[]" in brackets or brackets.count("[") > MAX_NESTING


def abbreviated(value: object) -> str:
    """Return the representation of a received value, cut to 80 characters for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
