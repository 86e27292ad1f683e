"""Save marks: which states the broker had when it saved its retained messages last. Pure.

While a poller writes states it publishes a retained mark, a number that grows.
A broker saves all retained messages together.
So a broker that comes back with the mark n has saved every state that it confirmed before n was
published, and may have lost the later ones.
No clock decides it: neither when a state was published nor when a loss was noticed.
Each journal has a topic for its mark, because a mark in place of another poller's would hide what
the broker had saved of that one.
"""

import re
from typing import Final, NamedTuple

NEVER: Final = 10**18 - 1
"""The number of a state of which it is not known that the broker has it: above every mark."""

WITHOUT_JOURNAL: Final = "00000000"
"""How the id of a start without a journal begins, and the last level of the topic of its mark."""

_MARK: Final = re.compile(rb"([0-9a-f]{1,64}) ([0-9]{1,18})")


class SaveMark(NamedTuple):
    """A mark: the id of the journal that it belongs to, and its number.

    Marks of one journal are comparable; a poller without a journal has an id for each start.
    """

    journal: str
    number: int

    @property
    def level(self) -> str:
        """The last level of the mark's topic: a journal's id.

        Starts without a journal share one, because a mark is of no use after such a start has
        ended, and each would leave a retained topic.
        """
        return WITHOUT_JOURNAL if self.journal.startswith(WITHOUT_JOURNAL) else self.journal


def encode_mark(mark: SaveMark) -> bytes:
    """Encode a mark as the payload of its topic."""
    return b"%b %d" % (mark.journal.encode(), mark.number)


def decode_mark(payload: bytes) -> SaveMark | None:
    """Decode the payload of a mark's topic; None if it is no mark."""
    match = _MARK.fullmatch(payload)
    return SaveMark(match[1].decode(), int(match[2])) if match else None


class SaveMarks:
    """The marks of this poller, and those that the broker sent as retained on this connection.

    Invariant: a mark is published only while the broker has every state whose mark is not above it,
    or had it and a client has replaced or removed it.
    """

    def __init__(self, journal: str, last: int = 0) -> None:
        """`last` is the largest number that a state in the journal has."""
        self._next = SaveMark(journal, last + 1)
        self._received: dict[str, int] = {}

    @property
    def never(self) -> SaveMark:
        """The mark of a state that the broker has lost, or may have lost."""
        return SaveMark(self._next.journal, NEVER)

    @property
    def next(self) -> SaveMark:
        """The mark that is published next: the mark of the states that are written now."""
        return self._next

    def change_journal(self, journal: str, last: int) -> None:
        """Use the id of a journal that was opened; `last` is the largest number in it."""
        known = self._next.number - 1 if journal == self._next.journal else 0
        self._next = SaveMark(journal, max(last, known, self._received.get(journal, 0)) + 1)

    def advance(self) -> SaveMark:
        """Return the mark to publish now; the states that are written later have the next one."""
        mark = self._next
        self._next = SaveMark(mark.journal, mark.number + 1)
        return mark

    def receive(self, mark: SaveMark) -> None:
        """Record a mark that the broker had retained; the next one will be above it."""
        self._received[mark.journal] = max(mark.number, self._received.get(mark.journal, 0))
        if mark.journal == self._next.journal:
            self._next = SaveMark(mark.journal, max(self._next.number, mark.number + 1))

    def clear(self) -> None:
        """Forget what the broker sent, because it was another connection."""
        self._received.clear()

    def is_own(self, mark: SaveMark) -> bool:
        """Return whether a mark is one of this poller's journal."""
        return mark.journal == self._next.journal

    def is_saved(self, mark: SaveMark) -> bool:
        """Return whether the broker had saved the states of a mark."""
        return self._received.get(mark.journal, -1) >= mark.number
