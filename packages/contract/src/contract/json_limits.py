"""Limits of the JSON that is accepted, and how a received value is shown in an error message."""

from typing import Final

MAX_NESTING: Final = 64
"""How deep lists and objects may nest, because decoders in other languages have limits too."""

MAX_SEQ: Final = 2**53 - 1
"""The largest integer that every JSON decoder represents exactly (RFC 8259 section 6)."""


def is_nested_too_deeply(text: str) -> bool:
    """Return whether lists and objects in JSON text nest deeper than MAX_NESTING."""
    # Almost no message has that many brackets, and counting them costs far less than a scan.
    brackets = text.count("[") + text.count("{")
    return brackets > MAX_NESTING and nesting_depth(text) > MAX_NESTING


def nesting_depth(text: str) -> int:
    """Return how deep lists and objects nest in JSON text; brackets in strings do not count.

    For text that is not JSON the result is some number, because a decoder refuses it anyway.
    """
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def abbreviated(value: object) -> str:
    """Return the representation of a received value, cut to 80 characters for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
