"""The store, against a plain model of what it promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.cursors import Cursor
from contract.states import NOT_CONNECTED
from contract.updates import Update
from gateway.state.state_store import _ENTRY_OVERHEAD_BYTES, MAX_TOMBSTONES, Change, StateStore
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, PILLOWS, fields, pillows, update, updates

EXPIRE_MS = 100
NOW = EPOCH_MS


def make(*, expire_after_ms: int = EXPIRE_MS, history_bytes: int = 1 << 20) -> StateStore:
    return StateStore("ep", expire_after_ms=expire_after_ms, history_bytes=history_bytes)


def receive(store: StateStore, given: Update, *, now: int = NOW, live: bool = True) -> Change:
    change = store.receive(given, heard_ms=now, now_ms=now, live=live)
    assert isinstance(change, Change)
    return change


def shown(store: StateStore, pillow: str = "cloud-1") -> dict[str, object]:
    payload = store.state(pillow)
    assert payload is not None
    return fields(payload)


class Visitor:
    """A browser: what it holds after having applied what it was given."""

    def __init__(self, states: dict[str, bytes], cursor: Cursor) -> None:
        self.states = states
        self.cursor = cursor

    @classmethod
    def join(cls, store: StateStore) -> "Visitor":
        """Begin with a whole snapshot."""
        return cls({str(fields(state)["pillow"]): state for state in store.states()}, store.cursor)

    def resume(self, store: StateStore) -> None:
        """Catch up from the cursor, as a covered one may."""
        for change in store.after(self.cursor.offset):
            self.apply(change)
        self.cursor = store.cursor

    def apply(self, change: Change) -> None:
        """Take in one change."""
        assert change.offset > self.cursor.offset, "an offset went backwards"
        if change.payload is None:
            self.states.pop(change.pillow, None)
        else:
            self.states[change.pillow] = change.payload
        self.cursor = Cursor(self.cursor.epoch, change.offset)


class StateStoreMachine(RuleBasedStateMachine):
    """Any sequence of what can happen, compared with what should be known after it."""

    @initialize(budget=st.sampled_from((0, 700, 3000, 1 << 20)))
    def begin(self, budget: int) -> None:
        self.budget = budget
        self.store = make(history_bytes=budget)
        self.now = NOW
        self.newest: dict[str, Update] = {}
        self.heard: dict[str, int] = {}
        self.offline: set[str] = set()
        self.log: list[Change] = []
        self.kept: list[tuple[str, bytes]] = []
        self.always = Visitor.join(self.store)
        self.away: list[Visitor] = []

    @rule(
        given=updates,
        waited=st.integers(0, 150),
        live=st.booleans(),
    )
    def state(self, given: Update, waited: int, live: bool) -> None:
        heard = self.now - waited
        known = self.newest.get(given.pillow)
        outcome = self.store.receive(given, heard_ms=heard, now_ms=self.now, live=live)
        if known is not None and given.order < known.order:
            assert outcome == "older"
        elif known is not None and given.is_duplicate_of(known):
            assert outcome == "repeated"
        else:
            assert isinstance(outcome, Change)
            self.newest[given.pillow] = given
            self.heard[given.pillow] = max(heard, self.heard.get(given.pillow, heard))
            if live:
                self.offline.discard(given.pillow)
            self.note(outcome)
            connected = given.pillow not in self.offline and self.alive(given.pillow)
            if connected:
                assert outcome.payload == given.payload
            else:
                assert outcome.payload is not None
                assert fields(outcome.payload)["state"] == NOT_CONNECTED

    @rule(pillow=pillows, online=st.booleans())
    def availability(self, pillow: str, online: bool) -> None:
        (self.offline.discard if online else self.offline.add)(pillow)
        change = self.store.set_availability(pillow, online, self.now)
        if change is not None:
            assert pillow in self.newest
            self.note(change)

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.store.remove(pillow)
        assert (change is not None) == (pillow in self.newest)
        if change is not None:
            assert change.payload is None
            del self.newest[pillow], self.heard[pillow]
            self.note(change)

    @rule(by=st.integers(0, 160))
    def time_passes(self, by: int) -> None:
        self.now += by
        before = {pillow: self.store.state(pillow) for pillow in self.newest}
        for change in self.store.expire(self.now):
            assert change.payload is not None
            assert not self.alive(change.pillow), "expired early"
            said = fields(change.payload)
            assert said["last"] == self.newest[change.pillow].state
            assert before.pop(change.pillow) != change.payload
            self.note(change)
        for pillow in self.newest:
            if not self.alive(pillow):
                assert shown(self.store, pillow)["state"] == NOT_CONNECTED, "expired late"
        assert self.store.expire(self.now) == []
        due = self.store.next_deadline_ms()
        assert due is None or due > self.now

    @rule()
    def broker_returns(self) -> None:
        for pillow in self.newest:
            # One that says notconnected itself looks the same either way: the store must tell.
            if self.store._pillows[pillow].connected:
                self.heard[pillow] = self.now
        self.store.reconcile(self.now)

    @rule()
    def someone_leaves(self) -> None:
        self.away.append(Visitor(dict(self.always.states), self.store.cursor))

    def alive(self, pillow: str) -> bool:
        return self.heard[pillow] + EXPIRE_MS > self.now

    def note(self, change: Change) -> None:
        self.log.append(change)
        self.always.apply(change)
        if change.payload is not None:
            self.kept.append((change.pillow, change.payload))
            while (
                sum(len(payload) + _ENTRY_OVERHEAD_BYTES for _, payload in self.kept) > self.budget
            ):
                self.kept.pop(0)

    @invariant()
    def offsets_count_the_changes(self) -> None:
        assert [change.offset for change in self.log] == list(range(1, len(self.log) + 1))
        assert self.store.cursor == Cursor("ep", len(self.log))

    @invariant()
    def who_joins_now_ends_equal_to_who_was_there_from_the_start(self) -> None:
        assert Visitor.join(self.store).states == self.always.states
        assert len(self.store) == len(self.always.states) == len(self.newest)
        for pillow in PILLOWS:
            assert self.store.state(pillow) == self.always.states.get(pillow)

    @invariant()
    def who_resumes_ends_equal_to_who_was_there_from_the_start(self) -> None:
        for visitor in self.away:
            assert self.store.covers(visitor.cursor)
            again = Visitor(dict(visitor.states), visitor.cursor)
            again.resume(self.store)
            assert again.states == self.always.states

    @invariant()
    def after_is_the_last_change_of_each_that_changed_in_order(self) -> None:
        for offset in {0, len(self.log) // 2, len(self.log) - 1, len(self.log)}:
            last = {change.pillow: change for change in self.log[max(0, offset) :]}
            expected = sorted(last.values(), key=lambda change: change.offset)
            assert self.store.after(offset) == expected

    @invariant()
    def history_is_exact_and_the_oldest_went_first(self) -> None:
        assert self.store.history_bytes == sum(
            len(state) + _ENTRY_OVERHEAD_BYTES for _, state in self.kept
        )
        assert self.store.history_bytes <= self.budget
        for pillow in PILLOWS:
            expected = [state for of, state in self.kept if of == pillow]
            assert self.store.history(pillow) == (expected if pillow in self.newest else None)

    @invariant()
    def deadlines_are_bounded_by_the_pillows(self) -> None:
        assert len(self.store._deadlines) <= 2 * len(self.newest) + 65

    @invariant()
    def a_pillow_is_shown_as_it_was_last_heard_of(self) -> None:
        for pillow, newest in self.newest.items():
            said = shown(self.store, pillow)
            assert said["at"] == fields(newest.payload)["at"], "it went backwards"
            if said["state"] != newest.state:
                assert said["state"] == NOT_CONNECTED
                assert said["last"] == newest.state


TestHub = StateStoreMachine.TestCase
TestHub.settings = settings(max_examples=examples(60), stateful_step_count=40)


@given(st.lists(updates, max_size=30))
def test_whatever_the_order_of_arrival_the_newest_state_is_shown(given: list[Update]) -> None:
    """Newest by (`at`, `seq`), in every permutation."""
    store = make()
    for one in given:
        store.receive(one, heard_ms=NOW, now_ms=NOW, live=True)

    for pillow in {one.pillow for one in given}:
        newest = max(one.order for one in given if one.pillow == pillow)
        payload = store.state(pillow)
        assert payload in {
            one.payload for one in given if one.pillow == pillow and one.order == newest
        }


def test_a_tie_goes_to_the_later_arrival() -> None:
    """Two different states with the same (`at`, `seq`): the last word counts."""
    store = make()
    receive(store, update(state="hugging"))
    receive(store, update(state="spinning"))

    assert shown(store)["state"] == "spinning"


def test_a_redelivery_with_other_hops_is_no_change() -> None:
    """The same state published twice by two pollers differs in its hops only."""
    store = make()
    receive(store, update(hops={"published": 1}))

    again = store.receive(update(hops={"published": 2}), heard_ms=NOW, now_ms=NOW, live=True)

    assert again == "repeated"
    assert store.cursor.offset == 1


def test_a_cursor_of_another_epoch_or_of_the_future_is_not_covered() -> None:
    """Only this process's own past can be resumed."""
    store = make()
    receive(store, update())

    assert store.covers(Cursor("ep", 0))
    assert store.covers(Cursor("ep", 1))
    assert not store.covers(Cursor("ep", 2))
    assert not store.covers(Cursor("other", 1))
    assert not store.covers(None)


def test_a_cursor_before_a_forgotten_removal_is_not_covered() -> None:
    """Who has not heard of a removal that is forgotten must begin again."""
    store = make()
    for number in range(MAX_TOMBSTONES + 1):
        receive(store, update(f"p{number}"))
    for number in range(MAX_TOMBSTONES + 1):
        store.remove(f"p{number}")
    forgotten = MAX_TOMBSTONES + 2  # the offset of the first removal

    assert not store.covers(Cursor("ep", forgotten - 1))
    assert store.covers(Cursor("ep", forgotten))
    assert len(store.after(forgotten)) == MAX_TOMBSTONES
    assert len(store.after(0)) == MAX_TOMBSTONES


def test_a_pillow_that_came_back_is_no_forgotten_removal() -> None:
    """Its old tombstone says nothing that its new state does not."""
    store = make()
    for number in range(MAX_TOMBSTONES + 1):
        receive(store, update("phoenix", at=number))
        store.remove("phoenix")
    receive(store, update("phoenix", at=MAX_TOMBSTONES + 1))

    assert store.covers(Cursor("ep", 0))
    assert [change.pillow for change in store.after(0)] == ["phoenix"]


@pytest.mark.parametrize("expire_after_ms", [EXPIRE_MS, 86_400_000])
def test_removing_and_adding_again_leaves_no_deadlines_behind(expire_after_ms: int) -> None:
    """However long an expiry takes, what waits for it is bounded by the pillows there are."""
    store = make(expire_after_ms=expire_after_ms)
    receive(store, update("stays"))
    for number in range(5_000):
        receive(store, update("churn", at=number))
        store.remove("churn")

    assert len(store._deadlines) < 100
    assert [change.pillow for change in store.expire(NOW + expire_after_ms)] == ["stays"]


def test_a_pillow_expires_once_exactly_at_its_deadline() -> None:
    """Not a millisecond early, and never twice."""
    store = make()
    receive(store, update())

    assert store.expire(NOW + EXPIRE_MS - 1) == []
    (change,) = store.expire(NOW + EXPIRE_MS)
    assert change.payload is not None
    assert fields(change.payload) == {
        "pillow": "cloud-1",
        "state": "notconnected",
        "at": "2023-11-14T22:13:20.000Z",
        "seq": 0,
        "last": "hugging",
        "since": "2023-11-14T22:13:20.100Z",
    }
    assert store.expire(NOW + 10 * EXPIRE_MS) == []
    assert store.next_deadline_ms() is None


def test_news_that_lay_long_in_the_queue_does_not_shorten_a_pillows_life() -> None:
    """It was heard at `NOW`; that a later state had to wait changes nothing about it."""
    store = make()
    receive(store, update(at=0))
    store.receive(update(at=1), heard_ms=NOW - 90, now_ms=NOW + 5, live=True)

    assert shown(store)["state"] == "hugging"
    assert store.expire(NOW + EXPIRE_MS - 1) == []
    assert len(store.expire(NOW + EXPIRE_MS)) == 1


def test_a_clock_that_was_set_back_does_not_keep_a_pillow_alive() -> None:
    """The deadline follows the clock that is asked."""
    store = make()
    receive(store, update(at=0), now=NOW + 3_600_000)
    receive(store, update(at=1), now=NOW)

    assert store._deadline(store._pillows["cloud-1"]) == NOW + EXPIRE_MS


def test_silence_while_the_broker_was_away_does_not_count() -> None:
    """From its return everyone has the whole time again."""
    store = make()
    receive(store, update())
    store.reconcile(NOW + 10 * EXPIRE_MS)

    assert store.expire(NOW + 11 * EXPIRE_MS - 1) == []
    assert len(store.expire(NOW + 11 * EXPIRE_MS)) == 1


def test_the_brokers_return_does_not_wake_who_was_silent_before() -> None:
    """A pillow that had expired is still expired."""
    store = make()
    receive(store, update())
    store.expire(NOW + EXPIRE_MS)
    store.reconcile(NOW + 2 * EXPIRE_MS)

    assert shown(store)["state"] == NOT_CONNECTED
    assert store.next_deadline_ms() is None


def test_a_silent_pillow_that_the_broker_retains_no_more_is_removed() -> None:
    """It was removed while the broker could not be heard."""
    store = make()
    receive(store, update())
    store.expire(NOW + EXPIRE_MS)
    store.mark_unconfirmed()

    gone = store.reconcile(NOW + 2 * EXPIRE_MS)

    assert [(change.pillow, change.payload) for change in gone] == [("cloud-1", None)]
    assert store.state("cloud-1") is None


def test_a_pillow_that_a_broker_forgot_stays_while_it_speaks() -> None:
    """A broker that died may have lost what it had not saved."""
    store = make()
    receive(store, update())
    store.mark_unconfirmed()
    assert store.reconcile(NOW + 1) == []
    receive(store, update(at=2), now=NOW + 2)

    changes = store.expire(NOW + 1 + 2 * EXPIRE_MS)

    assert [change.payload is None for change in changes] == [False]


def test_a_pillow_that_a_broker_forgot_goes_when_it_is_silent() -> None:
    """Then nobody knows of it any more."""
    store = make()
    receive(store, update())
    store.mark_unconfirmed()
    store.reconcile(NOW + 1)

    changes = store.expire(NOW + 1 + EXPIRE_MS)

    assert [change.payload for change in changes] == [None]
    assert len(store) == 0


def test_a_last_will_shows_at_once_and_news_overrules_it() -> None:
    """`offline` is said by the broker for a pillow; that the pillow speaks again is newer."""
    store = make()
    receive(store, update(at=0))

    change = store.set_availability("cloud-1", False, NOW + 7)
    assert change is not None
    assert shown(store)["last"] == "hugging"
    assert shown(store)["since"] == "2023-11-14T22:13:20.007Z"
    assert store.set_availability("cloud-1", False, NOW + 8) is None
    receive(store, update(at=1), now=NOW + 9)
    assert shown(store)["state"] == "hugging"


def test_a_retained_state_does_not_overrule_a_last_will() -> None:
    """The broker had both, and which is older nobody knows: offline is the careful answer."""
    store = make()
    assert store.set_availability("cloud-1", False, NOW) is None
    receive(store, update(), live=False)

    assert shown(store)["state"] == NOT_CONNECTED
    change = store.set_availability("cloud-1", True, NOW)
    assert change is not None
    assert shown(store)["state"] == "hugging"


def test_coming_online_is_no_life_for_a_state_long_past() -> None:
    """A pillow that is online but has said nothing for long is still not live."""
    store = make()
    receive(store, update())
    store.set_availability("cloud-1", False, NOW)

    assert store.set_availability("cloud-1", True, NOW + EXPIRE_MS) is None
    assert shown(store)["state"] == NOT_CONNECTED


def test_a_pillow_that_says_notconnected_itself_does_not_expire_again() -> None:
    """There is nothing to change about it, and its own words are kept."""
    store = make()
    receive(store, update(state="notconnected", battery=0.1))

    assert store.expire(NOW + EXPIRE_MS) == []
    assert shown(store)["battery"] == 0.1


def test_an_unknown_pillow_can_be_neither_removed_nor_shown() -> None:
    """And its history is not an empty one: there is none."""
    store = make()

    assert store.remove("cloud-1") is None
    assert store.state("cloud-1") is None
    assert store.history("cloud-1") is None
    assert len(store) == 0


def test_a_state_larger_than_the_history_is_shown_but_not_kept() -> None:
    """The budget holds for one state as for many."""
    store = make(history_bytes=500)
    receive(store, update(at=0))
    receive(store, update(at=1, pad=1000))

    assert store.history("cloud-1") == []
    assert store.history_bytes == 0
    assert shown(store)["pad"] == "x" * 1000
