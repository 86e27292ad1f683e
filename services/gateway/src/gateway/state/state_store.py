"""State store: the newest state of each pillow, what clients see of it, and the log of changes.

The log keeps the last change of each pillow, in the order of offsets.
"Everything after offset n" is a walk that can stop anywhere and go on later from another offset, so
one structure serves the snapshot of a new client, the recovery of a resumed one and the catch-up of
a slow one, each in pieces.
Pure: the time is an argument.
"""

from collections import deque
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Final, Literal

from contract.cursors import Cursor
from contract.states import NOT_CONNECTED
from contract.updates import Update, encode_not_connected, with_clock_behind
from gateway.state.ordered_log import OrderedLog

MAX_TOMBSTONES: Final = 1024
"""How many removals the log keeps, so that a client which was away learns of them."""

NotNewer = Literal["older", "repeated"]
"""Why an update is not stored: a newer one is known, or the same one is."""


@dataclass(frozen=True, slots=True)
class Change:
    """What clients see of one pillow from `offset` on; `payload` is None for a removal."""

    offset: int
    pillow: str
    payload: bytes | None


@dataclass(slots=True)
class _Entry:
    """The newest update of a pillow, the change that shows it to clients, and its arrival."""

    update: Update
    change: Change
    arrival: int


class StateStore:
    """The newest state of each pillow and the log of changes.

    `epoch` names the stream of this process: cursors of other processes are not covered.
    """

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._offset = 0
        self._pillows: dict[str, _Entry] = {}
        self._log: OrderedLog[Change] = OrderedLog()
        self._arrivals: OrderedLog[_Entry] = OrderedLog()
        self._last_arrival = 0
        self._size_bytes = 0
        self._removals: dict[str, Change] = {}  # those in the log
        self._removed_orders: dict[str, tuple[int, int]] = {}  # of the states that they removed
        self._tombstones: deque[Change] = deque()
        self._newest_removal_offset = 0
        self._forgotten_offset = 0

    def __len__(self) -> int:
        return len(self._pillows)

    @property
    def cursor(self) -> Cursor:
        """The end of the stream: the offset of the last change."""
        return Cursor(self._epoch, self._offset)

    @property
    def size_bytes(self) -> int:
        """What clients see of all pillows together, in bytes."""
        return self._size_bytes

    @property
    def newest_removal_offset(self) -> int:
        """The offset of the newest removal; 0 if there was none."""
        return self._newest_removal_offset

    @property
    def forgotten_offset(self) -> int:
        """The offset of the newest removal that the log does not tell any more; 0: it has all.

        It is no longer in the log, or a state followed that is not newer than the removed one: a
        client that missed the removal would discard that state.
        """
        return self._forgotten_offset

    @property
    def last_arrival(self) -> int:
        """The number of the pillow that became known last; see `arrivals_after`."""
        return self._last_arrival

    def covers(self, cursor: Cursor | None) -> bool:
        """Return whether the log has every change after `cursor`."""
        return (
            cursor is not None
            and cursor.epoch == self._epoch
            and self._forgotten_offset <= cursor.offset <= self._offset
        )

    def state(self, pillow: str) -> bytes | None:
        """Return what clients see of a pillow, as JSON; None when the pillow is not known."""
        entry = self._pillows.get(pillow)
        return None if entry is None else entry.change.payload

    def known_of(self, pillows: Set[str]) -> Set[str]:
        """Return those of the pillows that are known or in the log as removed.

        To look up each of a thousand names that nobody has would take five times as long.
        """
        return (self._pillows.keys() & pillows) | (self._removals.keys() & pillows)

    def states(self) -> Iterator[bytes]:
        """Yield what clients see of every pillow, as JSON, in the order of their last changes."""
        for change in self._log.after(0):
            if change.payload is not None:
                yield change.payload

    def changes_after(self, offset: int) -> Iterator[Change]:
        """Yield the last change of each pillow that changed after `offset`, oldest first.

        The store must not change before the last change that is taken.
        """
        return self._log.after(offset)

    def last_change(self, pillow: str) -> Change | None:
        """Return the last change of a pillow; None when the log has none."""
        entry = self._pillows.get(pillow)
        return self._removals.get(pillow) if entry is None else entry.change

    def removals_after(self, offset: int) -> Iterator[Change]:
        """Yield the removals in the log that came after `offset`, oldest first."""
        for removal in self._removals.values():  # in the order of their offsets
            if removal.offset > offset:
                yield removal

    def arrival(self, pillow: str) -> tuple[int, Change] | None:
        """Return the number and the last change of a pillow, as in `arrivals_after`."""
        entry = self._pillows.get(pillow)
        return None if entry is None else (entry.arrival, entry.change)

    def arrivals_after(self, arrival: int) -> Iterator[tuple[int, Change]]:
        """Yield the last change of each pillow that became known after another.

        Each has its number, from which the walk can go on later. A pillow keeps its number when it
        changes, so such a walk has each pillow once.
        The store must not change before the last state that is taken.
        """
        for entry in self._arrivals.after(arrival):
            yield entry.arrival, entry.change

    def newest(self, pillow: str) -> Update | None:
        """Return the newest update of a pillow; None when the pillow is not known."""
        entry = self._pillows.get(pillow)
        return None if entry is None else entry.update

    def check(self, update: Update) -> NotNewer | None:
        """Return why an update is not newer than what is known; None when it is to be stored.

        `at`, then `seq`, order the states of a pillow.
        Of two equal ones the later arrival is stored, unless it is the same state published again.
        """
        entry = self._pillows.get(update.pillow)
        if entry is None:
            return None
        if update.order < entry.update.order:
            return "older"
        return "repeated" if update.is_duplicate_of(entry.update) else None

    def put(
        self,
        update: Update,
        not_connected_since_ms: int | None,
        *,
        clock_is_behind: bool = False,
    ) -> Change:
        """Store the newest state of a pillow and return the change.

        With `not_connected_since_ms` (Unix milliseconds) clients see the pillow as `notconnected`
        since then; a pillow that reports `notconnected` itself is shown as it reported.
        With `clock_is_behind` they see that the pillow's clock is wrong.
        """
        payload = with_clock_behind(update) if clock_is_behind else update.payload
        if not_connected_since_ms is not None and update.state != NOT_CONNECTED:
            payload = encode_not_connected(update, since_ms=not_connected_since_ms)
        entry = self._pillows.get(update.pillow)
        if entry is None:
            removed_order = self._removed_orders.get(update.pillow)
            if removed_order is not None and update.order <= removed_order:
                self._forget_up_to(self._removals[update.pillow].offset)
            self._discard_removal(update.pillow)
            change = self._append(update.pillow, payload)
            self._last_arrival += 1
            entry = self._pillows[update.pillow] = _Entry(update, change, self._last_arrival)
            self._arrivals.append(self._last_arrival, entry)
        else:
            assert entry.update.order <= update.order, f"{update.pillow} went back in time"
            self._discard(entry)
            change = self._append(update.pillow, payload)
            entry.update, entry.change = update, change
        return change

    def remove(self, pillow: str) -> Change | None:
        """Remove a pillow and return the change; None when the pillow is not known.

        The log keeps `MAX_TOMBSTONES` removals; beyond that it forgets the oldest, and cursors
        before it are not covered any more.
        """
        entry = self._pillows.pop(pillow, None)
        if entry is None:
            return None
        self._discard(entry)
        self._arrivals.discard(entry.arrival)
        change = self._append(pillow, None)
        self._removals[pillow] = change
        self._removed_orders[pillow] = entry.update.order
        self._newest_removal_offset = change.offset
        self._tombstones.append(change)
        if len(self._tombstones) > MAX_TOMBSTONES:
            oldest = self._tombstones.popleft()
            if self._removals.get(oldest.pillow) is oldest:
                self._discard_removal(oldest.pillow)
                self._forget_up_to(oldest.offset)
        return change

    def _append(self, pillow: str, payload: bytes | None) -> Change:
        self._offset += 1
        change = Change(self._offset, pillow, payload)
        self._size_bytes += len(payload or b"")
        self._log.append(self._offset, change)
        return change

    def _discard(self, entry: _Entry) -> None:
        """Take the last change of a pillow out of the log."""
        self._size_bytes -= len(entry.change.payload or b"")
        self._log.discard(entry.change.offset)

    def _discard_removal(self, pillow: str) -> None:
        """Take the removal of a pillow out of the log, if it is there."""
        removal = self._removals.pop(pillow, None)
        self._removed_orders.pop(pillow, None)
        if removal is not None:
            self._log.discard(removal.offset)

    def _forget_up_to(self, offset: int) -> None:
        """Note that a client which has not everything up to `offset` needs a full snapshot."""
        self._forgotten_offset = max(self._forgotten_offset, offset)
