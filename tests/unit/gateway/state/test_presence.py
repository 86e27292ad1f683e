"""Presence against a plain model of when each pillow was last seen."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.states import NOT_CONNECTED
from contract.updates import Update
from gateway.state.history import History
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import Change, StateStore
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, fields, pillows, update, updates

EXPIRE_MS = 100
NOW = EPOCH_MS


class Tracked:
    """A presence tracker with the store and the history that it writes."""

    def __init__(self, *, expire_after_ms: int = EXPIRE_MS) -> None:
        self.store = StateStore("ep")
        self.history = History(1 << 20)
        self.presence = PresenceTracker(self.store, self.history, expire_after_ms=expire_after_ms)

    def receive(self, given: Update, *, now: int = NOW, retained: bool = False) -> Change:
        """Receive a state that is a sign of life from now."""
        change = self.presence.receive(given, last_seen_ms=now, now_ms=now, retained=retained)
        assert isinstance(change, Change)
        return change

    def shown(self, pillow: str = "cloud-1") -> dict[str, object]:
        """Return the fields of what clients see of a pillow."""
        payload = self.store.state(pillow)
        assert payload is not None
        return fields(payload)


@pytest.fixture
def tracked() -> Tracked:
    return Tracked()


class PresenceMachine(RuleBasedStateMachine):
    """States, availability, silence, removals and lost brokers in any order."""

    @initialize()
    def start(self) -> None:
        self.tracked = Tracked()
        self.presence = self.tracked.presence
        self.now = NOW
        self.newest: dict[str, Update] = {}
        self.last_seen: dict[str, int] = {}
        self.offline: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.published: list[bytes] = []

    @rule(given=updates, waited=st.integers(0, 150), retained=st.booleans())
    def state(self, given: Update, waited: int, retained: bool) -> None:
        seen = self.now - waited
        known = self.newest.get(given.pillow)
        outcome = self.presence.receive(
            given, last_seen_ms=seen, now_ms=self.now, retained=retained
        )
        self.unconfirmed.discard(given.pillow)
        if known is not None and (given.order < known.order or given.is_duplicate_of(known)):
            assert outcome in ("older", "repeated")
            return
        assert isinstance(outcome, Change)
        self.newest[given.pillow] = given
        self.last_seen[given.pillow] = max(seen, self.last_seen.get(given.pillow, seen))
        if not retained:
            self.offline.discard(given.pillow)
        self.note(outcome)
        assert outcome.payload is not None
        if given.pillow not in self.offline and self.alive(given.pillow):
            assert outcome.payload == given.payload
        else:
            assert fields(outcome.payload)["state"] == NOT_CONNECTED

    @rule(pillow=pillows, online=st.booleans())
    def availability(self, pillow: str, online: bool) -> None:
        (self.offline.discard if online else self.offline.add)(pillow)
        change = self.presence.set_availability(pillow, online, self.now)
        if change is not None:
            assert pillow in self.newest
            self.note(change)

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.presence.remove(pillow)
        assert (change is not None) == (pillow in self.newest)
        self.forget(pillow)

    @rule(by=st.integers(0, 160))
    def time_passes(self, by: int) -> None:
        self.now += by
        before = {pillow: self.tracked.store.state(pillow) for pillow in self.newest}
        for change in self.presence.expire(self.now):
            assert not self.alive(change.pillow), "expired early"
            if change.payload is None:
                assert change.pillow in self.unconfirmed
                self.forget(change.pillow)
                continue
            assert fields(change.payload)["last"] == self.newest[change.pillow].state
            assert before.pop(change.pillow) != change.payload
            self.note(change)
        for pillow in self.newest:
            if not self.alive(pillow):
                assert self.tracked.shown(pillow)["state"] == NOT_CONNECTED, "expired late"
        assert self.presence.expire(self.now) == []
        due = self.presence.next_deadline_ms()
        assert due is None or due > self.now

    @rule()
    def broker_is_lost(self) -> None:
        self.presence.mark_unconfirmed()
        self.unconfirmed = set(self.newest)

    @rule()
    def broker_returns(self) -> None:
        for pillow in self.newest:
            # A pillow that reports notconnected itself looks the same connected or not.
            if self.presence._pillows[pillow].is_connected:
                self.last_seen[pillow] = self.now
        for change in self.presence.reconcile(self.now):
            assert change.payload is None
            assert change.pillow in self.unconfirmed
            self.forget(change.pillow)

    def alive(self, pillow: str) -> bool:
        return self.last_seen[pillow] + EXPIRE_MS > self.now

    def note(self, change: Change) -> None:
        assert change.payload is not None
        self.published.append(change.payload)

    def forget(self, pillow: str) -> None:
        self.newest.pop(pillow, None)
        self.last_seen.pop(pillow, None)
        self.unconfirmed.discard(pillow)

    @invariant()
    def a_pillow_is_shown_with_its_newest_state(self) -> None:
        assert len(self.tracked.store) == len(self.newest)
        for pillow, newest in self.newest.items():
            seen = self.tracked.shown(pillow)
            assert seen["at"] == fields(newest.payload)["at"], "it went backwards"
            if seen["state"] != newest.state:
                assert seen["state"] == NOT_CONNECTED
                assert seen["last"] == newest.state

    @invariant()
    def the_history_has_every_state_that_clients_saw(self) -> None:
        kept = {pillow: self.tracked.history.states(pillow) for pillow in set(self.pillows_seen())}
        assert sum(map(len, kept.values())) == len(self.published)
        assert sorted(state for states in kept.values() for state in states) == sorted(
            self.published
        )

    def pillows_seen(self) -> list[str]:
        return [str(fields(state)["pillow"]) for state in self.published]


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
    assert [one.pillow for one in tracked.presence.expire(NOW + expire_after_ms)] == ["stays"]


def test_a_pillow_expires_once_exactly_at_its_deadline(tracked: Tracked) -> None:
    """Not a millisecond early, and not twice."""
    tracked.receive(update())

    assert tracked.presence.expire(NOW + EXPIRE_MS - 1) == []
    (change,) = tracked.presence.expire(NOW + EXPIRE_MS)
    assert change.payload is not None
    assert fields(change.payload) == {
        "pillow": "cloud-1",
        "state": "notconnected",
        "at": "2023-11-14T22:13:20.000Z",
        "seq": 0,
        "last": "hugging",
        "since": "2023-11-14T22:13:20.100Z",
    }
    assert tracked.presence.expire(NOW + 10 * EXPIRE_MS) == []
    assert tracked.presence.next_deadline_ms() is None


def test_a_state_that_waited_long_in_the_queue_does_not_bring_expiry_forward(
    tracked: Tracked,
) -> None:
    """The pillow was seen at `NOW`; a later state that waited does not make that older."""
    tracked.receive(update(at=0))
    tracked.presence.receive(update(at=1), last_seen_ms=NOW - 90, now_ms=NOW + 5, retained=False)

    assert tracked.shown()["state"] == "hugging"
    assert tracked.presence.expire(NOW + EXPIRE_MS - 1) == []
    assert len(tracked.presence.expire(NOW + EXPIRE_MS)) == 1


def test_silence_while_the_broker_was_away_does_not_count(tracked: Tracked) -> None:
    """From its return each pillow has the whole expiry time again."""
    tracked.receive(update())
    tracked.presence.reconcile(NOW + 10 * EXPIRE_MS)

    assert tracked.presence.expire(NOW + 11 * EXPIRE_MS - 1) == []
    assert len(tracked.presence.expire(NOW + 11 * EXPIRE_MS)) == 1


def test_reconcile_does_not_reconnect_an_expired_pillow(tracked: Tracked) -> None:
    """A pillow that had expired before the broker was lost stays expired."""
    tracked.receive(update())
    tracked.presence.expire(NOW + EXPIRE_MS)
    tracked.presence.reconcile(NOW + 2 * EXPIRE_MS)

    assert tracked.shown()["state"] == NOT_CONNECTED
    assert tracked.presence.next_deadline_ms() is None


def test_an_expired_pillow_that_is_no_longer_retained_is_removed(tracked: Tracked) -> None:
    """It was removed at the broker while the gateway was not connected."""
    tracked.receive(update())
    tracked.presence.expire(NOW + EXPIRE_MS)
    tracked.presence.mark_unconfirmed()

    removed = tracked.presence.reconcile(NOW + 2 * EXPIRE_MS)

    assert [(change.pillow, change.payload) for change in removed] == [("cloud-1", None)]
    assert tracked.store.state("cloud-1") is None


def test_a_pillow_that_is_no_longer_retained_stays_while_it_reports(tracked: Tracked) -> None:
    """A broker that died may have lost what it had not saved."""
    tracked.receive(update())
    tracked.presence.mark_unconfirmed()
    assert tracked.presence.reconcile(NOW + 1) == []
    tracked.receive(update(at=2), now=NOW + 2)

    changes = tracked.presence.expire(NOW + 1 + 2 * EXPIRE_MS)

    assert [change.payload is None for change in changes] == [False]


def test_a_pillow_that_is_no_longer_retained_is_removed_when_it_expires(tracked: Tracked) -> None:
    """Neither the broker nor the pillow confirmed it."""
    tracked.receive(update())
    tracked.presence.mark_unconfirmed()
    tracked.presence.reconcile(NOW + 1)

    changes = tracked.presence.expire(NOW + 1 + EXPIRE_MS)

    assert [change.payload for change in changes] == [None]
    assert len(tracked.store) == 0


def test_offline_is_shown_at_once_until_the_pillow_reports_again(tracked: Tracked) -> None:
    """The broker publishes the last will; a new state is newer than that."""
    tracked.receive(update(at=0))

    change = tracked.presence.set_availability("cloud-1", False, NOW + 7)
    assert change is not None
    assert tracked.shown()["last"] == "hugging"
    assert tracked.shown()["since"] == "2023-11-14T22:13:20.007Z"
    assert tracked.presence.set_availability("cloud-1", False, NOW + 8) is None
    tracked.receive(update(at=1), now=NOW + 9)
    assert tracked.shown()["state"] == "hugging"


def test_a_retained_state_does_not_overrule_offline(tracked: Tracked) -> None:
    """Which of the two retained messages is older is not known."""
    assert tracked.presence.set_availability("cloud-1", False, NOW) is None
    tracked.receive(update(), retained=True)

    assert tracked.shown()["state"] == NOT_CONNECTED
    change = tracked.presence.set_availability("cloud-1", True, NOW)
    assert change is not None
    assert tracked.shown()["state"] == "hugging"


def test_online_does_not_show_an_expired_state_as_live(tracked: Tracked) -> None:
    """A pillow that is online but has not reported for the expiry time is not live."""
    tracked.receive(update())
    tracked.presence.set_availability("cloud-1", False, NOW)

    assert tracked.presence.set_availability("cloud-1", True, NOW + EXPIRE_MS) is None
    assert tracked.shown()["state"] == NOT_CONNECTED


def test_a_pillow_that_reports_notconnected_does_not_expire_again(tracked: Tracked) -> None:
    """Clients would see no difference."""
    tracked.receive(update(state="notconnected", battery=0.1))

    assert tracked.presence.expire(NOW + EXPIRE_MS) == []
    assert tracked.shown()["battery"] == 0.1


def test_an_unknown_pillow_cannot_be_removed(tracked: Tracked) -> None:
    """None, not an error; nothing is published."""
    assert tracked.presence.remove("cloud-1") is None
    assert tracked.store.cursor.offset == 0


def test_a_pillow_expires_in_time_after_the_clock_was_set_back(tracked: Tracked) -> None:
    """Its deadline follows the clock; it would be shown as live for an hour otherwise."""
    tracked.receive(update(at=0), now=NOW + 3_600_000)
    tracked.receive(update(at=1), now=NOW)

    assert tracked.presence.expire(NOW + EXPIRE_MS - 1) == []
    assert len(tracked.presence.expire(NOW + EXPIRE_MS)) == 1
    assert tracked.shown()["state"] == NOT_CONNECTED
