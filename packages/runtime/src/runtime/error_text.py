"""Errors in logs: what happened and where, on one line of bounded length. Pure."""

import traceback
from pathlib import PurePath
from typing import Final

from runtime.printable_text import on_one_line

MAX_ERROR_CHARACTERS: Final = 200
"""How much of an error's text is logged, because it may quote what somebody sent."""


def brief_error(error: BaseException) -> str:
    """Return the type of an error and the beginning of its text, on one line."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    line = on_one_line(text[:1000])
    cut = MAX_ERROR_CHARACTERS - 3
    return line if len(line) <= MAX_ERROR_CHARACTERS else f"{line[:cut]}..."


def place_of(error: BaseException) -> str:
    """Return where an error was raised: the innermost module, its line and function."""
    # Not extract_tb, which looks at the source file of each frame on the disk.
    frames = tuple(traceback.walk_tb(error.__traceback__))
    if not frames:
        return "unknown"
    innermost, line = frames[-1]
    code = innermost.f_code
    return f"{PurePath(code.co_filename).name}:{line} {code.co_name}"
