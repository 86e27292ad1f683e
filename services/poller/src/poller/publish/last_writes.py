"""The last write of each pillow: the newest state that the broker is known to have had. Pure.

It decides that the newest state wins, with any number of pollers.
A state older than the last write is superseded.
If the broker is seen to hold an older state, because two pollers published at the same moment or
because it lost its memory, the last write has to be published again.
Only states that the broker confirmed or sent count: a publish in flight supersedes nothing.

If the broker holds no state of a pillow, the save marks tell why: it had saved the last write, so
that the pillow was removed or its state has expired; or it had not, and has lost it.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from contract.updates import EXPIRY_S, Update
from poller.journal.save_marks import NEVER, SaveMark, SaveMarks

KEPT_DAYS: Final = EXPIRY_S // 86_400
"""How many days a last write is remembered that nothing confirms: the broker has dropped it."""


class Comparison(NamedTuple):
    """What the broker lacks, once it has sent what it retains.

    `missing` are the last writes to publish again, `removed` the pillows that were removed, and
    `marked` those that the broker has and whose mark is another now.
    """

    missing: list[Update]
    removed: list[str]
    marked: list[str]


@dataclass(slots=True)
class _LastWrite:
    """The last write of a pillow.

    `mark` is the save mark that follows it; None if the broker has lost it, or if it came before
    the marks that the broker retains.
    `held` is the order of the state that the broker holds, as far as it is known.
    """

    newest: Update
    mark: SaveMark | None
    held: tuple[int, int] | None
    day: int


class LastWrites:
    """The last writes of at most `max_pillows`, and the states that the broker is believed to hold.

    Above the limit the pillow that has been silent for longest is forgotten: its next state is
    published, whatever it is. `on_forgotten` is called with each.

    Invariant: the last write of a pillow never becomes older, except that it can be forgotten.
    """

    def __init__(
        self,
        marks: SaveMarks,
        max_pillows: float = math.inf,
        on_forgotten: Callable[[str], None] = lambda _pillow: None,
    ) -> None:
        self.marks = marks
        self._max_pillows = max_pillows
        self._on_forgotten = on_forgotten
        self._writes: OrderedDict[str, _LastWrite] = OrderedDict()
        """By pillow, the one silent for longest first."""
        self._lost: set[str] = set()
        self._is_compared = False
        self._is_unconfirmed = True
        self._day = 0

    def __len__(self) -> int:
        return len(self._writes)

    def __contains__(self, pillow: str) -> bool:
        return pillow in self._writes

    @property
    def has_lost(self) -> bool:
        """Whether the broker has lost a last write and not yet confirmed it again.

        Until then no mark may be published: it would say that the broker has saved it.
        """
        return bool(self._lost)

    def get(self, pillow: str) -> Update | None:
        """Return the last write of a pillow, if one is known."""
        known = self._writes.get(pillow)
        return None if known is None else known.newest

    def mark_of(self, pillow: str) -> SaveMark:
        """Return the mark of a last write; one that is never published if it has none."""
        known = self._writes.get(pillow)
        return self.marks.never if known is None or known.mark is None else known.mark

    def supersedes(self, update: Update) -> bool:
        """Return whether a newer state than this, or this very state, is the last write."""
        known = self._writes.get(update.pillow)
        return known is not None and (
            update.order < known.newest.order or update.is_duplicate_of(known.newest)
        )

    def load(self, update: Update, mark: SaveMark) -> None:
        """Add a state of the journal, unless a newer one is known."""
        known = self._writes.get(update.pillow)
        if known is None or known.newest.order < update.order:
            held = None if known is None else known.held
            published = None if mark.number == NEVER else mark
            self._writes[update.pillow] = _LastWrite(update, published, held, self._day)
            self._forget_one_too_many()

    def record(self, update: Update) -> Update | None:
        """Record a state that the broker confirmed or sent: it holds this state now.

        Returns the last write if it is newer; it has to be published again.
        """
        pillow = update.pillow
        self._is_unconfirmed = False
        known = self._writes.get(pillow)
        if known is None:
            self._writes[pillow] = _LastWrite(update, self._next_mark, update.order, self._day)
            self._forget_one_too_many()
            return None
        known.held, known.day = update.order, self._day
        newest = known.newest
        if update.order < newest.order:
            return newest
        if update.order > newest.order or known.mark is None or not self.marks.is_own(known.mark):
            known.mark = self._next_mark
        if update.order > newest.order or update.payload != newest.payload:
            known.newest = update
            # A state that is retained is sent at each connection, and is no word of its pillow.
            self._writes.move_to_end(pillow)
        self._lost.discard(pillow)
        return None

    def record_received(self, update: Update) -> Update | None:
        """Record a state that the broker sent, as `record` does, unless it is one pillow too many.

        No pillow is forgotten for it, because a broker may retain any number of states, and sends
        them all at each connection.
        """
        if len(self._writes) >= self._max_pillows and update.pillow not in self._writes:
            self._on_forgotten(update.pillow)
            return None
        return self.record(update)

    def remove(self, pillow: str) -> None:
        """Forget a pillow that was removed from the broker."""
        self._writes.pop(pillow, None)
        self._lost.discard(pillow)

    def give_up(self, pillow: str) -> None:
        """Record that a last write that the broker lost is not published on this connection.

        It has no mark, so that the marks of the others can go on, and it is lost again when the
        next connection is compared.
        """
        self._lost.discard(pillow)

    def pass_day(self) -> list[str]:
        """Begin another day; forget, and return, the pillows of which nothing came for a week."""
        self._day += 1
        expired = [
            pillow for pillow, known in self._writes.items() if self._day - known.day > KEPT_DAYS
        ]
        for pillow in expired:
            self.remove(pillow)
        return expired

    def mark_unconfirmed(self) -> None:
        """Record that there is another connection: the states that the broker holds are unknown."""
        self._is_compared = False
        self.marks.clear()
        if self._is_unconfirmed:
            return
        self._is_unconfirmed = True
        for known in self._writes.values():
            known.held = None

    def compare(self, *, delivers_retained: bool) -> Comparison:
        """Compare with what the broker has sent, once it has sent all that it retains.

        Without `delivers_retained` the broker sends no retained states through wildcards, so that
        what it did not send may exist. A removed pillow is forgotten.
        """
        self._is_compared = True
        found = Comparison([], [], [])
        for pillow, known in self._writes.items():
            if known.held is not None:
                if known.held < known.newest.order:
                    found.missing.append(known.newest)
                elif known.mark is None or not self.marks.is_own(known.mark):
                    known.mark = self.marks.next
                    self._lost.discard(pillow)
                    found.marked.append(pillow)
            elif known.mark is None or not self.marks.is_saved(known.mark):
                known.mark = None
                self._lost.add(pillow)
                found.missing.append(known.newest)
            elif delivers_retained:
                found.removed.append(pillow)
        for pillow in found.removed:
            self.remove(pillow)
        return found

    def _forget_one_too_many(self) -> None:
        if len(self._writes) > self._max_pillows:
            forgotten = next(iter(self._writes))
            self.remove(forgotten)
            self._on_forgotten(forgotten)

    @property
    def _next_mark(self) -> SaveMark | None:
        """The mark of a state that is recorded now.

        Before the marks that the broker retains are known, it could have a number that a mark
        before the state has; `compare` gives it one.
        """
        return self.marks.next if self._is_compared else None
