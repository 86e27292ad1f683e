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

    A pillow that has written `online` itself must keep that word. So if one such word could not be
    kept here, no pillow whose word is not known is admitted until the broker sends all of its words
    again. Any other word may be replaced when a state comes by the queue: those give way, the
    oldest first, and then a poller may write the same word once more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._own: dict[str, HeardWord] = {}  # `online`, by the pillow itself as far as is known
        self._others: dict[str, HeardWord] = {}  # the oldest first
        self._has_all_own = True

    def admits(self, pillow: str) -> bool:
        """Return whether it is certain that no word of a pillow itself is replaced."""
        return self._has_all_own or pillow in self._own or pillow in self._others

    def note(self, pillow: str, word: HeardWord) -> None:
        """Note the word of a pillow that has no room."""
        self.take(pillow)
        if not word.payload:
            return
        is_own = word.payload == ONLINE and word.author != "poller"
        if len(self._own) + len(self._others) >= self._limit and self._others:
            del self._others[next(iter(self._others))]
        if len(self._own) + len(self._others) < self._limit:
            (self._own if is_own else self._others)[pillow] = word
        elif is_own:
            self._has_all_own = False

    def take(self, pillow: str) -> HeardWord | None:
        """Remove and return the word of a pillow that has room now; None: it is not known."""
        return self._own.pop(pillow, None) or self._others.pop(pillow, None)

    def clear(self) -> None:
        """Forget all: the broker sends them again."""
        self._own.clear()
        self._others.clear()
        self._has_all_own = True
