"""The planner, against subscribers that keep and apply everything they are sent."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.cursors import Cursor
from contract.frames import RECONNECT_MS, Goodbye, Removed, Snapshot, Status, Updates
from contract.updates import Update, decode_state
from gateway.fanout.encoding import Encoding
from gateway.fanout.framing import MAX_FRAME_BYTES
from gateway.fanout.planner import Planner, Write
from gateway.fanout.subscriptions import Filter, ResumePoint
from gateway.state.state_store import MAX_TOMBSTONES, Change, StateStore
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, pillows, update
from tests.unit.gateway.subscribers import Client, deliver

NOW = EPOCH_MS


def make() -> tuple[StateStore, Planner]:
    store = StateStore("ep")
    return store, Planner(store)


def flush(planner: Planner) -> list[Write]:
    return deliver(planner.flush(NOW))


def change_of(store: StateStore, pillow: str, at: int, pad: int = 0) -> Change:
    return store.put(update(pillow, at, pad=pad), None)


def removal_of(store: StateStore, pillow: str) -> Change:
    change = store.remove(pillow)
    assert change is not None
    return change


filters = st.one_of(st.none(), st.sets(pillows, min_size=1).map(frozenset))


class PlannerMachine(RuleBasedStateMachine):
    """A fast subscriber, slow ones, and ones that leave and come back, in any order of events."""

    @initialize(wanted=st.lists(filters, min_size=1, max_size=3))
    def begin(self, wanted: list[Filter]) -> None:
        self.store, self.planner = make()
        self.clock = 0
        self.expected: list[tuple[str, object]] = []
        self.fast = Client(self.planner)
        self.slow = [Client(self.planner, filter) for filter in wanted]
        self.left: list[Client] = []
        flush(self.planner)

    @rule(pillow=pillows, pad=st.sampled_from((0, 300)))
    def update(self, pillow: str, pad: int) -> None:
        self.clock += 1
        change = change_of(self.store, pillow, self.clock, pad)
        assert change.payload is not None
        self.planner.publish(change)
        self.expected.append((pillow, msgspec.json.decode(change.payload)["at"]))

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.store.remove(pillow)
        if change is not None:
            self.planner.publish(change)
            self.expected.append((pillow, None))

    @rule()
    def flush(self) -> None:
        flush(self.planner)
        # A subscriber that is never paused gets every change once, in order.
        assert self.fast.changes == self.expected
        self.expected.clear()
        self.fast.changes.clear()
        for client in (self.fast, *(one for one in self.slow if not one.is_paused)):
            assert client.states == self.whole(client.wanted)

    @rule(which=st.integers(0, 2))
    def a_subscriber_is_paused(self, which: int) -> None:
        client = self.slow[which % len(self.slow)]
        if not client.is_paused:
            self.planner.pause(client)

    @rule(which=st.integers(0, 2))
    def a_transport_fills_up_with_the_next_write(self, which: int) -> None:
        self.slow[which % len(self.slow)].full = True

    @rule(which=st.integers(0, 2))
    def a_subscriber_is_resumed(self, which: int) -> None:
        client = self.slow[which % len(self.slow)]
        client.full = False
        if client.is_paused:
            self.planner.resume(client)

    @rule(which=st.integers(0, 2), wanted=filters)
    def a_subscriber_changes_its_filter(self, which: int, wanted: Filter) -> None:
        client = self.slow[which % len(self.slow)]
        client.subscribe(wanted)

    @rule(which=st.integers(0, 2))
    def a_subscriber_leaves(self, which: int) -> None:
        client = self.slow[which % len(self.slow)]
        self.planner.unsubscribe(client)
        self.left.append(client)
        self.slow[which % len(self.slow)] = Client(self.planner, client.wanted)

    @rule()
    def those_that_left_come_back(self) -> None:
        while self.left:
            client = self.left.pop()
            again = Client(self.planner, client.wanted, client.cursor)
            again.states = dict(client.states)
            flush(self.planner)
            self.fast.changes.clear()
            self.expected.clear()
            first = again.take_frames()[0]
            assert isinstance(first, Snapshot)
            assert first.recovered == (client.cursor is not None)
            assert again.states == self.whole(again.wanted)
            self.planner.unsubscribe(again)

    @rule(broker=st.sampled_from(("online", "offline")))
    def broker_changes(self, broker: str) -> None:
        deliver(self.planner.announce_broker(broker))  # type: ignore[arg-type]

    @invariant()
    def a_paused_subscriber_is_not_live(self) -> None:
        for client in self.slow:
            if client.is_paused:
                assert not client.is_live

    @invariant()
    def live_subscribers_know_the_brokers_status(self) -> None:
        for client in (self.fast, *self.slow):
            if client.is_live:
                statuses = [one for one in client.frames if isinstance(one, Snapshot | Status)]
                assert not statuses or statuses[-1].broker == self.planner.broker

    def whole(self, filter: Filter) -> dict[str, dict[str, object]]:
        states = (msgspec.json.decode(state) for state in self.store.states())
        return {
            state["pillow"]: state
            for state in states
            if filter is None or state["pillow"] in filter
        }


TestPlanner = PlannerMachine.TestCase
TestPlanner.settings = settings(max_examples=examples(120), stateful_step_count=40)


def test_the_first_frame_is_a_snapshot_with_the_states_byte_for_byte() -> None:
    """Spacing and unknown fields stay as they were on MQTT."""
    store, planner = make()
    payload = b'{ "pillow" :"cloud-1","state":\n"hugging","at":"2026-11-22T06:00:00Z", "x":[1 ,2] }'
    decoded = decode_state("cloud-1", payload)
    assert isinstance(decoded, Update)
    store.put(decoded, None)
    client = Client(planner)

    flush(planner)

    assert client.writes[0].endswith(
        b'{"type":"snapshot","cursor":"ep:1","recovered":false,"broker":"offline","sent":%d,'
        b'"pillows":[%b]}' % (NOW, payload)
    )


def test_subscribers_with_the_same_filter_get_the_same_bytes_object() -> None:
    """A frame is encoded once for the group; so is a snapshot."""
    store, planner = make()
    everything = [Client(planner) for _ in range(3)]
    some = [Client(planner, frozenset({"cloud-1", "cloud-2"})) for _ in range(3)]
    flush(planner)
    planner.publish(change_of(store, "cloud-1", 1))
    flush(planner)

    for group in (everything, some):
        (first, *rest) = [client.writes for client in group]
        assert len(first) == 2
        assert all(a is b for other in rest for a, b in zip(first, other, strict=True))


def test_groups_of_several_encodings_share_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket and an event stream differ in the bytes around it."""
    store, planner = make()
    wire, stream = Client(planner), Client(planner)
    planner.unsubscribe(stream)
    monkeypatch.setattr(stream, "write", stream.writes.append)
    planner.subscribe(stream, None, Encoding.EVENT, None)
    flush(planner)
    wire.writes.clear()
    stream.writes.clear()

    planner.publish(change_of(store, "cloud-1", 1))
    first, second = planner.flush(NOW)

    assert {first.subscribers, second.subscribers} == {(wire,), (stream,)}
    assert first.updates == second.updates == 1
    assert second.data[second.data.index(b"{") : -2] == first.data[first.data.index(b"{") :]


def test_groups_that_want_the_same_changes_share_the_frame() -> None:
    """Their filters differ in pillows that did not change."""
    store, planner = make()
    clients = [Client(planner, frozenset({"all", f"own-{number}"})) for number in range(5)]
    flush(planner)
    planner.publish(change_of(store, "all", 1))
    made = [write.data for write in planner.flush(NOW)]
    assert len(made) == 5
    assert len({id(frame) for frame in made}) == 1

    planner.publish(change_of(store, "all", 2))
    planner.publish(change_of(store, "own-3", 3))
    flush(planner)
    assert [len(client.states) for client in clients] == [1, 1, 1, 2, 1]


def test_cursors_of_another_process_or_of_the_future_share_a_full_snapshot() -> None:
    """After a restart each client has another cursor, and the store covers none of them."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    clients = [Client(planner, None, Cursor("gone", number)) for number in range(5)]
    clients.append(Client(planner, None, store.cursor._replace(offset=99)))

    (write,) = planner.flush(NOW)

    assert list(write.subscribers) == clients
    assert write.kind == "snapshot"


def test_a_change_is_written_to_the_groups_that_want_it_only() -> None:
    """However many groups want other pillows."""
    store, planner = make()
    clients = [Client(planner, frozenset({f"cloud-{number}"})) for number in range(200)]
    flush(planner)
    planner.publish(change_of(store, "cloud-7", 1))

    (write,) = planner.flush(NOW)

    assert write.subscribers == (clients[7],)


def test_updates_and_removals_outside_the_filter_are_not_sent() -> None:
    """The others leave no empty frame behind."""
    store, planner = make()
    client = Client(planner, frozenset({"cloud-2"}))
    flush(planner)
    client.take_frames()
    planner.publish(change_of(store, "cloud-1", 1))
    planner.publish(change_of(store, "cloud-2", 2))
    planner.publish(removal_of(store, "cloud-1"))
    flush(planner)

    (sent,) = client.take_frames()

    assert isinstance(sent, Updates)
    assert [state["pillow"] for state in sent.pillows] == ["cloud-2"]


def test_updates_and_removals_keep_their_order() -> None:
    """A frame carries one kind; the frames of a flush leave in one write."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    client.take_frames()
    planner.publish(change_of(store, "cloud-1", 1))
    planner.publish(change_of(store, "cloud-2", 2))
    planner.publish(removal_of(store, "cloud-1"))
    planner.publish(removal_of(store, "cloud-2"))
    planner.publish(change_of(store, "cloud-1", 3))
    flush(planner)

    updates, removals, again = client.take_frames()

    assert isinstance(updates, Updates)
    assert updates.cursor == "ep:2"
    assert removals == Removed("ep:4", ["cloud-1", "cloud-2"])
    assert isinstance(again, Updates)
    assert again.cursor == "ep:5"
    assert len(client.writes) == 2


def test_a_recovered_snapshot_is_followed_by_the_removals() -> None:
    """A snapshot cannot carry them."""
    store, planner = make()
    change_of(store, "cloud-1", 1)
    change_of(store, "cloud-2", 2)
    store.remove("cloud-1")
    client = Client(planner, None, Cursor("ep", 1))
    flush(planner)

    snapshot, removed = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.recovered
    assert [state["pillow"] for state in snapshot.pillows] == ["cloud-2"]
    assert removed == Removed("ep:3", ["cloud-1"])


def test_a_resumed_subscriber_gets_the_newest_state_of_each_pillow_in_one_frame() -> None:
    """However many changes it missed."""
    store, planner = make()
    client = Client(planner)
    client.full = True
    flush(planner)
    client.take_frames()
    for at in range(1, 41):
        planner.publish(change_of(store, f"cloud-{at % 4}", at, pad=10_000))
        flush(planner)
    assert client.take_frames() == []

    client.full = False
    planner.resume(client)
    (write,) = flush(planner)

    (on_caught_up,) = client.take_frames()
    assert isinstance(on_caught_up, Updates)
    assert [state["pillow"] for state in on_caught_up.pillows] == [
        "cloud-1", "cloud-2", "cloud-3", "cloud-0",
    ]  # fmt: skip
    assert client.cursor == Cursor("ep", 40)
    assert write.kind == "catch_up"


def test_a_paused_subscriber_is_not_written_to_and_keeps_only_its_resume_point() -> None:
    """Nothing queues up for it."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    planner.pause(client)
    for at in range(100):
        planner.publish(change_of(store, "cloud-1", at))
        assert list(planner.flush(NOW)) == []
    assert list(planner.announce_broker("online")) == []

    assert client.resume_from == ResumePoint(0, "offline")


def test_a_resumed_subscriber_gets_the_brokers_status_if_it_changed() -> None:
    """A status that is the same again is not sent."""
    _store, planner = make()
    client = Client(planner)
    flush(planner)
    for announced, received in ((("online", "offline"), []), (("online",), [Status("online")])):
        client.take_frames()
        planner.pause(client)
        for broker in announced:
            deliver(planner.announce_broker(broker))  # type: ignore[arg-type]
        planner.resume(client)
        flush(planner)
        assert client.take_frames() == received


def test_a_resumed_subscriber_gets_a_full_snapshot_when_removals_were_forgotten() -> None:
    """A catch-up would leave pillows on its page that do not exist any more."""
    store, planner = make()
    names = [f"p{number}" for number in range(MAX_TOMBSTONES + 50)]
    for at, name in enumerate(names):
        change_of(store, name, at)
    client = Client(planner)
    flush(planner)
    assert len(client.states) == len(names)
    planner.pause(client)
    for name in names:
        planner.publish(removal_of(store, name))
        flush(planner)
    planner.publish(change_of(store, "last", 1))
    flush(planner)
    client.take_frames()
    planner.resume(client)
    flush(planner)

    first, *_ = client.take_frames()

    assert isinstance(first, Snapshot)
    assert not first.recovered
    assert set(client.states) == {"last"}


def test_a_filter_changed_while_paused_counts_from_the_resume() -> None:
    """A full snapshot of the new filter, then every change."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    planner.pause(client)
    client.subscribe(frozenset({"cloud-2"}))
    assert flush(planner) == []
    planner.resume(client)
    flush(planner)
    planner.publish(change_of(store, "cloud-2", 99))
    flush(planner)

    _, snapshot, sent = client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert isinstance(sent, Updates)


def test_a_pending_change_is_sent_once_to_a_new_subscriber() -> None:
    """It is in its snapshot; live subscribers get it as an update."""
    store, planner = make()
    fast = Client(planner)
    flush(planner)
    fast.take_frames()
    planner.publish(change_of(store, "cloud-1", 1))
    joined = Client(planner)
    flush(planner)

    (snapshot,) = joined.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
    assert len(fast.take_frames()) == 1
    assert not planner.is_due
    assert flush(planner) == []


def test_the_planner_is_full_from_max_frame_bytes_on() -> None:
    """More changes would not make the flush cheaper."""
    store, planner = make()
    planner.publish(change_of(store, "cloud-1", 1, pad=MAX_FRAME_BYTES // 2))
    assert not planner.is_full
    planner.publish(change_of(store, "cloud-1", 2, pad=MAX_FRAME_BYTES // 2))
    assert planner.is_full
    flush(planner)
    assert not planner.is_full


def test_a_waiting_subscriber_gets_the_brokers_status_in_its_snapshot_only() -> None:
    """Not twice, and not an outdated one."""
    _store, planner = make()
    client = Client(planner)
    deliver(planner.announce_broker("online"))
    flush(planner)

    (snapshot,) = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.broker == "online"


def test_the_goodbye_closes_live_subscribers_now_and_paused_ones_when_resumed() -> None:
    """A paused one gets what it missed before the goodbye."""
    store, planner = make()
    client, slow = Client(planner), Client(planner)
    flush(planner)
    client.take_frames()
    slow.take_frames()
    planner.pause(slow)
    planner.publish(change_of(store, "cloud-1", 1))
    flush(planner)
    deliver(planner.announce_restart(RECONNECT_MS))

    update, goodbye = client.take_frames()
    assert isinstance(update, Updates)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.closed
    assert not slow.closed

    planner.resume(slow)
    flush(planner)
    assert slow.take_frames() == [update, goodbye]
    assert slow.closed


def test_a_new_subscriber_gets_the_goodbye_after_its_snapshot_once_announced() -> None:
    """Otherwise the process would wait for it, and its client would not know why it was closed."""
    _store, planner = make()
    deliver(planner.announce_restart(RECONNECT_MS))
    client = Client(planner)
    flush(planner)

    snapshot, goodbye = client.take_frames()

    assert isinstance(snapshot, Snapshot)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.closed


def test_on_caught_up_is_called_after_a_snapshot_but_not_after_updates() -> None:
    """The connection writes held-back answers then."""
    store, planner = make()
    client = Client(planner)
    flush(planner)
    assert client.times_caught_up == 1
    planner.publish(change_of(store, "cloud-1", 1))
    flush(planner)
    assert client.times_caught_up == 1


def test_calls_for_an_unsubscribed_subscriber_have_no_effect() -> None:
    """Its connection is being closed."""
    _store, planner = make()
    client = Client(planner)
    planner.unsubscribe(client)
    planner.change_filter(client, None)
    planner.resume(client)
    planner.pause(client)

    assert flush(planner) == []
    assert len(planner) == 0


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
def test_nothing_is_kept_of_unsubscribed_subscribers(steps: list[tuple[str, Filter]]) -> None:
    """Neither in the index nor among the waiting ones."""
    _store, planner = make()
    clients: list[Client] = []
    for verb, filter in steps:
        if verb == "join":
            clients.append(Client(planner, filter or None))
        elif verb == "flush":
            flush(planner)
        elif clients and verb == "subscribe":
            clients[-1].subscribe(filter)
        elif clients:
            planner.unsubscribe(clients.pop(0))
    assert len(planner) == len(clients)
    for client in clients:
        planner.unsubscribe(client)
        planner.unsubscribe(client)  # a second call has no effect

    assert len(planner) == 0
    assert not planner.is_due
    assert planner._index._groups == {}
    assert planner._index._groups_of_pillow == {}


def test_a_change_without_subscribers_is_not_written() -> None:
    """It is in the next snapshot."""
    store, planner = make()
    planner.publish(change_of(store, "cloud-1", 1))
    assert flush(planner) == []

    client = Client(planner)
    flush(planner)
    (snapshot,) = client.take_frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
