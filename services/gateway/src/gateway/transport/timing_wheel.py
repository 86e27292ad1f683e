"""Timing wheel: members in buckets, one bucket a tick. Pure.

One timer serves ten thousand connections, and each tick handles only a fraction of them.
"""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

BUCKETS: Final = 41
"""A prime number, so that hashes of addresses, which are multiples of 16, spread evenly."""

Member = TypeVar("Member")


class TimingWheel(Generic[Member]):
    """A set whose members are each returned once in BUCKETS ticks."""

    def __init__(self) -> None:
        self._buckets: list[set[Member]] = [set() for _ in range(BUCKETS)]
        self._current = 0
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def __iter__(self) -> Iterator[Member]:
        for bucket in self._buckets:
            yield from tuple(bucket)

    def add(self, member: Member) -> None:
        """Add a member to the bucket of its hash, so that its place needs no memory."""
        bucket = self._buckets[hash(member) % BUCKETS]
        self._members += member not in bucket
        bucket.add(member)

    def discard(self, member: Member) -> bool:
        """Remove a member if it is present; return whether it was."""
        bucket = self._buckets[hash(member) % BUCKETS]
        if member not in bucket:
            return False
        self._members -= 1
        bucket.remove(member)
        return True

    def tick(self) -> tuple[Member, ...]:
        """Return the members of the current bucket, and advance to the next."""
        members = tuple(self._buckets[self._current])
        self._current = (self._current + 1) % BUCKETS
        return members
