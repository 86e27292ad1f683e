"""Patterns of pillows, as tokens and rules name them: ids, and prefixes that end with `*`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from contract.topics import is_pillow_id

WILDCARD: Final = "*"


@dataclass(frozen=True, slots=True)
class PillowPatterns:
    """The pillows with one of these ids, or with an id that begins with one of these prefixes."""

    ids: frozenset[str]
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Sequence[str]) -> Self:
        """Return the pillows of these patterns, for each of which `is_pillow_pattern` holds.

        What a prefix covers is left out, so that the same pillows are equal values.
        """
        prefixes = _shortest(
            one.removesuffix(WILDCARD) for one in patterns if one.endswith(WILDCARD)
        )
        ids = (
            one for one in patterns if not one.endswith(WILDCARD) and not one.startswith(prefixes)
        )
        return cls(frozenset(ids), prefixes)

    def __contains__(self, pillow: str) -> bool:
        return pillow in self.ids or pillow.startswith(self.prefixes)

    @property
    def patterns(self) -> list[str]:
        """The patterns as they are written: ids, then prefixes that end with `*`."""
        return [*sorted(self.ids), *(prefix + WILDCARD for prefix in self.prefixes)]


EVERY_PILLOW: Final = PillowPatterns(frozenset(), ("",))


def is_pillow_pattern(text: object) -> bool:
    """Return whether `text` is an id (`cloud-1`) or a prefix (`ward-*`; `*` alone for all)."""
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
