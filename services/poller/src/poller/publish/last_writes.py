"""The last write of each pillow: the newest state that the broker is known to have had. Pure.

It decides that the newest state wins, with any number of pollers.
A state older than the last write is superseded.
If the broker is seen to hold an older state, because two pollers published at the same moment or
because it lost its memory, the last write has to be published again.
Only states that the broker confirmed or sent count: a publish in flight supersedes nothing.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator

from contract.updates import Update


class LastWrites:
    """The last writes of at most `max_pillows`, and the states that the broker is believed to hold.

    Above the limit the pillow that has been silent for longest is forgotten: its next state is
    published, whatever it is. `on_forgotten` is called with each.

    Invariant: the last write of a pillow never becomes older, except that it can be forgotten.
    """

    def __init__(
        self,
        max_pillows: float = math.inf,
        on_forgotten: Callable[[str], None] = lambda _pillow: None,
    ) -> None:
        self._max_pillows = max_pillows
        self._on_forgotten = on_forgotten
        self._newest: OrderedDict[str, Update] = OrderedDict()
        """By pillow, the one silent for longest first."""
        self._held: dict[str, tuple[int, int]] = {}
        """The order of the state that the broker holds, as far as it is known."""

    def __len__(self) -> int:
        return len(self._newest)

    def get(self, pillow: str) -> Update | None:
        """Return the last write of a pillow, if one is known."""
        return self._newest.get(pillow)

    def supersedes(self, update: Update) -> bool:
        """Return whether a newer state than this, or this very state, is the last write."""
        newest = self._newest.get(update.pillow)
        return newest is not None and (
            update.order < newest.order or update.is_duplicate_of(newest)
        )

    def record(self, update: Update) -> Update | None:
        """Record a state that the broker confirmed or sent: it holds this state now.

        Returns the last write if it is newer; it has to be published again.
        """
        pillow = update.pillow
        self._held[pillow] = update.order
        newest = self._newest.get(pillow)
        if newest is not None and update.order < newest.order:
            return newest
        assert newest is None or newest.order <= update.order, "a last write becomes older"
        self._newest[pillow] = update
        # A state that is retained is sent at each connection, and is no word of its pillow.
        if newest is None or update.payload != newest.payload:
            self._newest.move_to_end(pillow)
        if len(self._newest) > self._max_pillows:
            forgotten = next(iter(self._newest))
            self.remove(forgotten)
            self._on_forgotten(forgotten)
        return None

    def record_received(self, update: Update) -> Update | None:
        """Record a state that the broker sent, as `record` does, unless it is one pillow too many.

        No pillow is forgotten for it, because a broker may retain any number of states, and sends
        them all at each connection.
        """
        if len(self._newest) >= self._max_pillows and update.pillow not in self._newest:
            self._on_forgotten(update.pillow)
            return None
        return self.record(update)

    def remove(self, pillow: str) -> None:
        """Forget a pillow that was removed from the broker."""
        self._newest.pop(pillow, None)
        self._held.pop(pillow, None)

    def mark_unconfirmed(self) -> None:
        """Record that the connection was lost: the states that the broker holds are unknown."""
        self._held.clear()

    def missing(self, since_ms: int) -> Iterator[Update]:
        """Yield the last writes that the broker does not hold, once it has sent what it retains.

        If it holds no state of a pillow, the last write is missing only if it was published after
        `since_ms` (Unix milliseconds): the broker has saved what is older, so that the pillow was
        removed or its state has expired.
        """
        for pillow, newest in self._newest.items():
            held = self._held.get(pillow)
            if held is None:
                if newest.published_ms is not None and newest.published_ms > since_ms:
                    yield newest
            elif held < newest.order:
                yield newest
