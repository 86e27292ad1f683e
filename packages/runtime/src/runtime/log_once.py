"""Lines of the log that are written once, because their cause repeats with every message."""

from typing import Final

MAX_KEYS: Final = 1000
"""For how many keys of each event a line is written; whatever repeats has a counter too."""


class LogOnce:
    """Remembers which lines were written: one for each event, or for each key of an event."""

    def __init__(self) -> None:
        self._logged: dict[str, set[str]] = {}

    def is_first(self, event: str, key: str = "") -> bool:
        """Return whether the line has to be written now; it is the only time."""
        logged = self._logged.setdefault(event, set())
        if key in logged or len(logged) >= MAX_KEYS:
            return False
        logged.add(key)
        return True

    def is_over(self, event: str, key: str = "") -> bool:
        """Return whether the line was written, which is now over: the next one is the first."""
        logged = self._logged.get(event)
        if not logged or key not in logged:
            return False
        logged.remove(key)
        return True
