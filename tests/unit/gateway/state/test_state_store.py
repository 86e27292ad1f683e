"""The state store against a plain list of changes, which it must agree with whatever happens."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.cursors import Cursor
from contract.states import NOT_CONNECTED
from contract.updates import Update
from gateway.state.state_store import MAX_TOMBSTONES, Change, StateStore
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, PILLOWS, fields, pillows, update, updates

NOW = EPOCH_MS


def shown(store: StateStore, pillow: str = "cloud-1") -> dict[str, object]:
    """Return the fields of what clients see of a pillow."""
    payload = store.state(pillow)
    assert payload is not None
    return fields(payload)


class Replica:
    """A client: what it holds after it applied what it was sent."""

    def __init__(self, states: dict[str, bytes], cursor: Cursor) -> None:
        self.states = states
        self.cursor = cursor

    @classmethod
    def from_snapshot(cls, store: StateStore) -> "Replica":
        """Start with everything that the store has now."""
        return cls({str(fields(state)["pillow"]): state for state in store.states()}, store.cursor)

    def resume(self, store: StateStore) -> None:
        """Apply the changes after the cursor."""
        for change in store.changes_after(self.cursor.offset):
            self.apply(change)
        self.cursor = store.cursor

    def apply(self, change: Change) -> None:
        """Apply one change."""
        assert change.offset > self.cursor.offset, "an offset went backwards"
        if change.payload is None:
            self.states.pop(change.pillow, None)
        else:
            self.states[change.pillow] = change.payload
        self.cursor = Cursor(self.cursor.epoch, change.offset)


class StateStoreMachine(RuleBasedStateMachine):
    """Updates and removals in any order."""

    @initialize()
    def start(self) -> None:
        self.store = StateStore("ep")
        self.newest: dict[str, Update] = {}
        self.removed: dict[str, tuple[Update, int]] = {}
        self.covered_from = 0
        self.log: list[Change] = []
        self.present = Replica.from_snapshot(self.store)
        self.away: list[Replica] = []

    @rule(given=updates, not_connected=st.booleans())
    def update(self, given: Update, not_connected: bool) -> None:
        known = self.newest.get(given.pillow)
        refusal = self.store.check(given)
        if known is not None and given.order < known.order:
            assert refusal == "older"
            return
        if known is not None and given.is_duplicate_of(known):
            assert refusal == "repeated"
            return
        assert refusal is None
        self.newest[given.pillow] = given
        removed, offset = self.removed.pop(given.pillow, (None, 0))
        if removed is not None and given.order <= removed.order:
            self.covered_from = max(self.covered_from, offset)
        change = self.store.put(given, NOW if not_connected else None)
        self.note(change)
        assert change.payload is not None
        if not_connected:
            assert fields(change.payload)["state"] == NOT_CONNECTED
        else:
            assert change.payload is given.payload

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.store.remove(pillow)
        assert (change is not None) == (pillow in self.newest)
        if change is not None:
            assert change.payload is None
            self.removed[pillow] = (self.newest.pop(pillow), change.offset)
            self.note(change)

    @rule()
    def client_disconnects(self) -> None:
        self.away.append(Replica(dict(self.present.states), self.store.cursor))

    def note(self, change: Change) -> None:
        self.log.append(change)
        self.present.apply(change)

    @invariant()
    def offsets_count_the_changes(self) -> None:
        assert [change.offset for change in self.log] == list(range(1, len(self.log) + 1))
        assert self.store.cursor == Cursor("ep", len(self.log))

    @invariant()
    def a_snapshot_equals_all_changes_applied(self) -> None:
        assert Replica.from_snapshot(self.store).states == self.present.states
        assert len(self.store) == len(self.present.states) == len(self.newest)
        for pillow in PILLOWS:
            assert self.store.state(pillow) == self.present.states.get(pillow)
            assert self.store.newest(pillow) == self.newest.get(pillow)

    @invariant()
    def a_resumed_client_ends_equal_to_one_that_never_left(self) -> None:
        for replica in self.away:
            is_covered = replica.cursor.offset >= self.covered_from
            assert self.store.covers(replica.cursor) == is_covered
            resumed = Replica(dict(replica.states), replica.cursor)
            resumed.resume(self.store)
            assert resumed.states == self.present.states

    @invariant()
    def changes_after_has_the_last_change_of_each_pillow_in_order(self) -> None:
        for offset in {0, len(self.log) // 2, len(self.log) - 1, len(self.log)}:
            last = {change.pillow: change for change in self.log[max(0, offset) :]}
            expected = sorted(last.values(), key=lambda change: change.offset)
            assert list(self.store.changes_after(offset)) == expected

    @invariant()
    def last_change_is_that_of_the_log(self) -> None:
        last = {change.pillow: change for change in self.log}
        for pillow in PILLOWS:
            assert self.store.last_change(pillow) == last.get(pillow)
        assert self.store.known_of({*PILLOWS, "nobody"}) == last.keys()
        assert self.store.known_of({PILLOWS[0]}) == last.keys() & {PILLOWS[0]}
        removals = [change.offset for change in self.log if change.payload is None]
        assert self.store.newest_removal_offset == max(removals, default=0)


TestStateStore = StateStoreMachine.TestCase
TestStateStore.settings = settings(max_examples=examples(60), stateful_step_count=40)


@given(st.lists(updates, max_size=30))
def test_the_newest_state_by_at_and_seq_is_shown_in_every_order_of_arrival(
    given: list[Update],
) -> None:
    """Delivery order does not matter."""
    store = StateStore("ep")
    for one in given:
        if store.check(one) is None:
            store.put(one, None)

    for pillow in {one.pillow for one in given}:
        newest = max(one.order for one in given if one.pillow == pillow)
        assert store.state(pillow) in {
            one.payload for one in given if one.pillow == pillow and one.order == newest
        }


def test_a_tie_in_at_and_seq_goes_to_the_later_arrival() -> None:
    """Two different states with the same (`at`, `seq`)."""
    store = StateStore("ep")
    store.put(update(state="hugging"), None)
    spinning = update(state="spinning")

    assert store.check(spinning) is None
    store.put(spinning, None)
    assert shown(store)["state"] == "spinning"


def test_a_state_published_again_with_other_hops_is_repeated() -> None:
    """Two pollers publish the same state with different hops."""
    store = StateStore("ep")
    store.put(update(hops={"published": 1}), None)

    assert store.check(update(hops={"published": 2})) == "repeated"


def test_a_pillow_that_reports_notconnected_is_shown_as_it_reported() -> None:
    """Its own fields are kept."""
    store = StateStore("ep")
    store.put(update(state="notconnected", battery=0.1), NOW)

    assert shown(store)["battery"] == 0.1


def test_only_cursors_of_this_epoch_up_to_now_are_covered() -> None:
    """A cursor of another process or of the future cannot be resumed."""
    store = StateStore("ep")
    store.put(update(), None)

    assert store.covers(Cursor("ep", 0))
    assert store.covers(Cursor("ep", 1))
    assert not store.covers(Cursor("ep", 2))
    assert not store.covers(Cursor("other", 1))
    assert not store.covers(None)


def test_a_cursor_before_a_forgotten_removal_is_not_covered() -> None:
    """A client that missed a forgotten removal gets a full snapshot."""
    store = StateStore("ep")
    for number in range(MAX_TOMBSTONES + 1):
        store.put(update(f"p{number}"), None)
    for number in range(MAX_TOMBSTONES + 1):
        store.remove(f"p{number}")
    forgotten = MAX_TOMBSTONES + 2  # the offset of the first removal

    assert not store.covers(Cursor("ep", forgotten - 1))
    assert store.covers(Cursor("ep", forgotten))
    assert store.forgotten_offset == forgotten
    assert len(list(store.changes_after(forgotten))) == MAX_TOMBSTONES
    assert len(list(store.changes_after(0))) == MAX_TOMBSTONES
    assert store.last_change("p0") is None


def test_the_removal_of_a_pillow_that_came_back_may_be_forgotten() -> None:
    """Its new state in the log replaces its old tombstone."""
    store = StateStore("ep")
    for number in range(MAX_TOMBSTONES + 1):
        store.put(update("phoenix", at=number), None)
        store.remove("phoenix")
    store.put(update("phoenix", at=MAX_TOMBSTONES + 1), None)

    assert store.covers(Cursor("ep", 0))
    assert [change.pillow for change in store.changes_after(0)] == ["phoenix"]


def test_an_unknown_pillow_has_no_state_and_cannot_be_removed() -> None:
    """None, not an error."""
    store = StateStore("ep")

    assert store.remove("cloud-1") is None
    assert store.state("cloud-1") is None
    assert store.newest("cloud-1") is None
    assert len(store) == 0


@given(st.lists(st.tuples(st.sampled_from(("put", "remove", "walk")), pillows), max_size=40))
def test_a_walk_by_arrival_has_each_pillow_once_with_its_newest_state(
    steps: list[tuple[str, str]],
) -> None:
    """However they change between its steps; one that was removed and came back counts as new."""
    store = StateStore("ep")
    for at, pillow in enumerate(PILLOWS[:2]):
        store.put(update(pillow, at), None)
    last, arrival = store.last_arrival, 0
    walked: list[str] = []
    for at, (verb, pillow) in enumerate(steps, start=10):
        if verb == "put":
            store.put(update(pillow, at), None)
        elif verb == "remove":
            store.remove(pillow)
        else:
            number, change = next(store.arrivals_after(arrival), (last + 1, None))
            if change is None or number > last:
                break
            arrival = number
            walked.append(change.pillow)
            assert change.payload == store.state(change.pillow)
            assert store.arrival(change.pillow) == (number, change)

    assert len(walked) == len(set(walked))


@given(st.lists(st.tuples(st.sampled_from(("put", "remove")), pillows)), st.integers(0, 20))
def test_the_removals_after_an_offset_are_those_of_the_log(
    steps: list[tuple[str, str]], offset: int
) -> None:
    """In its order; a pillow that came back has none."""
    store = StateStore("ep")
    for at, (verb, pillow) in enumerate(steps):
        if verb == "put":
            store.put(update(pillow, at), None)
        else:
            store.remove(pillow)

    expected = [one for one in store.changes_after(offset) if one.payload is None]
    assert list(store.removals_after(offset)) == expected


def test_a_client_that_missed_a_removal_before_an_older_state_is_not_covered() -> None:
    """It would discard the older state, and show the removed one for ever."""
    store = StateStore("ep")
    store.put(update(at=10), None)
    store.remove("cloud-1")
    store.put(update(at=5), None)

    assert not store.covers(Cursor("ep", 1))
    assert store.covers(Cursor("ep", 2))
    assert [fields(state)["at"] for state in store.states()] == ["2023-11-14T22:13:20.005Z"]


def test_a_client_that_missed_a_removal_before_a_newer_state_is_covered() -> None:
    """It takes the newer state whether it knows of the removal or not."""
    store = StateStore("ep")
    store.put(update(at=10), None)
    store.remove("cloud-1")
    store.put(update(at=11), None)

    assert store.covers(Cursor("ep", 1))


def test_a_pillow_whose_clock_is_behind_is_marked() -> None:
    """Unless the state carries a mark of its own."""
    store = StateStore("ep")
    store.put(update(), None, clock_is_behind=True)
    assert shown(store) == {**fields(update().payload), "clock": "behind"}

    store.put(update(at=1, clock="ahead"), None, clock_is_behind=True)
    assert shown(store) == fields(update(at=1, clock="ahead").payload)
