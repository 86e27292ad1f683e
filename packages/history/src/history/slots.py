"""Slots: the pieces of time in which sizes are counted and old states deleted. Pure."""

from typing import Final

SLOT_US: Final = 300_000_000
"""The length of a slot in microseconds: what is deleted at once when there is too much."""
