"""Availability: `online` and `offline` of a pillow on MQTT, and who publishes them.

A pillow that speaks MQTT publishes its own, `offline` as its last will.
For a pillow that comes by the queue the pollers publish it. With MQTT 5 their messages have a user
property, which distinguishes them from those of a pillow.
"""

from typing import Final

from contract.topics import OFFLINE, ONLINE

KEPT_BY: Final = "kept-by"
"""The user property of an availability that a service publishes in place of the pillow."""

POLLER: Final = "poller"
"""The value of that property where a poller publishes it."""

WORDS: Final = frozenset((ONLINE, OFFLINE))
