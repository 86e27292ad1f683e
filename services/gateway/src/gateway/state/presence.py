"""Presence: what becomes of a pillow, and whether it is shown as it reported or as `notconnected`.

A pillow is connected while it was last seen less than `expire_after_ms` ago and its availability
is not `offline`.
Pure: the time is an argument, in Unix milliseconds.
"""

from dataclasses import dataclass

from contract.states import NOT_CONNECTED
from contract.updates import Update
from gateway.state.expiry_schedule import ExpirySchedule
from gateway.state.history import History
from gateway.state.state_store import Change, NotNewer, StateStore


@dataclass(slots=True)
class _Presence:
    """What is known of one pillow beside its state.

    `is_confirmed` is False for a pillow that the broker has not sent since the last connection.
    """

    last_seen_ms: int
    is_connected: bool = True
    is_confirmed: bool = True


class PresenceTracker:
    """The one writer of the state store and the history.

    Each method that changes what clients see returns the changes, to be published in that order.
    """

    def __init__(self, store: StateStore, history: History, *, expire_after_ms: int) -> None:
        self._store = store
        self._history = history
        self._expire_after_ms = expire_after_ms
        self._pillows: dict[str, _Presence] = {}
        self._offline: set[str] = set()  # availability is `offline`, whether the pillow is known
        self._schedule = ExpirySchedule()

    def receive(
        self, update: Update, *, last_seen_ms: int, now_ms: int, retained: bool
    ) -> Change | NotNewer:
        """Store a state; return the change, or why the state is not newer than what is known.

        `last_seen_ms` is the time of the sign of life that the state is.
        `retained` is True for a state that the broker had kept: it does not overrule `offline`,
        because it is not known which of the two is older.
        """
        presence = self._pillows.get(update.pillow)
        if presence is not None:
            presence.is_confirmed = True
        not_newer = self._store.check(update)
        if not_newer is not None:
            return not_newer
        if presence is None:
            presence = self._pillows[update.pillow] = _Presence(last_seen_ms)
        # A state that waited in the queue for longer does not make the last sign of life older.
        presence.last_seen_ms = min(max(last_seen_ms, presence.last_seen_ms), now_ms)
        if not retained:
            self._offline.discard(update.pillow)  # it reports, so its last will is out of date
        presence.is_connected = (
            update.pillow not in self._offline and self._deadline_ms(presence) > now_ms
        )
        if presence.is_connected:
            self._schedule.schedule(update.pillow, self._deadline_ms(presence))
        return self._show(update, presence, now_ms)

    def set_availability(self, pillow: str, online: bool, now_ms: int) -> Change | None:
        """Store the availability of a pillow; return the change, if clients see one.

        `online` does not show a state as live that is older than the expiry.
        """
        (self._offline.discard if online else self._offline.add)(pillow)
        presence, update = self._pillows.get(pillow), self._store.newest(pillow)
        if presence is None or update is None:
            return None
        is_connected = online and self._deadline_ms(presence) > now_ms
        if presence.is_connected == is_connected:
            return None
        presence.is_connected = is_connected
        if is_connected:
            self._schedule.schedule(pillow, self._deadline_ms(presence))
        return self._show(update, presence, now_ms)

    def remove(self, pillow: str) -> Change | None:
        """Remove a pillow; return the change, or None when the pillow is not known."""
        self._pillows.pop(pillow, None)
        self._schedule.cancel(pillow)
        return self._store.remove(pillow)

    def mark_unconfirmed(self) -> None:
        """Note that the broker is lost: it may not retain any of the pillows any more."""
        for presence in self._pillows.values():
            presence.is_confirmed = False

    def reconcile(self, now_ms: int) -> list[Change]:
        """Remove what the broker no longer retains; call it when all retained states are here.

        Silence counts from now, because no pillow could be received while the broker was away.
        A pillow that is not retained any more was removed meanwhile, or a broker that died had
        not saved it: it is removed if it is not connected, else when it expires.
        """
        removed = []
        for pillow, presence in self._pillows.items():
            if presence.is_connected:
                presence.last_seen_ms = now_ms
            elif not presence.is_confirmed:
                removed.append(pillow)
        return [change for pillow in removed if (change := self.remove(pillow)) is not None]

    def expire(self, now_ms: int) -> list[Change]:
        """Return the changes of the pillows that have been silent for `expire_after_ms` by now."""
        changes: list[Change] = []
        for pillow in self._schedule.pop_due(now_ms):
            change = self._expire(pillow, now_ms)
            if change is not None:
                changes.append(change)
        return changes

    def next_deadline_ms(self) -> int | None:
        """Return the time before which `expire` returns nothing; None while nothing can expire."""
        return self._schedule.next_deadline_ms

    def _expire(self, pillow: str, now_ms: int) -> Change | None:
        presence, update = self._pillows[pillow], self._store.newest(pillow)
        assert update is not None, f"{pillow} has a deadline but no state"
        if not presence.is_connected:
            return None
        if self._deadline_ms(presence) > now_ms:
            self._schedule.schedule(pillow, self._deadline_ms(presence))
            return None
        presence.is_connected = False
        if not presence.is_confirmed:
            return self.remove(pillow)
        # A pillow that reported `notconnected` itself looks the same to clients as before.
        return None if update.state == NOT_CONNECTED else self._show(update, presence, now_ms)

    def _deadline_ms(self, presence: _Presence) -> int:
        return presence.last_seen_ms + self._expire_after_ms

    def _show(self, update: Update, presence: _Presence, now_ms: int) -> Change:
        """Put the newest state into the store and what clients see of it into the history."""
        since_ms = None
        if not presence.is_connected:
            is_offline = update.pillow in self._offline
            since_ms = now_ms if is_offline else min(now_ms, self._deadline_ms(presence))
        change = self._store.put(update, since_ms)
        assert change.payload is not None, f"{update.pillow} was put as a removal"
        self._history.append(update.pillow, change.payload)
        return change
