"""Lines of the log that are written once, because their cause repeats with every message."""

import traceback
from pathlib import PurePath
from typing import Final

MAX_KEYS: Final = 1000
"""For how many keys of each event a line is written; whatever repeats has a counter too."""

MAX_ERROR_CHARACTERS: Final = 200
"""How much of an error's text is logged, because it may quote what somebody sent."""


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


def brief_error(error: BaseException) -> str:
    """Return the type of an error and the beginning of its text, on one line."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    line = "".join(one if one.isprintable() else "?" for one in " ".join(text[:1000].split()))
    cut = MAX_ERROR_CHARACTERS - 3
    return line if len(line) <= MAX_ERROR_CHARACTERS else f"{line[:cut]}..."


def place_of(error: BaseException) -> str:
    """Return where an error was raised: the innermost module, its line and function."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    innermost = frames[-1]
    return f"{PurePath(innermost.filename).name}:{innermost.lineno} {innermost.name}"
