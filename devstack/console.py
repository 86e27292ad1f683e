"""How the programs' lines look on a terminal or in a file."""

import sys
from typing import TextIO

NAMES = ("devstack", "mosquitto", "embedded", "azurite", "poller", "gateway", "simulator")
WIDTH = max(map(len, NAMES))
# Bright ANSI colours that read on dark and on light; the first is the stack's own.
COLOURS = (1, 35, 35, 33, 36, 32, 34)


def format_line(name: str, text: str, *, colour: bool = False) -> str:
    """One line of output with its program's name in front."""
    label = f"{name:<{WIDTH}}"
    if colour:
        number = COLOURS[NAMES.index(name)] if name in NAMES else 37
        label = f"\x1b[{number}m{label}\x1b[0m"
    return f"{label} | {text}"


class Console:
    """Prints lines; a reader that has gone away (`| head`) stops the printing, not the stack."""

    def __init__(self, stream: TextIO = sys.stdout, *, colour: bool | None = None) -> None:
        self._stream = stream
        self._colour = stream.isatty() if colour is None else colour
        self._gone = False

    def show(self, name: str, text: str) -> None:
        """Print a program's line."""
        self.say(format_line(name, text, colour=self._colour))

    def say(self, text: str) -> None:
        """Print a line as it is."""
        if self._gone:
            return
        try:
            print(text, file=self._stream, flush=True)
        except (BrokenPipeError, OSError):
            self._gone = True
