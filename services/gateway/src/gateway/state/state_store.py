"""State store: the newest state of each pillow, what clients see of it, and the log of changes.

The log keeps the last change of each pillow, in the order of offsets.
"Everything after offset n" is a walk from its end, so one structure serves the snapshot of a new
client, the recovery of a resumed one and the catch-up of a slow one.
Pure: the time is an argument.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from contract.cursors import Cursor
from contract.states import NOT_CONNECTED
from contract.updates import Update, encode_not_connected

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
    """The newest update of a pillow, and the change that shows it to clients."""

    update: Update
    change: Change


class StateStore:
    """The newest state of each pillow and the log of changes.

    `epoch` names the stream of this process: cursors of other processes are not covered.
    """

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._offset = 0
        self._pillows: dict[str, _Entry] = {}
        self._log: OrderedDict[str, Change] = OrderedDict()
        self._tombstones: deque[Change] = deque()
        # The offset of the newest removal that is no longer in the log.
        self._forgotten_offset = 0

    def __len__(self) -> int:
        return len(self._pillows)

    @property
    def cursor(self) -> Cursor:
        """The end of the stream: the offset of the last change."""
        return Cursor(self._epoch, self._offset)

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

    def states(self) -> Iterator[bytes]:
        """Yield what clients see of every pillow, as JSON, in the order of their last changes."""
        for change in self._log.values():
            if change.payload is not None:
                yield change.payload

    def changes_after(self, offset: int) -> list[Change]:
        """Return the last change of each pillow that changed after `offset`, oldest first."""
        changes: list[Change] = []
        newer_offset = self._offset + 1
        for change in reversed(self._log.values()):
            assert change.offset < newer_offset, f"the log is not in order at {newer_offset}"
            newer_offset = change.offset
            if newer_offset <= offset:
                break
            changes.append(change)
        changes.reverse()
        return changes

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

    def put(self, update: Update, not_connected_since_ms: int | None) -> Change:
        """Store the newest state of a pillow and return the change.

        With `not_connected_since_ms` (Unix milliseconds) clients see the pillow as `notconnected`
        since then; a pillow that reports `notconnected` itself is shown as it reported.
        """
        payload = update.payload
        if not_connected_since_ms is not None and update.state != NOT_CONNECTED:
            payload = encode_not_connected(update, since_ms=not_connected_since_ms)
        change = self._append(update.pillow, payload)
        entry = self._pillows.get(update.pillow)
        if entry is None:
            self._pillows[update.pillow] = _Entry(update, change)
        else:
            assert entry.update.order <= update.order, f"{update.pillow} went back in time"
            entry.update, entry.change = update, change
        return change

    def remove(self, pillow: str) -> Change | None:
        """Remove a pillow and return the change; None when the pillow is not known.

        The log keeps `MAX_TOMBSTONES` removals; beyond that it forgets the oldest, and cursors
        before it are not covered any more.
        """
        if self._pillows.pop(pillow, None) is None:
            return None
        change = self._append(pillow, None)
        self._tombstones.append(change)
        if len(self._tombstones) > MAX_TOMBSTONES:
            oldest = self._tombstones.popleft()
            if self._log.get(oldest.pillow) is oldest:
                assert oldest.offset > self._forgotten_offset, "removals are forgotten in order"
                del self._log[oldest.pillow]
                self._forgotten_offset = oldest.offset
        return change

    def _append(self, pillow: str, payload: bytes | None) -> Change:
        self._offset += 1
        change = Change(self._offset, pillow, payload)
        self._log[pillow] = change
        self._log.move_to_end(pillow)
        return change
