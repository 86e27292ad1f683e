"""Log lines whose cause repeats: the first at once, further ones seldom, with their number."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from runtime.clocks import monotonic_s

REPEAT_S: Final = 900.0
"""The least time between two lines of an event that repeats, in seconds, as for an outage."""

MAX_KEYS: Final = 1000
"""How many keys of an event have a first line of their own, and how many events there are. Made-up
names fill neither the memory nor the log; whatever repeats has a counter in the metrics too."""

_OTHERS: Final = "others"
"""Stands for every event beyond MAX_KEYS."""


@dataclass(slots=True)
class _Event:
    """An event: the keys that had a line, when the last line was, and what had none since."""

    logged_s: float
    keys: set[str] = field(default_factory=set)
    repeats: int = 0


class LogRepeats:
    """Decides which occurrences of an event are logged.

    The first of each key is logged at once. Of all others together there is one line in
    `interval_s`, with their number as the field `repeats`.
    """

    def __init__(
        self, interval_s: float = REPEAT_S, clock_s: Callable[[], float] | None = None
    ) -> None:
        self._interval_s = interval_s
        self._clock_s = clock_s or monotonic_s
        self._events: dict[str, _Event] = {}

    def due(self, event: str, key: str = "") -> dict[str, int] | None:
        """Record an occurrence; return further fields of its line, None if it has no line.

        `repeats` counts the occurrences without a line since the last line of the event.
        """
        now_s = self._clock_s()
        if event not in self._events and len(self._events) >= MAX_KEYS:
            event = _OTHERS
        known = self._events.setdefault(event, _Event(now_s))
        is_first = key not in known.keys and len(known.keys) < MAX_KEYS
        if is_first:
            known.keys.add(key)
            if len(known.keys) == 1:
                known.logged_s = now_s
            return {}
        if now_s - known.logged_s < self._interval_s:
            known.repeats += 1
            return None
        repeats, known.repeats, known.logged_s = known.repeats, 0, now_s
        return {"repeats": repeats} if repeats else {}

    def is_over(self, event: str, key: str = "") -> bool:
        """Return whether a key of an event had a line, and forget it: the next is its first."""
        known = self._events.get(event)
        if known is None or key not in known.keys:
            return False
        known.keys.remove(key)
        return True
