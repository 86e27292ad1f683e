"""The fan-out, against subscribers that remember everything they were given."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.cursors import Cursor
from contract.frames import RECONNECT_MS, Goodbye, Removed, Snapshot, Status, Updates
from contract.updates import Update, decode_state
from gateway.fanout.encoding import Encoding
from gateway.fanout.planner import MAX_FRAME_BYTES, SNAPSHOT_CACHE_SIZE, Planner, Write, frames_of
from gateway.fanout.subscriptions import Filter
from gateway.state.state_store import MAX_TOMBSTONES, Change, StateStore
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, PILLOWS, pillows, update
from tests.unit.gateway.subscribers import Client, deliver

NOW = EPOCH_MS


def make() -> tuple[StateStore, Planner]:
    store = StateStore("ep")
    return store, Planner(store)


def flush(out: Planner) -> list[Write]:
    return deliver(out.flush(NOW))


def change_of(store: StateStore, pillow: str, at: int, pad: int = 0) -> Change:
    return store.put(update(pillow, at, pad=pad), None)


def removal_of(store: StateStore, pillow: str) -> Change:
    change = store.remove(pillow)
    assert change is not None
    return change


interests = st.one_of(st.none(), st.sets(pillows, min_size=1).map(frozenset))


class FanoutMachine(RuleBasedStateMachine):
    """A keen subscriber, lazy ones, and ones that come and go, under any sequence of events."""

    @initialize(wanted=st.lists(interests, min_size=1, max_size=3))
    def begin(self, wanted: list[Filter]) -> None:
        self.store, self.planner = make()
        self.clock = 0
        self.expected: list[tuple[str, object]] = []
        self.keen = Client(self.planner)
        self.lazy = [Client(self.planner, filter) for filter in wanted]
        self.left: list[Client] = []
        flush(self.planner)

    @rule(pillow=pillows, pad=st.sampled_from((0, 300)))
    def update(self, pillow: str, pad: int) -> None:
        self.clock += 1
        change = change_of(self.store, pillow, self.clock, pad)
        assert change.payload is not None
        self.planner.add(change)
        self.expected.append((pillow, msgspec.json.decode(change.payload)["at"]))

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.store.remove(pillow)
        if change is not None:
            self.planner.add(change)
            self.expected.append((pillow, None))

    @rule()
    def flush(self) -> None:
        flush(self.planner)
        # Every change arrives once, in order, at who keeps up.
        assert self.keen.changes == self.expected
        self.expected.clear()
        self.keen.changes.clear()
        for client in (self.keen, *(one for one in self.lazy if not one.is_paused)):
            assert client.states == self.whole(client.wanted)

    @rule(which=st.integers(0, 2))
    def someone_does_not_read(self, which: int) -> None:
        client = self.lazy[which % len(self.lazy)]
        if not client.is_paused:
            self.planner.pause(client)

    @rule(which=st.integers(0, 2))
    def someone_reads_no_more_than_the_next_write(self, which: int) -> None:
        self.lazy[which % len(self.lazy)].full = True

    @rule(which=st.integers(0, 2))
    def someone_reads_again(self, which: int) -> None:
        client = self.lazy[which % len(self.lazy)]
        client.full = False
        if client.is_paused:
            self.planner.resume(client)

    @rule(which=st.integers(0, 2), wanted=interests)
    def someone_wants_something_else(self, which: int, wanted: Filter) -> None:
        client = self.lazy[which % len(self.lazy)]
        client.subscribe(wanted)

    @rule(which=st.integers(0, 2))
    def someone_leaves(self, which: int) -> None:
        client = self.lazy[which % len(self.lazy)]
        self.planner.unsubscribe(client)
        self.left.append(client)
        self.lazy[which % len(self.lazy)] = Client(self.planner, client.wanted)

    @rule()
    def someone_comes_back(self) -> None:
        while self.left:
            client = self.left.pop()
            again = Client(self.planner, client.wanted, client.cursor)
            again.states = dict(client.states)
            flush(self.planner)
            self.keen.changes.clear()
            self.expected.clear()
            first = again.take_frames()[0]
            assert isinstance(first, Snapshot)
            assert first.recovered == (client.cursor is not None)
            assert again.states == self.whole(again.wanted)
            self.planner.unsubscribe(again)

    @rule(broker=st.sampled_from(("online", "offline")))
    def the_broker_changes(self, broker: str) -> None:
        deliver(self.planner.announce_broker(broker))  # type: ignore[arg-type]

    @invariant()
    def who_stalls_is_in_no_ones_way(self) -> None:
        for client in self.lazy:
            if client.is_paused:
                assert not client.is_live

    @invariant()
    def everyone_knows_of_the_broker(self) -> None:
        for client in (self.keen, *self.lazy):
            if client.is_live:
                told = [one for one in client.frames if isinstance(one, Snapshot | Status)]
                assert not told or told[-1].broker == self.planner.broker

    def whole(self, filter: Filter) -> dict[str, dict[str, object]]:
        states = (msgspec.json.decode(state) for state in self.store.states())
        return {
            state["pillow"]: state
            for state in states
            if filter is None or state["pillow"] in filter
        }


TestFanout = FanoutMachine.TestCase
TestFanout.settings = settings(max_examples=examples(120), stateful_step_count=40)


def test_the_first_frame_is_a_snapshot_with_the_states_byte_for_byte() -> None:
    """Odd spacing and unknown fields stay as they came."""
    store, out = make()
    payload = b'{ "pillow" :"cloud-1","state":\n"hugging","at":"2026-11-22T06:00:00Z", "x":[1 ,2] }'
    decoded = decode_state("cloud-1", payload)
    assert isinstance(decoded, Update)
    store.put(decoded, None)
    client = Client(out)

    flush(out)

    assert client.writes[0].endswith(
        b'{"type":"snapshot","cursor":"ep:1","recovered":false,"broker":"offline","sent":%d,'
        b'"pillows":[%b]}' % (NOW, payload)
    )


def test_everyone_with_the_same_interest_gets_the_same_bytes() -> None:
    """A message is put into a frame once, not once a browser; snapshots too."""
    store, out = make()
    everyone = [Client(out) for _ in range(3)]
    some = [Client(out, frozenset({"cloud-1", "cloud-2"})) for _ in range(3)]
    flush(out)
    out.add(change_of(store, "cloud-1", 1))
    flush(out)

    for group in (everyone, some):
        (first, *rest) = [client.writes for client in group]
        assert len(first) == 2
        assert all(a is b for other in rest for a, b in zip(first, other, strict=True))


def test_an_interest_is_put_into_json_once_for_all_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket and an event stream differ in what is around it."""
    store, out = make()
    wire, stream = Client(out), Client(out)
    out.unsubscribe(stream)
    monkeypatch.setattr(stream, "write", stream.writes.append)
    out.subscribe(stream, None, Encoding.EVENT, None)
    flush(out)
    wire.writes.clear()
    stream.writes.clear()

    out.add(change_of(store, "cloud-1", 1))
    first, second = out.flush(NOW)

    assert {first.subscribers, second.subscribers} == {(wire,), (stream,)}
    assert first.updates == second.updates == 1
    assert second.data[second.data.index(b"{") : -2] == first.data[first.data.index(b"{") :]


def test_who_has_only_the_same_pillow_in_common_shares_its_frame() -> None:
    """Each watches one of its own, too; the one that all watch is put into JSON once."""
    store, out = make()
    clients = [Client(out, frozenset({"all", f"own-{number}"})) for number in range(5)]
    flush(out)
    out.add(change_of(store, "all", 1))
    made = [write.data for write in out.flush(NOW)]
    assert len(made) == 5
    assert len({id(frame) for frame in made}) == 1

    out.add(change_of(store, "all", 2))
    out.add(change_of(store, "own-3", 3))
    flush(out)
    assert [len(client.states) for client in clients] == [1, 1, 1, 2, 1]


def test_whoever_comes_from_elsewhere_shares_a_snapshot() -> None:
    """After a restart everybody has a cursor of its own, and none of them means anything here."""
    store, out = make()
    change_of(store, "cloud-1", 1)
    clients = [Client(out, None, Cursor("gone", number)) for number in range(5)]
    clients.append(Client(out, None, store.cursor._replace(offset=99)))

    (write,) = out.flush(NOW)

    assert list(write.subscribers) == clients
    assert write.kind == "snapshot"


def test_many_who_differ_are_not_kept_for_ever() -> None:
    """What is shared by nobody is not worth its memory."""
    store, out = make()
    change_of(store, "cloud-1", 1)
    for number in range(3 * SNAPSHOT_CACHE_SIZE):
        Client(out, frozenset({f"cloud-{number}"}))
    flush(out)
    assert len(out._made) <= SNAPSHOT_CACHE_SIZE


def test_a_change_reaches_who_wants_it_without_a_look_at_the_others() -> None:
    """However many watch something else."""
    store, out = make()
    clients = [Client(out, frozenset({f"cloud-{number}"})) for number in range(200)]
    flush(out)
    out.add(change_of(store, "cloud-7", 1))

    (write,) = out.flush(NOW)

    assert write.subscribers == (clients[7],)


def test_nobody_hears_of_what_he_does_not_want() -> None:
    """A filter filters updates, removals and catching up."""
    store, out = make()
    client = Client(out, frozenset({"cloud-2"}))
    flush(out)
    client.take_frames()
    out.add(change_of(store, "cloud-1", 1))
    out.add(change_of(store, "cloud-2", 2))
    out.add(removal_of(store, "cloud-1"))
    flush(out)

    (heard,) = client.take_frames()

    assert isinstance(heard, Updates)
    assert [state["pillow"] for state in heard.pillows] == ["cloud-2"]


def test_updates_and_removals_keep_their_order() -> None:
    """Each kind in a frame of its own, in the order in which they happened, in one write."""
    store, out = make()
    client = Client(out)
    flush(out)
    client.take_frames()
    out.add(change_of(store, "cloud-1", 1))
    out.add(change_of(store, "cloud-2", 2))
    out.add(removal_of(store, "cloud-1"))
    out.add(removal_of(store, "cloud-2"))
    out.add(change_of(store, "cloud-1", 3))
    flush(out)

    updates, removals, again = client.take_frames()

    assert isinstance(updates, Updates)
    assert updates.cursor == "ep:2"
    assert removals == Removed("ep:4", ["cloud-1", "cloud-2"])
    assert isinstance(again, Updates)
    assert again.cursor == "ep:5"
    assert len(client.writes) == 2


def test_a_recovered_snapshot_tells_of_removals_in_a_frame_of_its_own() -> None:
    """What is gone is not in a snapshot; who resumes must hear of it."""
    store, out = make()
    change_of(store, "cloud-1", 1)
    change_of(store, "cloud-2", 2)
    store.remove("cloud-1")
    client = Client(out, None, Cursor("ep", 1))
    flush(out)

    snapshot, removed = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.recovered
    assert [state["pillow"] for state in snapshot.pillows] == ["cloud-2"]
    assert removed == Removed("ep:3", ["cloud-1"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PILLOWS),
            st.one_of(
                st.none(),
                st.integers(0, 3 * MAX_FRAME_BYTES // 2),
                st.integers(MAX_FRAME_BYTES - 400, MAX_FRAME_BYTES),
            ),
        ),
        max_size=12,
    )
)
@settings(max_examples=examples(150))
def test_no_frame_is_longer_than_a_frame_may_be(given: list[tuple[str, int | None]]) -> None:
    """Unless a single state is; and together they carry every change, in order."""
    changes = [
        Change(number, pillow, None if size is None else b'"' + b"x" * size + b'"')
        for number, (pillow, size) in enumerate(given, 1)
    ]

    carried: list[object] = []
    for frame in frames_of(changes, "ep", NOW):
        message = msgspec.json.decode(frame.data)
        carried += [(message["type"], one) for one in message["pillows"]]
        assert frame.updates == len(message["pillows"])
        assert len(frame.data) <= MAX_FRAME_BYTES or frame.updates == 1
        assert frame.cursor == Cursor("ep", len(carried))

    assert carried == [
        ("removed", change.pillow)
        if change.payload is None
        else ("update", msgspec.json.decode(change.payload))
        for change in changes
    ]


def test_who_reads_again_gets_the_newest_of_each_as_one_frame() -> None:
    """However much it missed."""
    store, out = make()
    client = Client(out)
    client.full = True
    flush(out)
    client.take_frames()
    for at in range(1, 41):
        out.add(change_of(store, f"cloud-{at % 4}", at, pad=10_000))
        flush(out)
    assert client.take_frames() == []

    client.full = False
    out.resume(client)
    (write,) = flush(out)

    (on_caught_up,) = client.take_frames()
    assert isinstance(on_caught_up, Updates)
    assert [state["pillow"] for state in on_caught_up.pillows] == [
        "cloud-1", "cloud-2", "cloud-3", "cloud-0",
    ]  # fmt: skip
    assert client.cursor == Cursor("ep", 40)
    assert write.kind == "catch_up"


def test_a_stalled_listener_costs_nothing_while_it_is_stalled() -> None:
    """A flush does not come by it, and nothing is kept for it but where it stopped."""
    store, out = make()
    client = Client(out)
    flush(out)
    out.pause(client)
    for at in range(100):
        out.add(change_of(store, "cloud-1", at))
        assert list(out.flush(NOW)) == []
    assert list(out.announce_broker("online")) == []

    assert client.paused_at is not None
    assert client.paused_at.offset == 0


def test_who_stalled_hears_of_the_broker_when_it_reads_again() -> None:
    """Unless it is as it was."""
    _store, out = make()
    client = Client(out)
    flush(out)
    for says, hears in ((("online", "offline"), []), (("online",), [Status("online")])):
        client.take_frames()
        out.pause(client)
        for broker in says:
            deliver(out.announce_broker(broker))  # type: ignore[arg-type]
        out.resume(client)
        flush(out)
        assert client.take_frames() == hears


def test_who_lagged_while_removals_were_forgotten_begins_again() -> None:
    """Else it would keep pillows that are no more, and nobody would ever tell it."""
    store, out = make()
    names = [f"p{number}" for number in range(MAX_TOMBSTONES + 50)]
    for at, name in enumerate(names):
        change_of(store, name, at)
    client = Client(out)
    flush(out)
    assert len(client.states) == len(names)
    out.pause(client)
    for name in names:
        out.add(removal_of(store, name))
        flush(out)
    out.add(change_of(store, "last", 1))
    flush(out)
    client.take_frames()
    out.resume(client)
    flush(out)

    first, *_ = client.take_frames()

    assert isinstance(first, Snapshot)
    assert not first.recovered
    assert set(client.states) == {"last"}


def test_who_asks_for_something_else_while_it_stalls_gets_it_when_it_reads() -> None:
    """A snapshot of it, and then every change."""
    store, out = make()
    client = Client(out)
    flush(out)
    out.pause(client)
    client.subscribe(frozenset({"cloud-2"}))
    assert flush(out) == []
    out.resume(client)
    flush(out)
    out.add(change_of(store, "cloud-2", 99))
    flush(out)

    _, snapshot, heard = client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert isinstance(heard, Updates)


def test_what_was_added_but_not_flushed_comes_once_to_who_joins() -> None:
    """It is in the snapshot, and no frame repeats it; the others have it before."""
    store, out = make()
    keen = Client(out)
    flush(out)
    keen.take_frames()
    out.add(change_of(store, "cloud-1", 1))
    joined = Client(out)
    flush(out)

    (snapshot,) = joined.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
    assert len(keen.take_frames()) == 1
    assert not out.is_due
    assert flush(out) == []


def test_a_whole_frame_is_a_reason_to_flush() -> None:
    """To wait on would save nothing."""
    store, out = make()
    out.add(change_of(store, "cloud-1", 1, pad=MAX_FRAME_BYTES // 2))
    assert not out.is_full
    out.add(change_of(store, "cloud-1", 2, pad=MAX_FRAME_BYTES // 2))
    assert out.is_full
    flush(out)
    assert not out.is_full


def test_a_status_before_the_snapshot_is_said_by_the_snapshot() -> None:
    """Never twice, and never of the past."""
    _store, out = make()
    client = Client(out)
    deliver(out.announce_broker("online"))
    flush(out)

    (snapshot,) = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.broker == "online"


def test_the_goodbye_ends_it_for_who_reads() -> None:
    """Who does not read now hears it when it does."""
    store, out = make()
    client, slow = Client(out), Client(out)
    flush(out)
    client.take_frames()
    slow.take_frames()
    out.pause(slow)
    out.add(change_of(store, "cloud-1", 1))
    flush(out)
    deliver(out.announce_restart(RECONNECT_MS))

    update, goodbye = client.take_frames()
    assert isinstance(update, Updates)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.closed
    assert not slow.closed

    out.resume(slow)
    flush(out)
    assert slow.take_frames() == [update, goodbye]
    assert slow.closed


def test_who_comes_while_the_gateway_leaves_is_told_so_too() -> None:
    """Or it would keep the process waiting, and learn nothing from a connection cut off."""
    _store, out = make()
    deliver(out.announce_restart(RECONNECT_MS))
    client = Client(out)
    flush(out)

    snapshot, goodbye = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.closed


def test_who_was_owed_something_is_called_back_when_it_has_it() -> None:
    """What else waits for it comes after."""
    store, out = make()
    client = Client(out)
    flush(out)
    assert client.times_caught_up == 1
    out.add(change_of(store, "cloud-1", 1))
    flush(out)
    assert client.times_caught_up == 1


def test_who_is_being_closed_can_ask_for_nothing() -> None:
    """It has left already."""
    _store, out = make()
    client = Client(out)
    out.unsubscribe(client)
    out.change_filter(client, None)
    out.resume(client)
    out.pause(client)

    assert flush(out) == []
    assert len(out) == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("join"), st.sets(pillows).map(frozenset)),
            st.tuples(st.just("subscribe"), st.one_of(st.none(), st.sets(pillows).map(frozenset))),
            st.tuples(st.just("flush"), st.none()),
            st.tuples(st.just("leave"), st.none()),
        ),
        max_size=40,
    )
)
def test_nothing_is_left_of_listeners_that_went(steps: list[tuple[str, Filter]]) -> None:
    """Neither in the index of interests nor among those who are due."""
    _store, out = make()
    clients: list[Client] = []
    for verb, filter in steps:
        if verb == "join":
            clients.append(Client(out, filter or None))
        elif verb == "flush":
            flush(out)
        elif clients and verb == "subscribe":
            clients[-1].subscribe(filter)
        elif clients:
            out.unsubscribe(clients.pop(0))
    assert len(out) == len(clients)
    for client in clients:
        out.unsubscribe(client)
        out.unsubscribe(client)  # once more does no harm

    assert len(out) == 0
    assert not out.is_due
    assert out._index._all == {}
    assert out._index._of_pillow == {}


def test_a_change_without_listeners_costs_no_frame() -> None:
    """And what nobody heard is in the next snapshot."""
    store, out = make()
    out.add(change_of(store, "cloud-1", 1))
    assert flush(out) == []

    client = Client(out)
    flush(out)
    (snapshot,) = client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
