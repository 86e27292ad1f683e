"""Availability: the words `online` and `offline` of a pillow on MQTT, and whose words they are.

A pillow that speaks MQTT says them itself, `offline` as its last will.
For a pillow that comes by the queue the pollers say them. With MQTT 5 their words carry a user
property, so that nobody takes them for the pillow's own.
"""

from typing import Final

from contract.topics import OFFLINE, ONLINE

KEPT_BY: Final = "kept-by"
"""The user property of a word that is not the pillow's own: who says it."""

POLLER: Final = "poller"
"""The value of that property: a poller, which has found the pillow silent, or awake again."""

WORDS: Final = frozenset((ONLINE, OFFLINE))
