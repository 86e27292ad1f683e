"""Presence: what becomes of a pillow, and whether it is shown as it reported or as `notconnected`.

A pillow is connected while it was last seen less than `expire_after_ms` ago and its last will has
not been received since.
Pure: the time is an argument.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from contract.states import NOT_CONNECTED
from contract.timestamps import MAX_CLOCK_SKEW_MS
from contract.updates import EXPIRY_S, Update
from gateway.state.history import History
from gateway.state.pillow_presence import PillowPresence
from gateway.state.state_store import Change, NotNewer, StateStore
from runtime.expiry_schedule import ExpirySchedule

REPEAT_AFTER_MS: Final = 4_000
"""A sign of life without a newer state is sent to clients at most this often for each pillow."""

FORGET_AFTER_MS: Final = EXPIRY_S * 1000
"""A pillow that was silent for this long is removed, as a broker drops its state."""

Outcome = Literal["taken", "older", "repeated", "sign-of-life", "over-limit"]


class Instant(NamedTuple):
    """`ms` is time during which the broker was reachable, `wall_ms` the same moment in Unix ms."""

    ms: int
    wall_ms: int


class SignOfLife(NamedTuple):
    """When a pillow sent a state (`at_ms` as in Instant), and how the state arrived.

    `clock_is_behind`: its `at` is behind this time by more than a clock may differ.
    """

    at_ms: int
    is_retained: bool = False
    clock_is_behind: bool = False


class Received(NamedTuple):
    """What became of a state, and what clients see of it, in order.

    `clock_is_behind`: it is older than the newest state by more than a clock may differ.
    """

    outcome: Outcome
    changes: tuple[Change, ...] = ()
    clock_is_behind: bool = False


class PresenceTracker:
    """The one writer of the state store and the history.

    Each method that changes what clients see returns the changes, to be published in that order.
    It decides on a copy of what is known of the pillow, and writes to the store first, which is the
    only step that works on what others sent: an error there changes nothing.
    The walks over many pillows are lazy: each step is short, and None is a step without a change.
    """

    def __init__(
        self,
        store: StateStore,
        history: History,
        *,
        expire_after_ms: int,
        max_pillows: int = 100_000,
    ) -> None:
        self._store = store
        self._history = history
        self._expire_after_ms = expire_after_ms
        self._max_pillows = max_pillows
        self._pillows: dict[str, PillowPresence] = {}
        self._connection = 0
        # The first connection on which a pillow must have been received to count as confirmed.
        self._confirmed_since = 0
        self._schedule = ExpirySchedule()
        # The pillows that are not connected, the first to fall silent first.
        self._silent: OrderedDict[str, None] = OrderedDict()

    def known(self, pillow: str) -> PillowPresence | None:
        """Return what is known of a pillow, to be read only."""
        return self._pillows.get(pillow)

    @property
    def silent_count(self) -> int:
        """The number of pillows that are not connected."""
        return len(self._silent)

    def receive(self, update: Update, sign: SignOfLife, now: Instant) -> Received:
        """Store a state; return what became of it.

        A state that is not newer than what is known may still be a sign of life.
        """
        if sign.at_ms > now.ms:
            sign = sign._replace(at_ms=now.ms)
        known = self._pillows.get(update.pillow)
        if known is None:
            return self._add(update, sign, now)
        presence = known.copy()
        presence.connection = self._connection
        not_newer = self._store.check(update)
        if not_newer is not None:
            is_behind = sign.clock_is_behind and self._is_far_older(update)
            sign = sign._replace(clock_is_behind=is_behind)
            change = self._renew(update, not_newer, presence, sign, now)
            if change is None:
                self._commit(update.pillow, presence)
                return Received(not_newer, (), is_behind)
            return Received("sign-of-life", (change,), is_behind)
        # A state that waited in the queue for longer does not make the last sign of life older.
        presence.last_seen_ms = max(sign.at_ms, presence.last_seen_ms)
        if not sign.is_retained or sign.at_ms + self._expire_after_ms > now.ms:
            presence.is_offline = False  # it reported after its last will
        presence.clock_is_behind = False
        presence.reconnect(self._expire_after_ms, now.ms)
        return Received("taken", (self._show(update, presence, now),))

    def set_availability(
        self, pillow: str, online: bool, now: Instant, *, retained: bool = False
    ) -> Change | None:
        """Store the availability of a pillow; return the change, if clients see one.

        `online` does not show a state as live that is older than the expiry.
        A retained `offline` may be older than the state beside it, so the age of the state counts.
        """
        known, update = self._pillows.get(pillow), self._store.newest(pillow)
        if known is None or update is None or (retained and not online):
            return None
        presence = known.copy()
        presence.is_offline = not online
        return self._show_if_reconnected(update, presence, now)

    def correct(self, update: Update, last_seen_ms: int, now: Instant) -> Change | None:
        """Replace when a pillow was last seen, if `update` is still its newest state."""
        known = self._pillows.get(update.pillow)
        if known is None or self._store.newest(update.pillow) is not update:
            return None
        presence = known.copy()
        presence.last_seen_ms = min(last_seen_ms, now.ms)
        return self._show_if_reconnected(update, presence, now)

    def remove(self, pillow: str) -> Change | None:
        """Remove a pillow; return the change, or None when the pillow is not known."""
        self._pillows.pop(pillow, None)
        self._silent.pop(pillow, None)
        self._schedule.cancel(pillow)
        return self._store.remove(pillow)

    def mark_unconfirmed(self) -> None:
        """Note that the broker is lost: it may not retain any of the pillows any more."""
        self._connection += 1
        self._confirmed_since = self._connection

    def confirm_all(self) -> None:
        """Keep every pillow, because the broker does not deliver what it retains."""
        self._confirmed_since = 0

    def reconcile(self) -> Iterator[Change | None]:
        """Remove what the broker no longer retains; call it when all retained states are here.

        A pillow that is not retained any more was removed meanwhile, or a broker that died had
        not saved it: it is removed if it is not connected, else when it expires.
        """
        connection = self._connection
        for pillow in list(self._pillows):
            if connection != self._connection:
                return
            presence = self._pillows.get(pillow)
            is_gone = presence is not None and presence.connection < self._confirmed_since
            yield self.remove(pillow) if is_gone and pillow in self._silent else None

    def expire(self, now: Instant) -> Iterator[Change | None]:
        """Walk over the pillows that have been silent for `expire_after_ms` by now."""
        for pillow in self._schedule.pop_due(now.ms):
            yield self._expire(pillow, now)

    def forget(self, now: Instant) -> Iterator[Change | None]:
        """Remove the pillows that have been silent for FORGET_AFTER_MS."""
        while self._silent:
            pillow = next(iter(self._silent))
            if now.ms - self._pillows[pillow].last_seen_ms < FORGET_AFTER_MS:
                return
            yield self.remove(pillow)

    def next_deadline_ms(self) -> int | None:
        """Return the time before which `expire` has no change; None while nothing can expire."""
        return self._schedule.next_deadline_ms

    def _add(self, update: Update, sign: SignOfLife, now: Instant) -> Received:
        """Store a pillow's first state; at the limit a silent one makes room for a live one."""
        forgotten = None
        if len(self._pillows) >= self._max_pillows:
            if sign.at_ms + self._expire_after_ms <= now.ms or not self._silent:
                return Received("over-limit")
            forgotten = self.remove(next(iter(self._silent)))  # a live state is shown as it came
        presence = PillowPresence(sign.at_ms, self._connection)
        presence.reconnect(self._expire_after_ms, now.ms)
        change = self._show(update, presence, now)
        return Received("taken", (change,) if forgotten is None else (forgotten, change))

    def _renew(
        self,
        update: Update,
        not_newer: NotNewer,
        presence: PillowPresence,
        sign: SignOfLife,
        now: Instant,
    ) -> Change | None:
        """Take a state that is not newer as a sign of life, if it is one."""
        known = self._store.newest(update.pillow)
        assert known is not None, f"{update.pillow} is present without a state"
        if sign.at_ms <= presence.last_seen_ms or not _is_sign(update, known, not_newer, sign):
            return None
        is_marked = sign.clock_is_behind and not presence.clock_is_behind
        presence.clock_is_behind |= sign.clock_is_behind
        presence.last_seen_ms = sign.at_ms
        presence.is_offline = False
        wakes = presence.reconnect(self._expire_after_ms, now.ms)
        if not presence.is_connected:
            return None
        if not (wakes or is_marked) and now.ms - presence.shown_ms < REPEAT_AFTER_MS:
            return None
        newest = update if not_newer == "repeated" else known
        return self._show(newest, presence, now, is_news=wakes)

    def _is_far_older(self, update: Update) -> bool:
        """Return whether a state is older than the newest one by more than a clock may differ.

        A pillow that was always behind sends newer states, and those need no mark.
        """
        known = self._store.newest(update.pillow)
        return known is not None and (known.order[0] - update.order[0] > MAX_CLOCK_SKEW_MS * 1000)

    def _expire(self, pillow: str, now: Instant) -> Change | None:
        presence, update = self._pillows[pillow].copy(), self._store.newest(pillow)
        assert update is not None, f"{pillow} has a deadline but no state"
        if presence.connection < self._confirmed_since and presence.reconnect(
            self._expire_after_ms, now.ms
        ):
            return self.remove(pillow)
        if update.state == NOT_CONNECTED:
            # A pillow that reported `notconnected` itself looks the same to clients as before.
            presence.reconnect(self._expire_after_ms, now.ms)
            self._commit(pillow, presence)
            return None
        return self._show_if_reconnected(update, presence, now)

    def _show_if_reconnected(
        self, update: Update, presence: PillowPresence, now: Instant
    ) -> Change | None:
        if presence.reconnect(self._expire_after_ms, now.ms):
            return self._show(update, presence, now)
        self._commit(update.pillow, presence)
        return None

    def _commit(self, pillow: str, presence: PillowPresence) -> None:
        """Change what is known of a pillow, and schedule its expiry."""
        self._pillows[pillow] = presence
        if presence.is_connected:
            self._silent.pop(pillow, None)
            self._schedule.schedule(pillow, presence.last_seen_ms + self._expire_after_ms)
        else:
            self._silent.setdefault(pillow)

    def _show(
        self, update: Update, presence: PillowPresence, now: Instant, *, is_news: bool = True
    ) -> Change:
        """Put the newest state into the store and, if it is news, into the history."""
        since_ms = None
        if not presence.is_connected:
            silent_ms = max(0, now.ms - presence.last_seen_ms - self._expire_after_ms)
            since_ms = now.wall_ms - (0 if presence.is_offline else silent_ms)
        change = self._store.put(update, since_ms, clock_is_behind=presence.clock_is_behind)
        presence.shown_ms = now.ms
        self._commit(update.pillow, presence)
        if is_news:
            assert change.payload is not None, f"{update.pillow} was put as a removal"
            self._history.append(update.pillow, change.payload)
        return change


def _is_sign(update: Update, known: Update, not_newer: NotNewer, sign: SignOfLife) -> bool:
    """Return whether a state that is not newer than `known` shows that its pillow is awake."""
    if not_newer == "older":
        return not sign.is_retained
    if update.queued_ms is None and update.published_ms is None:
        return not sign.is_retained
    return update.is_later_sign_of_life(known)
