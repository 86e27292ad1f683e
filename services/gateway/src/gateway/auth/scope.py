"""Scope: which pillows a token lets its bearer see. Pure."""

from typing import Final, TypeAlias

from contract.json_limits import abbreviated
from contract.pillow_patterns import EVERY_PILLOW, PillowPatterns, is_pillow_pattern

MAX_PATTERNS: Final = 1_000
"""How many ids and prefixes one token may name, as many as one subscription."""

Scope: TypeAlias = PillowPatterns
EVERYTHING: Final = EVERY_PILLOW


def parse_scope(patterns: object) -> Scope | str:
    """Parse the claim `pillows`; return the scope, or a sentence that names what is wrong.

    `patterns` is a list of ids (`cloud-1`) and of prefixes that end with `*` (`ward-*`; `*` alone
    for all). Equal scopes are equal values.
    """
    if not isinstance(patterns, list) or not patterns:
        return "the claim pillows is no list with entries"
    if len(patterns) > MAX_PATTERNS:
        return f"the claim pillows has {len(patterns)} entries; the limit is {MAX_PATTERNS}"
    wrong = [one for one in patterns if not is_pillow_pattern(one)]
    if wrong:
        shown = abbreviated(wrong[0])
        return f"{shown} in the claim pillows is neither an id nor a prefix like ward-*"
    return Scope.of(patterns)
