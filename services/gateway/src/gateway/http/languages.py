"""The languages of the page, and which one a request gets. Pure."""

import re
from typing import Final

from gateway.http.negotiation import MAX_LIST_CHARS

ENGLISH: Final = "en"
"""The language of a request that asks for none of the others, and of a sentence that lacks one."""

LANGUAGES: Final = (ENGLISH, "de", "fr", "es", "ja", "ar")

_RIGHT_TO_LEFT: Final = frozenset({"ar"})

_RANGE: Final = re.compile(
    r"\s*(?P<tag>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(?P<weight>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.ASCII,
)


def choose_language(asked: str, accept_language: str) -> str:
    """Return the language of a response.

    `asked` is the query's `lang`, which goes first if there is such a language; "" without one.
    `accept_language` is the header (RFC 9110 §12.5.4). A region or script does not count: `de-CH`
    is German.
    """
    return _language_of(asked.lower()) or next(
        (one for one in _by_weight(accept_language) if one is not None), ENGLISH
    )


def direction(language: str) -> str:
    """Return the direction of a language, the value of HTML's attribute `dir`."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def _language_of(tag: str) -> str | None:
    """Return the language of a tag in lower case, or None if the page does not have it."""
    primary = ENGLISH if tag == "*" else tag.partition("-")[0]
    return primary if primary in LANGUAGES else None


def _by_weight(accept_language: str) -> list[str | None]:
    """Return the languages of a header, the most wanted first. What cannot be read is left out."""
    if len(accept_language) > MAX_LIST_CHARS:
        return []
    found = [_RANGE.fullmatch(one) for one in accept_language.lower().split(",")]
    weighted = [(float(one["weight"] or 1), one["tag"]) for one in found if one is not None]
    # Sorting is stable: of two with one weight the first is taken.
    weighted.sort(key=lambda one: -one[0])
    return [_language_of(tag) for weight, tag in weighted if weight > 0]
