"""Errors of libraries that repeat: each kind is logged once, and then only its count.

uvicorn and asyncio log an unexpected error with a traceback each time, and a client that causes one
can do so for ever.
"""

import logging
from typing import Final

from runtime.error_text import place_of
from runtime.log_once import MAX_KEYS

_OTHERS: Final = "others"
"""Stands for every error beyond MAX_KEYS kinds."""


class RepeatedErrors(logging.Filter):
    """Passes the first record of each type of error and place, and each tenth, hundredth and so on.

    Those that follow the first have the count instead of the traceback.
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        kind = f"{record.name} {type(error).__name__} {place_of(error)}"
        if kind not in self._counts and len(self._counts) >= MAX_KEYS:
            kind = _OTHERS
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count == 1:
            return True
        if not _is_power_of_ten(count):
            return False
        record.msg, record.args = f"{record.getMessage()} ({count} times; at {place_of(error)})", ()
        record.exc_info = None
        return True


def _is_power_of_ten(count: int) -> bool:
    return str(count).rstrip("0") == "1"
