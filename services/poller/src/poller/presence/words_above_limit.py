"""What the broker has of pillows that have no room, for the time when they have. Pure."""

from typing import Literal, NamedTuple

from contract.topics import ONLINE

Author = Literal["pillow", "poller", "unknown"]
"""The client that wrote a word. With MQTT 3.1.1 it is unknown: then a word counts as a poller's if
the pillow's newest state came by the queue, else as the pillow's own."""


class HeardWord(NamedTuple):
    """A word that the broker has: `online` or `offline` (empty: cleared), who wrote it, and when.

    `written_ms` is in milliseconds of one monotonic clock.
    """

    payload: bytes
    author: Author
    written_ms: int


class WordsAboveLimit:
    """The words of at most `limit` pillows that have no room.

    A pillow whose word is not kept here could have written `online` itself, which no poller may
    replace. So if one such word could not be kept, no pillow without a word is admitted until
    the broker sends all of its words again. Any other word may be replaced when a state comes by
    the queue: without it, a poller may write the same word once more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._words: dict[str, HeardWord] = {}
        self._has_all_own = True

    def admits(self, pillow: str) -> bool:
        """Return whether it is certain that no word of a pillow itself is replaced."""
        return self._has_all_own or pillow in self._words

    def note(self, pillow: str, word: HeardWord) -> None:
        """Note the word of a pillow that has no room."""
        if not word.payload:
            self._words.pop(pillow, None)
        elif pillow in self._words or len(self._words) < self._limit:
            self._words[pillow] = word
        elif word.payload == ONLINE and word.author != "poller":
            self._has_all_own = False

    def take(self, pillow: str) -> HeardWord | None:
        """Remove and return the word of a pillow that has room now; None: it is not known."""
        return self._words.pop(pillow, None)

    def clear(self) -> None:
        """Forget all: the broker sends them again."""
        self._words.clear()
        self._has_all_own = True
