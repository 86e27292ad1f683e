"""Ordered log: items by an ascending number, walked from any number on. Pure.

A walk begins with a bisection, so a reader keeps no more than the number at which it goes on.
A discarded item leaves a hole; the holes are dropped when they are a third of the log, so an append
and a discard take constant time on average.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MIN_HOLES: Final = 64
"""How many holes a log always may have."""


class OrderedLog(Generic[T]):
    """Items in the order of their numbers."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._items: list[T | None] = []  # None for a hole
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, number: int, item: T) -> None:
        """Add an item; its number is larger than all before."""
        assert not self._numbers or number > self._numbers[-1], f"{number} is not at the end"
        self._numbers.append(number)
        self._items.append(item)
        self._size += 1

    def discard(self, number: int) -> None:
        """Remove the item with a number; without effect if there is none."""
        index = bisect_right(self._numbers, number) - 1
        if index < 0 or self._numbers[index] != number or self._items[index] is None:
            return
        self._items[index] = None
        self._size -= 1
        if len(self._items) - self._size > MIN_HOLES + self._size // 2:
            self._drop_holes()

    def after(self, number: int) -> Iterator[T]:
        """Yield the items with larger numbers, in order.

        The log must not change before the last item that is taken.
        """
        items = self._items
        for index in range(bisect_right(self._numbers, number), len(items)):
            item = items[index]
            if item is not None:
                yield item

    def _drop_holes(self) -> None:
        kept = [index for index, item in enumerate(self._items) if item is not None]
        self._numbers = [self._numbers[index] for index in kept]
        self._items = [self._items[index] for index in kept]
