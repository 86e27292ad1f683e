"""The newest state of each pillow, and when the pillow last gave a sign of life.

Times are arguments: `sent` on the gateway's clock in ms since 1970, `now` on the local monotonic
clock in ms.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pillowcast.frames import Broker, BrokerStatus, Changes, Frame, Heartbeat, Removed, Snapshot
from pillowcast.pillow_state import State, Update


@dataclass(frozen=True, slots=True)
class Sign:
    """When a pillow gave its newest sign of life."""

    as_of: float
    """Gateway time at which its state was true: its `at`, but not later than the send time of its
    frame, because the clock of a pillow may be ahead."""
    alive_at: float
    """Gateway time at which it was alive at the latest known."""
    received_at: float | None
    """Local time at which the state arrived; None if a snapshot brought it."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    sent: float
    received_at: float | None
    queue_offset: float | None = None


class Store:
    """The newest states. `cursor` is that of an earlier client, which knows the states up to it."""

    def __init__(self, cursor: str | None = None) -> None:
        self.pillows: dict[str, State] = {}
        self.cursor = cursor
        self.broker: Broker | None = None
        """Whether the gateway is connected to its broker; None before the first snapshot."""
        self.retained = True
        """Whether the broker delivers the states that it retains."""
        self.watching: int | None = None
        """How many clients the gateway has; None while that is not known."""
        self._signs: dict[str, Sign] = {}
        # Whether the states at the cursor are unknown, because another client received them.
        self._is_partial = cursor is not None
        # The pillows that the pieces of a snapshot named so far; None while none is incomplete.
        self._named: set[str] | None = None
        # Whether the last piece of the snapshot removes the pillows that no piece named.
        self._removes_unnamed = False

    @property
    def is_loading(self) -> bool:
        """Whether pieces of a snapshot are still to come."""
        return self._named is not None

    def is_unconfirmed(self, pillow: str) -> bool:
        """Return whether a known state waits for a piece of the snapshot to name or remove it."""
        return self._named is not None and pillow not in self._named

    def sign(self, pillow: str) -> Sign | None:
        """Return when a pillow gave its newest sign of life; None of an unknown one."""
        return self._signs.get(pillow)

    def apply(self, frame: Frame, now: float = 0, *, is_last: bool | None = None) -> list[Update]:
        """Apply a frame, and return every new state in order; a pillow may occur twice.

        `is_last`: whether a snapshot is the last piece of all that the client waits for.
        """
        # Before the last update of a frame, a reader must resume before it to get the rest of it.
        before = self.cursor
        if isinstance(frame, Snapshot):
            before = before if frame.recovered or frame.continued else None
            is_last = not frame.more if is_last is None else is_last
        updates = self._apply(frame, now, is_last is True)
        return [*(replace(one, cursor=before) for one in updates[:-1]), *updates[-1:]]

    def _apply(self, frame: Frame, now: float, is_last: bool) -> list[Update]:
        if isinstance(frame, Snapshot | Changes | Removed):
            self.cursor = frame.cursor
        if isinstance(frame, Snapshot | BrokerStatus):
            self.broker = frame.broker
            self.retained = frame.retained
        if isinstance(frame, Snapshot | Heartbeat):
            self.watching = frame.watching
        if isinstance(frame, Snapshot):
            return self._apply_snapshot(frame, is_last)
        if isinstance(frame, Changes):
            return self._merge(frame.states, _Arrival(frame.sent, now))
        if isinstance(frame, Removed):
            known = (one for one in frame.pillows if self._is_partial or one in self.pillows)
            return [self._delete(one) for one in known]
        return []

    def _apply_snapshot(self, frame: Snapshot, is_last: bool) -> list[Update]:
        # `recovered` after a loss in the middle of a snapshot: the rest of that one follows.
        if not frame.continued and not frame.recovered:
            self._named = set()
            self._removes_unnamed = True
        if self._named is None:
            self._named = set()
        arrival = _Arrival(frame.sent, None, frame.queue_offset)
        apply = self._merge if frame.recovered else self._replace
        updates = apply(frame.states, arrival)
        return [*updates, *self._end_snapshot()] if is_last else updates

    def _end_snapshot(self) -> list[Update]:
        """Remove the pillows that no piece of the snapshot named."""
        named = self._named or set()
        gone = [one for one in self.pillows if one not in named] if self._removes_unnamed else []
        if self._removes_unnamed:
            self._is_partial = False
        self._named = None
        self._removes_unnamed = False
        return [self._delete(one) for one in gone]

    def _replace(self, states: Iterable[State], arrival: _Arrival) -> list[Update]:
        """Use states in place of those of an earlier gateway, which may have known newer ones."""
        named = self._named or set()
        fresh = [one for one in states if not self._is_superseded(one, one.pillow in named)]
        return [self._set(one, arrival) for one in fresh]

    def _merge(self, states: Iterable[State], arrival: _Arrival) -> list[Update]:
        updates = []
        for state in states:
            if not self._is_superseded(state, True):
                updates.append(self._set(state, arrival))
            elif self._named is not None:
                self._named.add(state.pillow)
        return updates

    def _is_superseded(self, state: State, is_comparable: bool) -> bool:
        known = self.pillows.get(state.pillow) if is_comparable else None
        return known is not None and state.is_older_than(known)

    def _set(self, state: State, arrival: _Arrival) -> Update:
        previous = self.pillows.get(state.pillow)
        self.pillows[state.pillow] = state
        self._signs[state.pillow] = _sign_of(state, arrival)
        if self._named is not None:
            self._named.add(state.pillow)
        return Update(state.pillow, state, previous, self.cursor)

    def _delete(self, pillow: str) -> Update:
        self._signs.pop(pillow, None)
        return Update(pillow, None, self.pillows.pop(pillow, None), self.cursor)


def _sign_of(state: State, arrival: _Arrival) -> Sign:
    """Return the sign of life that a state is.

    A state that arrives by itself is one at its arrival, whatever the pillow's clock says. A state
    in a snapshot was alive when it was published, or, if that is not known, at its `at`.
    """
    as_of = arrival.sent if state.instant is None else min(state.instant.ms, arrival.sent)
    if arrival.received_at is not None:
        return Sign(as_of, arrival.sent, arrival.received_at)
    hops: Any = state.fields.get("hops")
    published = hops.get("published") if isinstance(hops, dict) else None
    if arrival.queue_offset is None or type(published) is not int or abs(published) > 2**53:
        return Sign(as_of, as_of, None)
    return Sign(as_of, min(published - arrival.queue_offset, arrival.sent), None)
