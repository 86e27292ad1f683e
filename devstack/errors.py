"""Errors of the stack, each with a message for the person who started it."""

from collections.abc import Sequence


class DevstackError(Exception):
    """The stack cannot run; the message says what failed and what to do."""


class CannotStart(DevstackError):
    """Refused before any program was started: a port is taken, or a program is not installed."""


class ProgramFailed(DevstackError):
    """A program did not become ready, or ended by itself.

    The message is `sentence` followed by the program's last output lines.
    """

    def __init__(self, sentence: str, tail: Sequence[str] = ()) -> None:
        self.sentence = sentence
        lines = "".join(f"\n    {line}" for line in tail) or " none"
        super().__init__(f"{sentence}; its last lines:{lines}")
