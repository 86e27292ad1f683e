"""Warnings and errors of libraries that repeat: each kind is logged seldom, with its number.

uvicorn and asyncio log an unexpected error with a traceback each time, and a client that causes one
can do so for ever.
"""

import logging

from runtime.error_text import place_of
from runtime.log_repeats import LogRepeats


class RepeatedErrors(logging.Filter):
    """Passes the first record of each kind, and then one in a while.

    A kind is a type of error and its place, or a text without its values. Later records have the
    number of those between instead of the traceback. The services' own lines pass: they decide
    themselves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._repeats = LogRepeats()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        if record.levelno < logging.WARNING or isinstance(record.msg, dict):
            return True
        error = record.exc_info[1] if record.exc_info else None
        what = str(record.msg) if error is None else f"{type(error).__name__} {place_of(error)}"
        repeats = self._repeats.due(f"{record.name} {record.levelname} {what}")
        if repeats is None:
            return False
        if repeats:
            at = "" if error is None else f", at {place_of(error)}"
            text = f"{record.getMessage()} ({repeats['repeats']} more like it{at})"
            record.msg, record.args, record.exc_info = text, (), None
        return True
