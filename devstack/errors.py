"""What can go wrong with the stack, each as a sentence for the person who started it."""

from collections.abc import Sequence


class DevstackError(Exception):
    """The stack cannot go on; the message says what, and what to do."""


class CannotStart(DevstackError):
    """Refused before anything was started: a taken port, a program that is not installed."""


class ProgramFailed(DevstackError):
    """A program did not come up, or ended by itself. `sentence` is the message without the log."""

    def __init__(self, sentence: str, tail: Sequence[str] = ()) -> None:
        self.sentence = sentence
        said = "".join(f"\n    {line}" for line in tail) or " nothing"
        super().__init__(f"{sentence}; its last lines:{said}")
