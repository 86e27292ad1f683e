"""Scope: which pillows a token lets its bearer see. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.json_limits import abbreviated
from contract.topics import is_pillow_id

MAX_PATTERNS: Final = 1_000
"""How many ids and prefixes one token may name, as many as one subscription."""

WILDCARD: Final = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """The pillows with one of these ids, or with an id that begins with one of these prefixes."""

    ids: frozenset[str]
    prefixes: tuple[str, ...] = ()

    def __contains__(self, pillow: str) -> bool:
        return pillow in self.ids or pillow.startswith(self.prefixes)

    @property
    def patterns(self) -> list[str]:
        """The scope as it is written in a token: ids, then prefixes that end with `*`."""
        return [*sorted(self.ids), *(prefix + WILDCARD for prefix in self.prefixes)]


EVERYTHING: Final = Scope(frozenset(), ("",))


def parse_scope(patterns: object) -> Scope | str:
    """Parse the claim `pillows`; return the scope, or a sentence that names what is wrong.

    `patterns` is a list of ids (`cloud-1`) and of prefixes that end with `*` (`ward-*`; `*` alone
    for all). A prefix that another one covers is left out, so that equal scopes are equal values.
    """
    if not isinstance(patterns, list) or not patterns:
        return "the claim pillows is no list with entries"
    if len(patterns) > MAX_PATTERNS:
        return f"the claim pillows has {len(patterns)} entries; the limit is {MAX_PATTERNS}"
    wrong = [one for one in patterns if not _is_pattern(one)]
    if wrong:
        shown = abbreviated(wrong[0])
        return f"{shown} in the claim pillows is neither an id nor a prefix like ward-*"
    prefixes = _shortest(one.removesuffix(WILDCARD) for one in patterns if one.endswith(WILDCARD))
    ids = (one for one in patterns if not one.endswith(WILDCARD) and not one.startswith(prefixes))
    return Scope(frozenset(ids), prefixes)


def _is_pattern(text: object) -> bool:
    if not isinstance(text, str):
        return False
    prefix = text.removesuffix(WILDCARD)
    # A prefix may be "bridge", because a pillow may be called "bridge-1".
    return is_pillow_id(text) or (prefix != text and (not prefix or is_pillow_id(prefix + "0")))


def _shortest(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return the prefixes that no other one covers, sorted."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return tuple(kept)
