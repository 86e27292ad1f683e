"""The console: prints the lines of all programs, each with its program's name."""

import sys
from typing import TextIO

NAMES = (
    "devstack",
    "mosquitto",
    "embedded",
    "azurite",
    "poller",
    "gateway",
    "recorder",
    "simulator",
)
WIDTH = max(map(len, NAMES))
# ANSI colours that are legible on dark and on light; the first is the stack's own.
COLOURS = (1, 35, 35, 33, 36, 32, 34)


def format_line(name: str, text: str, *, colour: bool = False) -> str:
    """Return a line of output with its program's name in front."""
    label = f"{name:<{WIDTH}}"
    if colour:
        number = COLOURS[NAMES.index(name)] if name in NAMES else 37
        label = f"\x1b[{number}m{label}\x1b[0m"
    return f"{label} | {text}"


class Console:
    """Prints lines. When the reader closes the pipe (`| head`), it stops printing and no more."""

    def __init__(self, stream: TextIO = sys.stdout, *, colour: bool | None = None) -> None:
        self._stream = stream
        self._colour = stream.isatty() if colour is None else colour
        self._closed = False

    def show(self, name: str, text: str) -> None:
        """Print a program's line."""
        self.print(format_line(name, text, colour=self._colour))

    def print(self, text: str) -> None:
        """Print a line without a name."""
        if self._closed:
            return
        try:
            print(text, file=self._stream, flush=True)
        except (BrokenPipeError, OSError):
            self._closed = True
