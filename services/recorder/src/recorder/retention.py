"""Retention: what is too old, or too much. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from history.slots import SLOT_US

ROW_BYTES: Final = 120
"""What a state costs beside its payload: its key, its part of an episode, and what a database adds
to rows and leaves free in its pages."""

DAY_US: Final = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Slot:
    """How many states a slot of time has, and the bytes of their payloads."""

    slot: int
    states: int
    payload_bytes: int

    @property
    def size_bytes(self) -> int:
        """What the slot takes of the database, about."""
        return self.payload_bytes + self.states * ROW_BYTES


def total_bytes(slots: Sequence[Slot]) -> int:
    """Return what all slots take, about."""
    return sum(one.size_bytes for one in slots)


def cutoff_us(slots: Sequence[Slot], now_us: int, keep_days: float, keep_bytes: int) -> int:
    """Return before which instant everything is deleted, the beginning of a slot.

    The slot that is now stays, whatever it takes: the limit of bytes holds for what is before it.
    """
    now = now_us // SLOT_US
    oldest = (now_us - round(keep_days * DAY_US)) // SLOT_US
    left_bytes = keep_bytes
    for one in sorted(slots, key=lambda each: each.slot, reverse=True):
        left_bytes -= one.size_bytes
        if left_bytes < 0:
            oldest = max(oldest, one.slot + 1)
            break
    return min(oldest, now) * SLOT_US
