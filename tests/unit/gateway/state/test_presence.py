"""Presence against a plain model of when each pillow was last seen."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.cursors import Cursor
from contract.states import NOT_CONNECTED
from contract.updates import Update
from gateway.state.history import History
from gateway.state.presence import (
    FORGET_AFTER_MS,
    REPEAT_AFTER_MS,
    Instant,
    PresenceTracker,
    Received,
    SignOfLife,
)
from gateway.state.state_store import Change, StateStore
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, fields, pillows, update, updates

EXPIRE_MS = 100
NOW = EPOCH_MS
WALL = 3_600_000


def at(ms: int) -> Instant:
    """Return an instant; the wall clock shows another time than the reachable time."""
    return Instant(ms, ms + WALL)


class Tracked:
    """A presence tracker with the store and the history that it writes."""

    def __init__(self, *, expire_after_ms: int = EXPIRE_MS, max_pillows: int = 1000) -> None:
        self.store = StateStore("ep")
        self.history = History(1 << 20)
        self.presence = PresenceTracker(
            self.store, self.history, expire_after_ms=expire_after_ms, max_pillows=max_pillows
        )

    def receive(
        self, given: Update, *, now: int = NOW, retained: bool = False, behind: bool = False
    ) -> Received:
        """Receive a state that is a sign of life from now."""
        return self.presence.receive(given, SignOfLife(now, retained, behind), at(now))

    def expire(self, now: int) -> list[Change]:
        """Return the changes of the pillows that expire."""
        return [change for change in self.presence.expire(at(now)) if change is not None]

    def reconcile(self) -> list[Change]:
        """Return the changes of the pillows that are no longer retained."""
        return [change for change in self.presence.reconcile() if change is not None]

    def shown(self, pillow: str = "cloud-1") -> dict[str, object]:
        """Return the fields of what clients see of a pillow."""
        payload = self.store.state(pillow)
        assert payload is not None
        return fields(payload)


@pytest.fixture
def tracked() -> Tracked:
    return Tracked()


class PresenceMachine(RuleBasedStateMachine):
    """States, availability, silence, removals, resumption and lost brokers in any order.

    The wall clock is set at random, which nothing but `since` may notice.
    """

    @initialize()
    def start(self) -> None:
        self.tracked = Tracked()
        self.presence = self.tracked.presence
        self.ms = 0
        self.wall_ms = NOW
        self.newest: dict[str, Update] = {}
        self.last_seen: dict[str, int] = {}
        self.offline: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.away: list[tuple[Cursor, dict[str, tuple[int, int]]]] = []

    @property
    def now(self) -> Instant:
        return Instant(self.ms, self.wall_ms)

    @rule(given=updates, waited=st.integers(0, 150), retained=st.booleans())
    def state(self, given: Update, waited: int, retained: bool) -> None:
        seen = self.ms - waited
        known = self.newest.get(given.pillow)
        outcome, changes, _ = self.presence.receive(given, SignOfLife(seen, retained), self.now)
        self.unconfirmed.discard(given.pillow)
        if known is not None and (given.order < known.order or given.is_duplicate_of(known)):
            assert outcome in ("older", "repeated", "sign-of-life")
            assert (outcome == "sign-of-life") == bool(changes)
            if not retained and seen > self.last_seen[given.pillow]:
                self.last_seen[given.pillow] = seen
                self.offline.discard(given.pillow)
            self.is_shown_as_it_is(given.pillow)
            return
        assert outcome == "taken"
        self.newest[given.pillow] = given
        self.last_seen[given.pillow] = max(seen, self.last_seen.get(given.pillow, seen))
        if not retained or seen + EXPIRE_MS > self.ms:
            self.offline.discard(given.pillow)
        (change,) = changes
        assert change.payload is not None
        self.is_shown_as_it_is(given.pillow)

    @rule(pillow=pillows, online=st.booleans(), retained=st.booleans())
    def availability(self, pillow: str, online: bool, retained: bool) -> None:
        change = self.presence.set_availability(pillow, online, self.now, retained=retained)
        if pillow not in self.newest:
            assert change is None
            return
        if online:
            self.offline.discard(pillow)
        elif not retained:
            self.offline.add(pillow)
        self.is_shown_as_it_is(pillow)

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.presence.remove(pillow)
        assert (change is not None) == (pillow in self.newest)
        self.drop(pillow)

    @rule(pillow=pillows, ago=st.integers(0, 200))
    def age_is_corrected(self, pillow: str, ago: int) -> None:
        if pillow in self.newest:
            self.presence.correct(self.newest[pillow], self.ms - ago, self.now)
            newest = self.tracked.store.newest(pillow)
            if newest is self.newest[pillow]:
                self.last_seen[pillow] = self.ms - ago
            self.is_shown_as_it_is(pillow)

    @rule(by=st.integers(0, 160))
    def time_passes(self, by: int) -> None:
        self.ms += by
        self.wall_ms += by
        for change in self.presence.expire(self.now):
            if change is not None and change.payload is None:
                assert change.pillow in self.unconfirmed
                assert not self.alive(change.pillow)
                self.drop(change.pillow)
        for pillow in self.newest:
            self.is_shown_as_it_is(pillow)
        assert not any(self.presence.expire(self.now))
        due = self.presence.next_deadline_ms()
        assert due is None or due > self.ms

    @rule(by=st.sampled_from((-3_600_000, 3_600_000, 7_200_000)))
    def wall_clock_is_set(self, by: int) -> None:
        self.wall_ms += by

    @rule()
    def client_disconnects(self) -> None:
        held = {pillow: newest.order for pillow, newest in self.newest.items()}
        self.away.append((self.tracked.store.cursor, held))

    @rule()
    def broker_is_lost(self) -> None:
        self.presence.mark_unconfirmed()
        self.unconfirmed = set(self.newest)

    @rule()
    def broker_returns(self) -> None:
        for change in self.tracked.reconcile():
            assert change.payload is None
            assert change.pillow in self.unconfirmed
            assert not self.alive(change.pillow)
            self.drop(change.pillow)

    def alive(self, pillow: str) -> bool:
        return pillow not in self.offline and self.last_seen[pillow] + EXPIRE_MS > self.ms

    def is_shown_as_it_is(self, pillow: str) -> None:
        shown = self.tracked.shown(pillow)
        newest = fields(self.newest[pillow].payload)
        if self.alive(pillow):
            assert shown == newest
        else:
            assert shown["state"] == NOT_CONNECTED

    def drop(self, pillow: str) -> None:
        self.newest.pop(pillow, None)
        self.last_seen.pop(pillow, None)
        self.offline.discard(pillow)
        self.unconfirmed.discard(pillow)

    @invariant()
    def a_pillow_is_shown_with_its_newest_state(self) -> None:
        assert len(self.tracked.store) == len(self.newest)
        for pillow, newest in self.newest.items():
            seen = self.tracked.shown(pillow)
            assert seen["at"] == fields(newest.payload)["at"], "it went backwards"

    @invariant()
    def a_client_that_resumes_ends_at_the_newest_states(self) -> None:
        """It discards a state that is older than the one it holds, as browsers do."""
        newest = {pillow: update.order for pillow, update in self.newest.items()}
        for cursor, held in self.away:
            if not self.tracked.store.covers(cursor):
                continue
            states = dict(held)
            for change in self.tracked.store.changes_after(cursor.offset):
                if change.payload is None:
                    states.pop(change.pillow, None)
                else:
                    known = states.get(change.pillow)
                    arrived = self.newest[change.pillow].order
                    states[change.pillow] = arrived if known is None else max(known, arrived)
            assert states == newest


TestPresence = PresenceMachine.TestCase
TestPresence.settings = settings(max_examples=examples(60), stateful_step_count=40)


@pytest.mark.parametrize("expire_after_ms", [EXPIRE_MS, 86_400_000])
def test_removed_pillows_leave_no_deadlines_behind(expire_after_ms: int) -> None:
    """However long the expiry is, deadlines are bounded by the pillows there are."""
    tracked = Tracked(expire_after_ms=expire_after_ms)
    tracked.receive(update("stays"))
    for number in range(5_000):
        tracked.receive(update("churn", at=number))
        tracked.presence.remove("churn")

    assert len(tracked.presence._schedule) == 1
    assert [one.pillow for one in tracked.expire(NOW + expire_after_ms)] == ["stays"]


def test_a_pillow_expires_once_exactly_at_its_deadline(tracked: Tracked) -> None:
    """Not a millisecond early, and not twice."""
    tracked.receive(update())

    assert tracked.expire(NOW + EXPIRE_MS - 1) == []
    (change,) = tracked.expire(NOW + EXPIRE_MS)
    assert change.payload is not None
    assert fields(change.payload) == {
        "pillow": "cloud-1",
        "state": "notconnected",
        "at": "2023-11-14T22:13:20.000Z",
        "seq": 0,
        "last": "hugging",
        "since": "2023-11-14T23:13:20.100Z",
    }
    assert tracked.expire(NOW + 10 * EXPIRE_MS) == []
    assert tracked.presence.next_deadline_ms() is None


def test_a_state_that_waited_long_in_the_queue_does_not_bring_expiry_forward(
    tracked: Tracked,
) -> None:
    """The pillow was seen at `NOW`; a later state that waited does not make that older."""
    tracked.receive(update(at=0))
    tracked.presence.receive(update(at=1), SignOfLife(NOW - 90), at(NOW + 5))

    assert tracked.shown()["state"] == "hugging"
    assert tracked.expire(NOW + EXPIRE_MS - 1) == []
    assert len(tracked.expire(NOW + EXPIRE_MS)) == 1


def test_reconcile_does_not_reconnect_an_expired_pillow(tracked: Tracked) -> None:
    """A pillow that had expired before the broker was lost stays expired."""
    tracked.receive(update())
    tracked.expire(NOW + EXPIRE_MS)
    tracked.reconcile()

    assert tracked.shown()["state"] == NOT_CONNECTED
    assert tracked.presence.next_deadline_ms() is None


def test_an_expired_pillow_that_is_no_longer_retained_is_removed(tracked: Tracked) -> None:
    """It was removed at the broker while the gateway was not connected."""
    tracked.receive(update())
    tracked.expire(NOW + EXPIRE_MS)
    tracked.presence.mark_unconfirmed()

    removed = tracked.reconcile()

    assert [(change.pillow, change.payload) for change in removed] == [("cloud-1", None)]
    assert tracked.store.state("cloud-1") is None


def test_a_pillow_that_is_no_longer_retained_stays_while_it_reports(tracked: Tracked) -> None:
    """A broker that died may have lost what it had not saved."""
    tracked.receive(update())
    tracked.presence.mark_unconfirmed()
    assert tracked.reconcile() == []
    tracked.receive(update(at=2), now=NOW + 2)

    changes = tracked.expire(NOW + 1 + 2 * EXPIRE_MS)

    assert [change.payload is None for change in changes] == [False]


def test_a_pillow_that_is_no_longer_retained_is_removed_when_it_expires(tracked: Tracked) -> None:
    """Neither the broker nor the pillow confirmed it."""
    tracked.receive(update())
    tracked.presence.mark_unconfirmed()
    tracked.reconcile()

    changes = tracked.expire(NOW + 1 + EXPIRE_MS)

    assert [change.payload for change in changes] == [None]
    assert len(tracked.store) == 0


def test_offline_is_shown_at_once_until_the_pillow_reports_again(tracked: Tracked) -> None:
    """The broker publishes the last will; a new state is newer than that."""
    tracked.receive(update(at=0))

    change = tracked.presence.set_availability("cloud-1", False, at(NOW + 7))
    assert change is not None
    assert tracked.shown()["last"] == "hugging"
    assert tracked.shown()["since"] == "2023-11-14T23:13:20.007Z"
    assert tracked.presence.set_availability("cloud-1", False, at(NOW + 8)) is None
    tracked.receive(update(at=1), now=NOW + 9)
    assert tracked.shown()["state"] == "hugging"


def test_online_does_not_show_an_expired_state_as_live(tracked: Tracked) -> None:
    """A pillow that is online but has not reported for the expiry time is not live."""
    tracked.receive(update())
    tracked.presence.set_availability("cloud-1", False, at(NOW))

    assert tracked.presence.set_availability("cloud-1", True, at(NOW + EXPIRE_MS)) is None
    assert tracked.shown()["state"] == NOT_CONNECTED


def test_a_pillow_that_reports_notconnected_does_not_expire_again(tracked: Tracked) -> None:
    """Clients would see no difference."""
    tracked.receive(update(state="notconnected", battery=0.1))

    assert tracked.expire(NOW + EXPIRE_MS) == []
    assert tracked.shown()["battery"] == 0.1


def test_an_unknown_pillow_cannot_be_removed(tracked: Tracked) -> None:
    """None, not an error; nothing is published."""
    assert tracked.presence.remove("cloud-1") is None
    assert tracked.store.cursor.offset == 0


def test_a_retained_offline_does_not_hide_a_fresh_state(tracked: Tracked) -> None:
    """A broker publishes the last will of a dead connection after the pillow is back."""
    tracked.receive(update(), retained=True)

    assert tracked.presence.set_availability("cloud-1", False, at(NOW), retained=True) is None
    assert tracked.shown()["state"] == "hugging"
    assert len(tracked.expire(NOW + EXPIRE_MS)) == 1


def test_a_newer_retained_state_ends_offline(tracked: Tracked) -> None:
    """The pillow reported after its last will, while the gateway was not connected."""
    tracked.receive(update(at=0))
    tracked.presence.set_availability("cloud-1", False, at(NOW))
    tracked.receive(update(at=1), now=NOW + 1, retained=True)

    assert tracked.shown()["state"] == "hugging"


def test_the_availability_of_unknown_pillows_is_not_kept(tracked: Tracked) -> None:
    """Ids that somebody makes up cost no memory."""
    for number in range(1000):
        tracked.presence.set_availability(f"p{number}", False, at(NOW))

    assert not tracked.presence._pillows
    assert not tracked.presence._silent


def test_the_same_state_with_later_hops_wakes_a_pillow(tracked: Tracked) -> None:
    """A poller publishes the newest state again when a message with an older one arrives."""
    tracked.receive(update(hops={"queued": NOW, "published": NOW}))
    tracked.expire(NOW + EXPIRE_MS)
    again = update(hops={"queued": NOW + 500, "published": NOW + 501})

    outcome, changes, _ = tracked.receive(again, now=NOW + 500)

    assert outcome == "sign-of-life"
    assert [change.payload for change in changes] == [again.payload]


def test_a_state_that_is_published_again_after_a_loss_wakes_nobody(tracked: Tracked) -> None:
    """It has the hop of the same message, so it tells nothing new of its pillow."""
    tracked.receive(update(hops={"queued": NOW, "published": NOW}))
    tracked.expire(NOW + EXPIRE_MS)
    again = update(hops={"queued": NOW, "published": NOW + 500})

    assert tracked.receive(again, now=NOW + 500) == Received("repeated")
    assert tracked.shown()["state"] == NOT_CONNECTED


def test_an_older_state_that_has_just_been_published_wakes_a_pillow(tracked: Tracked) -> None:
    """Its clock is behind; clients see the newest state, and that the clock is wrong."""
    newest = update(at=7_200_000)
    tracked.receive(newest)
    tracked.expire(NOW + EXPIRE_MS)

    received = tracked.receive(update(state="spinning"), now=NOW + 500, behind=True)

    assert (received.outcome, received.clock_is_behind) == ("sign-of-life", True)
    assert tracked.shown() == {**fields(newest.payload), "clock": "behind"}
    tracked.receive(update(at=7_200_001), now=NOW + 501)
    assert tracked.shown() == fields(update(at=7_200_001).payload)


def test_a_pillow_that_was_always_behind_is_not_marked(tracked: Tracked) -> None:
    """A state that is older by little was overtaken on its way."""
    tracked.receive(update(at=1000))

    assert tracked.receive(update(), now=NOW + 1, behind=True) == Received("older")


def test_an_older_retained_state_wakes_nobody(tracked: Tracked) -> None:
    """The broker may have kept it for days."""
    tracked.receive(update(at=1000))
    tracked.expire(NOW + EXPIRE_MS)

    assert tracked.receive(update(), now=NOW + 500, retained=True) == Received("older")


def test_signs_of_life_are_sent_to_clients_at_intervals() -> None:
    """Clients see that the pillow is awake, at a bounded rate, and the history is not filled."""
    tracked = Tracked(expire_after_ms=30_000)
    tracked.receive(update(at=1000))
    sent = 0
    for second in range(1, 41):
        outcome, _, _ = tracked.receive(update(at=second), now=NOW + second * 1000)
        sent += outcome == "sign-of-life"
        assert tracked.shown()["state"] == "hugging"

    assert sent == 40_000 // REPEAT_AFTER_MS
    assert len(tracked.history.states("cloud-1")) == 1


def test_at_the_limit_a_new_pillow_replaces_the_longest_silent_one() -> None:
    """Made-up ids fall silent, and make room for pillows that report."""
    tracked = Tracked(max_pillows=3)
    for number in range(3):
        tracked.receive(update(f"p{number}"), now=NOW + number)
    assert tracked.receive(update("p3"), now=NOW + 3) == Received("over-limit")
    tracked.expire(NOW + EXPIRE_MS + 1)

    outcome, changes, _ = tracked.receive(update("p3"), now=NOW + EXPIRE_MS + 1)

    assert outcome == "taken"
    assert [(change.pillow, change.payload is None) for change in changes] == [
        ("p0", True),
        ("p3", False),
    ]
    assert len(tracked.store) == len(tracked.presence._pillows) == 3


def test_at_the_limit_an_old_retained_state_replaces_nothing() -> None:
    """Else the retained states of many silent pillows would replace each other."""
    tracked = Tracked(max_pillows=1)
    tracked.presence.receive(update("a"), SignOfLife(NOW - EXPIRE_MS, True), at(NOW))

    received = tracked.presence.receive(update("b"), SignOfLife(NOW - EXPIRE_MS, True), at(NOW))

    assert received == Received("over-limit")


def test_a_pillow_that_is_silent_for_a_week_is_removed(tracked: Tracked) -> None:
    """As the broker drops its state then."""
    tracked.receive(update())
    tracked.expire(NOW + EXPIRE_MS)

    assert list(tracked.presence.forget(at(NOW + FORGET_AFTER_MS - 1))) == []
    assert len(list(tracked.presence.forget(at(NOW + FORGET_AFTER_MS)))) == 1
    assert len(tracked.store) == 0


def test_a_walk_ends_when_the_broker_is_lost_again(tracked: Tracked) -> None:
    """Then none of the pillows is confirmed, which says nothing about them."""
    for number in range(3):
        tracked.receive(update(f"p{number}"))
    tracked.expire(NOW + EXPIRE_MS)
    tracked.presence.mark_unconfirmed()
    walk = tracked.presence.reconcile()
    assert next(walk) is not None
    tracked.presence.mark_unconfirmed()

    assert list(walk) == []
    assert len(tracked.store) == 2


def test_nothing_counts_as_removed_where_the_broker_delivers_no_retained_states(
    tracked: Tracked,
) -> None:
    """An expired pillow stays after the connection was lost and is back, and a live one expires."""
    tracked.receive(update("cloud-1"))
    tracked.expire(NOW + EXPIRE_MS)
    tracked.receive(update("cloud-2"), now=NOW + EXPIRE_MS)
    tracked.presence.mark_unconfirmed()
    tracked.presence.confirm_all()

    assert tracked.reconcile() == []
    changes = tracked.expire(NOW + 2 * EXPIRE_MS)
    assert [(change.pillow, change.payload is None) for change in changes] == [("cloud-2", False)]
    assert tracked.shown("cloud-1")["state"] == NOT_CONNECTED
    tracked.presence.mark_unconfirmed()
    assert len(tracked.reconcile()) == 2
