"""The store: the newest state of every pillow, in the order of its last change.

One structure serves a new browser's snapshot, a resumed one and one that lags: pillows are kept in
order of the offset of their last change, so "everything after offset n" is a walk from the end.
Pure: the time is an argument, and nothing here knows who listens.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from contract.cursors import Cursor
from contract.states import NOT_CONNECTED
from contract.updates import Update, encode_not_connected

MAX_TOMBSTONES: Final = 1024
"""How many removed pillows are remembered, so that a browser that was away learns of them."""

_ENTRY_OVERHEAD_BYTES: Final = 150
"""What keeping one past state costs beside its payload: three references and two list slots."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one pillow at one offset. `payload` is None when it was removed."""

    offset: int
    pillow: str
    payload: bytes | None


Refusal = Literal["older", "repeated"]
"""Why an update changed nothing: a newer one is known, or the same is."""


@dataclass(slots=True)
class _Pillow:
    update: Update
    heard_ms: int
    change: Change
    connected: bool = True
    scheduled: bool = False
    retained: bool = True


class StateStore:
    """The newest state of every pillow, and the stream of changes that led to it.

    `epoch` names this process's stream.
    A pillow not heard of for `expire_after_ms` becomes `notconnected`.
    Past states are kept within `history_bytes`, all pillows together; the oldest go first.
    """

    def __init__(self, epoch: str, *, expire_after_ms: int, history_bytes: int) -> None:
        self._epoch = epoch
        self._expire_after_ms = expire_after_ms
        self._history_budget = history_bytes

        self._offset = 0
        self._pillows: dict[str, _Pillow] = {}
        self._by_change: OrderedDict[str, Change] = OrderedDict()
        self._tombstones: deque[Change] = deque()
        self._forgotten = 0  # the offset of the newest removal that is no longer remembered

        self._said_offline: set[str] = set()
        self._deadlines: list[tuple[int, int, _Pillow]] = []
        self._deadlines_made = 0

        self._history: dict[str, deque[bytes]] = {}
        self._history_order: deque[str] = deque()
        self._history_bytes = 0

    def __len__(self) -> int:
        return len(self._pillows)

    @property
    def cursor(self) -> Cursor:
        """Where the stream is now."""
        return Cursor(self._epoch, self._offset)

    @property
    def history_bytes(self) -> int:
        """What the past states kept cost, in bytes."""
        return self._history_bytes

    def covers(self, cursor: Cursor | None) -> bool:
        """Say whether everything after `cursor` is still known here."""
        return (
            cursor is not None
            and cursor.epoch == self._epoch
            and self._forgotten <= cursor.offset <= self._offset
        )

    def state(self, pillow: str) -> bytes | None:
        """Return what is shown of a pillow now; None when it is not known."""
        known = self._pillows.get(pillow)
        return None if known is None else known.change.payload

    def states(self) -> Iterator[bytes]:
        """Yield what is shown of every pillow, the one that changed last at the end."""
        for change in self._by_change.values():
            if change.payload is not None:
                yield change.payload

    def history(self, pillow: str) -> list[bytes] | None:
        """Return a pillow's past states still kept, oldest first; None when it is not known."""
        if pillow not in self._pillows:
            return None
        return list(self._history.get(pillow, ()))

    def after(self, offset: int) -> list[Change]:
        """Return the last change of each pillow that changed after `offset`, oldest first."""
        found = []
        for change in reversed(self._by_change.values()):
            if change.offset <= offset:
                break
            found.append(change)
        found.reverse()
        return found

    def receive(
        self, update: Update, *, heard_ms: int, now_ms: int, live: bool
    ) -> Change | Refusal:
        """Take in a state. `heard_ms` is when the pillow gave this sign of life.

        `live` says that it is news, and not what the broker had retained.
        Ties in (`at`, `seq`) go to the later arrival, unless it says the same.
        """
        known = self._pillows.get(update.pillow)
        if known is not None:
            known.retained = True
            if update.order < known.update.order:
                return "older"
            if update.is_duplicate_of(known.update):
                return "repeated"
        if known is None:
            known = _Pillow(update, heard_ms, Change(0, update.pillow, None))
            self._pillows[update.pillow] = known
        known.update = update
        # A sign of life is not taken back by news that lay in the queue for longer.
        known.heard_ms = min(max(heard_ms, known.heard_ms), now_ms)
        if live:
            self._said_offline.discard(update.pillow)  # it speaks: its last will is out of date
        known.connected = update.pillow not in self._said_offline and self._deadline(known) > now_ms
        if known.connected:
            self._schedule(known)
        return self._show(known, now_ms)

    def set_availability(self, pillow: str, online: bool, now_ms: int) -> Change | None:
        """Take in a pillow's availability; returns the change, if it changed what is shown.

        Coming online is a sign that it lives, but none of a state long past.
        """
        (self._said_offline.discard if online else self._said_offline.add)(pillow)
        known = self._pillows.get(pillow)
        connected = online and known is not None and self._deadline(known) > now_ms
        if known is None or known.connected == connected:
            return None
        known.connected = connected
        if connected:
            self._schedule(known)
        return self._show(known, now_ms)

    def remove(self, pillow: str) -> Change | None:
        """Forget a pillow; returns the change, if it was known."""
        if self._pillows.pop(pillow, None) is None:
            return None
        self._sweep_deadlines()
        change = self._change(pillow, None)
        self._tombstones.append(change)
        if len(self._tombstones) > MAX_TOMBSTONES:
            oldest = self._tombstones.popleft()
            if self._by_change.get(oldest.pillow) is oldest:
                del self._by_change[oldest.pillow]
                self._forgotten = oldest.offset
        return change

    def mark_unconfirmed(self) -> None:
        """Take in that what the broker retains is not known any more."""
        for known in self._pillows.values():
            known.retained = False

    def reconcile(self, now_ms: int) -> list[Change]:
        """Go on, now that the broker has told all it retains; returns what changed meanwhile.

        Silence counts from now: until now nothing could be heard.
        A pillow that the broker retains no more was removed meanwhile, or is one that a broker
        forgot when it died: it goes when it is silent, and stays if it speaks.
        """
        gone = []
        for pillow, known in self._pillows.items():
            if known.connected:
                known.heard_ms = now_ms
            elif not known.retained:
                gone.append(pillow)
        return [change for pillow in gone if (change := self.remove(pillow)) is not None]

    def expire(self, now_ms: int) -> list[Change]:
        """Return the changes of pillows that have been silent too long by now."""
        changes: list[Change] = []
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            known = heapq.heappop(self._deadlines)[2]
            known.scheduled = False
            if not known.connected or self._pillows.get(known.update.pillow) is not known:
                continue
            if self._deadline(known) > now_ms:
                self._schedule(known)
                continue
            known.connected = False
            if not known.retained:
                removed = self.remove(known.update.pillow)
                changes.extend(() if removed is None else (removed,))
            elif known.update.state != NOT_CONNECTED:
                changes.append(self._show(known, now_ms))
        return changes

    def next_deadline_ms(self) -> int | None:
        """Return before when `expire` need not be asked; None while nothing can expire."""
        return self._deadlines[0][0] if self._deadlines else None

    def _deadline(self, known: _Pillow) -> int:
        return known.heard_ms + self._expire_after_ms

    def _schedule(self, known: _Pillow) -> None:
        # One entry a pillow: an entry that comes up too early is put back with its true deadline.
        if not known.scheduled:
            known.scheduled = True
            self._deadlines_made += 1  # no two entries compare equal before they reach the pillow
            heapq.heappush(self._deadlines, (self._deadline(known), self._deadlines_made, known))

    def _sweep_deadlines(self) -> None:
        """Drop the entries of removed pillows once they are the most."""
        if len(self._deadlines) > 2 * len(self._pillows) + 64:
            self._deadlines = [
                entry
                for entry in self._deadlines
                if self._pillows.get(entry[2].update.pillow) is entry[2]
            ]
            heapq.heapify(self._deadlines)

    def _show(self, known: _Pillow, now_ms: int) -> Change:
        update = known.update
        if known.connected or update.state == NOT_CONNECTED:
            return self._change(update.pillow, update.payload)
        said = update.pillow in self._said_offline
        since_ms = now_ms if said else min(now_ms, self._deadline(known))
        return self._change(update.pillow, encode_not_connected(update, since_ms=since_ms))

    def _change(self, pillow: str, payload: bytes | None) -> Change:
        self._offset += 1
        change = Change(self._offset, pillow, payload)
        self._by_change[pillow] = change
        self._by_change.move_to_end(pillow)
        if payload is None:
            return change
        self._pillows[pillow].change = change
        self._remember(pillow, payload)
        return change

    def _remember(self, pillow: str, payload: bytes) -> None:
        self._history.setdefault(pillow, deque()).append(payload)
        self._history_order.append(pillow)
        self._history_bytes += len(payload) + _ENTRY_OVERHEAD_BYTES
        while self._history_bytes > self._history_budget and self._history_order:
            oldest = self._history_order.popleft()
            kept = self._history[oldest]
            self._history_bytes -= len(kept.popleft()) + _ENTRY_OVERHEAD_BYTES
            if not kept:
                del self._history[oldest]
