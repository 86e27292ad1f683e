"""A wheel of everyone who is connected: each turn of one timer looks after a share of them. Pure.

One timer serves ten thousand browsers, and they are never all looked after at the same moment.
"""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

SPOKES: Final = 41
"""Into how many shares everyone is divided; prime, so that addresses spread over them."""

Member = TypeVar("Member")


class Wheel(Generic[Member]):
    """Its members, each on one spoke; `turn` comes to every member once in SPOKES turns."""

    def __init__(self) -> None:
        self._spokes: list[set[Member]] = [set() for _ in range(SPOKES)]
        self._at = 0
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def __iter__(self) -> Iterator[Member]:
        for spoke in self._spokes:
            yield from tuple(spoke)

    def add(self, member: Member) -> None:
        """Put a member on the spoke that its hash says, so that nothing is kept of where it is."""
        spoke = self._spokes[hash(member) % SPOKES]
        self._members += member not in spoke
        spoke.add(member)

    def discard(self, member: Member) -> None:
        """Take a member off, if it is on."""
        spoke = self._spokes[hash(member) % SPOKES]
        self._members -= member in spoke
        spoke.discard(member)

    def turn(self) -> tuple[Member, ...]:
        """Return whose turn it is."""
        members = tuple(self._spokes[self._at])
        self._at = (self._at + 1) % SPOKES
        return members
