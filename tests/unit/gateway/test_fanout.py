"""The fan-out, against listeners that remember everything they were given."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.cursors import Cursor, parse_cursor
from contract.frames import (
    RECONNECT_MS,
    RESTART,
    Goodbye,
    Heartbeat,
    Removed,
    ServerFrame,
    Snapshot,
    Status,
    Updates,
)
from contract.updates import Update, decode_state
from gateway import fanout
from gateway.fanout import BACKLOG_BYTES, FRAME_BYTES, Fanout, Frame, Interest, Listener, frames_of
from gateway.hub import TOMBSTONES, Change, Hub
from tests.unit.gateway.strategies import EPOCH_MS, PILLOWS, pillows, update

NOW = EPOCH_MS

_frame: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


def make() -> tuple[Hub, Fanout]:
    hub = Hub("ep", expire_after_ms=1 << 40, history_bytes=0)
    return hub, Fanout(hub)


def said(frame: Frame) -> ServerFrame:
    """A frame as a browser reads it."""
    return _frame.decode(frame.data)


def change_of(hub: Hub, pillow: str, at: int, pad: int = 0) -> Change:
    change = hub.receive(update(pillow, at, pad=pad), heard_ms=NOW, now_ms=NOW, live=True)
    assert isinstance(change, Change)
    return change


class Client:
    """A listener and all it was ever given."""

    def __init__(self, to: Fanout, interest: Interest = None, since: Cursor | None = None) -> None:
        self.fanout = to
        self.woken = False
        self.listener = Listener(interest, since, self._wake)
        self.frames: list[Frame] = []
        self.states: dict[str, dict[str, object]] = {}
        self.changes: list[tuple[str, object]] = []
        self.cursor = since
        to.attach(self.listener)

    def _wake(self) -> None:
        self.woken = True

    def take(self) -> list[ServerFrame]:
        """Take what waits and apply it as a page does."""
        self.woken = False
        taken = self.fanout.take(self.listener, NOW)
        for frame in taken:
            assert frame.cursor is None or len(frame.data) > 0
            self._apply(frame)
        self.frames += taken
        return [said(frame) for frame in taken]

    def _apply(self, frame: Frame) -> None:
        message = said(frame)
        if isinstance(message, Snapshot | Updates | Removed):
            cursor = parse_cursor(message.cursor)
            assert cursor == frame.cursor
            assert cursor is not None
            assert self.cursor is None or cursor.offset >= self.cursor.offset, "backwards"
            self.cursor = cursor
        if isinstance(message, Snapshot):
            if not message.recovered:
                self.states = {}
            for state in message.pillows:
                self._see(state)
        elif isinstance(message, Updates):
            for state in message.pillows:
                self._see(state)
                self.changes.append((state["pillow"], state["at"]))
        elif isinstance(message, Removed):
            for pillow in message.pillows:
                self.states.pop(pillow, None)
                self.changes.append((pillow, None))

    def _see(self, state: dict[str, object]) -> None:
        pillow = str(state["pillow"])
        known = self.states.get(pillow)
        if known is not None:
            assert str(state["at"]) >= str(known["at"]), "a pillow went backwards"
        self.states[pillow] = state


class FanoutMachine(RuleBasedStateMachine):
    """A keen listener, a lazy one, and ones that come and go, under any sequence of events."""

    @initialize(
        wanted=st.one_of(st.none(), st.sets(pillows, min_size=1).map(frozenset)),
        backlog=st.sampled_from((0, 600, 1 << 20)),
    )
    def begin(self, wanted: Interest, backlog: int) -> None:
        # A small bound, so that a few states are a backlog.
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(fanout, "BACKLOG_BYTES", backlog)
        self.hub, self.fanout = make()
        self.clock = 0
        self.interest = wanted
        self.expected: list[tuple[str, object]] = []
        self.keen_changes: list[tuple[str, object]] = []
        self.keen = Client(self.fanout)
        self.keen.take()
        self.lazy = Client(self.fanout, wanted)
        self.others: list[Client] = []

    def teardown(self) -> None:
        if hasattr(self, "_patch"):
            self._patch.undo()

    @rule(pillow=pillows, pad=st.sampled_from((0, 300)))
    def update(self, pillow: str, pad: int) -> None:
        self.clock += 1
        change = change_of(self.hub, pillow, self.clock, pad)
        assert change.payload is not None
        self.fanout.add(change)
        at = msgspec.json.decode(change.payload)["at"]
        self.expected.append((pillow, at))

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.hub.remove(pillow)
        if change is not None:
            self.fanout.add(change)
            self.expected.append((pillow, None))

    @rule()
    def flush(self) -> None:
        self.fanout.flush(NOW)
        lagged = self.keen.listener.lagging
        self.keen.take()
        if not lagged:
            # With no backlog every change arrives once, in order.
            assert self.keen.changes == self.expected
        self.expected.clear()
        self.keen.changes.clear()
        assert self.keen.states == self.whole(None)

    @rule()
    def the_lazy_one_takes(self) -> None:
        # Also between an add and its flush.
        self.lazy.take()

    @rule(wanted=st.one_of(st.none(), st.sets(pillows).map(frozenset)))
    def the_lazy_one_wants_something_else(self, wanted: Interest) -> None:
        self.fanout.subscribe(self.lazy.listener, wanted)
        self.interest = wanted
        first, *_ = self.lazy.take()
        assert isinstance(first, Snapshot)
        assert not first.recovered
        self.settle(self.lazy)
        assert self.lazy.states == self.whole(wanted)

    @rule(wanted=st.one_of(st.none(), st.sets(pillows, min_size=1).map(frozenset)))
    def the_lazy_one_asks_and_does_not_take(self, wanted: Interest) -> None:
        self.fanout.subscribe(self.lazy.listener, wanted)
        self.interest = wanted

    @rule()
    def someone_joins(self) -> None:
        joined = Client(self.fanout)
        joined.take()
        self.others.append(joined)
        assert joined.states == self.whole(None)

    @rule()
    def someone_resumes(self) -> None:
        for client in self.others:
            self.fanout.detach(client.listener)
            again = Client(self.fanout, None, client.cursor)
            again.states = dict(client.states)
            first, *_ = again.take()
            assert isinstance(first, Snapshot)
            assert first.recovered
            assert again.states == self.whole(None)
            self.fanout.detach(again.listener)
        self.others.clear()

    @invariant()
    def what_waits_is_bounded(self) -> None:
        for client in (self.keen, self.lazy, *self.others):
            assert client.listener._bytes <= fanout.BACKLOG_BYTES
            assert client.listener._bytes == sum(
                len(frame.data) for frame in client.listener._frames
            )

    @invariant()
    def who_is_to_take_from_the_hub_has_been_woken(self) -> None:
        for client in (self.keen, self.lazy, *self.others):
            if client.listener.reads_hub or client.listener._frames:
                assert client.woken

    @invariant()
    def the_lazy_one_ends_with_the_newest_whenever_it_has_taken_all(self) -> None:
        # On a copy of nothing: taking is how it ends, so end it now and then go on.
        if self.clock % 5 == 4:
            self.fanout.flush(NOW)
            self.keen.take()
            self.expected.clear()
            self.keen.changes.clear()
            self.settle(self.lazy)
            assert self.lazy.states == self.whole(self.interest)

    def settle(self, client: Client) -> None:
        while client.woken:
            client.take()

    def whole(self, interest: Interest) -> dict[str, dict[str, object]]:
        states = (msgspec.json.decode(state) for state in self.hub.states())
        return {
            state["pillow"]: state
            for state in states
            if interest is None or state["pillow"] in interest
        }


TestFanout = FanoutMachine.TestCase
TestFanout.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_the_first_frame_is_a_snapshot_with_the_states_byte_for_byte() -> None:
    """Odd spacing and unknown fields stay as they came."""
    hub, out = make()
    payload = b'{ "pillow" :"cloud-1","state":\n"hugging","at":"2026-11-22T06:00:00Z", "x":[1 ,2] }'
    decoded = decode_state("cloud-1", payload)
    assert isinstance(decoded, Update)
    hub.receive(decoded, heard_ms=NOW, now_ms=NOW, live=True)
    client = Client(out)

    (snapshot,) = out.take(client.listener, NOW)

    assert payload in snapshot.data
    assert snapshot.data == (
        b'{"type":"snapshot","cursor":"ep:1","recovered":false,"broker":"offline","sent":%d,'
        b'"pillows":[%b]}' % (NOW, payload)
    )


def test_everyone_with_the_same_interest_gets_the_same_frame() -> None:
    """A message is put into a frame once, not once a browser."""
    hub, out = make()
    everyone = [Client(out) for _ in range(3)]
    some = [Client(out, frozenset({"cloud-1", "cloud-2"})) for _ in range(3)]
    for client in everyone + some:
        client.take()
        client.frames.clear()

    out.add(change_of(hub, "cloud-1", 1))
    out.flush(NOW)
    for client in everyone + some:
        client.take()

    for group in (everyone, some):
        (first, *rest) = [client.frames[0] for client in group]
        assert all(frame is first for frame in rest)
        assert first.text is first.text
        assert first.event is first.event


def test_nobody_hears_of_what_he_does_not_want() -> None:
    """A filter filters updates, removals and catching up."""
    hub, out = make()
    client = Client(out, frozenset({"cloud-2"}))
    client.take()
    out.add(change_of(hub, "cloud-1", 1))
    out.add(change_of(hub, "cloud-2", 2))
    removed = hub.remove("cloud-1")
    assert removed is not None
    out.add(removed)
    out.flush(NOW)

    (heard,) = client.take()

    assert isinstance(heard, Updates)
    assert [state["pillow"] for state in heard.pillows] == ["cloud-2"]


def test_updates_and_removals_keep_their_order() -> None:
    """Each kind in a frame of its own, in the order in which they happened."""
    hub, out = make()
    client = Client(out)
    client.take()
    out.add(change_of(hub, "cloud-1", 1))
    out.add(change_of(hub, "cloud-2", 2))
    for pillow in ("cloud-1", "cloud-2"):
        removed = hub.remove(pillow)
        assert removed is not None
        out.add(removed)
    out.add(change_of(hub, "cloud-1", 3))
    out.flush(NOW)

    updates, removals, again = client.take()

    assert isinstance(updates, Updates)
    assert updates.cursor == "ep:2"
    assert removals == Removed("ep:4", ["cloud-1", "cloud-2"])
    assert isinstance(again, Updates)
    assert again.cursor == "ep:5"


def test_a_recovered_snapshot_tells_of_removals_in_a_frame_of_its_own() -> None:
    """What is gone is not in a snapshot; who resumes must hear of it."""
    hub, out = make()
    change_of(hub, "cloud-1", 1)
    change_of(hub, "cloud-2", 2)
    hub.remove("cloud-1")
    client = Client(out, None, Cursor("ep", 1))

    snapshot, removed = client.take()

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
                st.integers(0, 3 * FRAME_BYTES // 2),
                st.integers(FRAME_BYTES - 400, FRAME_BYTES),
            ),
        ),
        max_size=12,
    )
)
@settings(deadline=None, max_examples=150)
def test_no_frame_is_longer_than_a_frame_may_be(given: list[tuple[str, int | None]]) -> None:
    """Unless a single state is; and together they carry every change, in order."""
    hub = Hub("ep", expire_after_ms=1 << 40, history_bytes=0)
    changes = [
        Change(number, pillow, None if size is None else b'"' + b"x" * size + b'"')
        for number, (pillow, size) in enumerate(given, 1)
    ]

    carried: list[object] = []
    for frame in frames_of(changes, hub, NOW):
        message = msgspec.json.decode(frame.data)
        carried += [(message["type"], one) for one in message["pillows"]]
        assert frame.updates == len(message["pillows"])
        assert len(frame.data) <= FRAME_BYTES or frame.updates == 1
        assert frame.cursor == Cursor("ep", len(carried))

    assert carried == [
        ("removed", change.pillow)
        if change.payload is None
        else ("update", msgspec.json.decode(change.payload))
        for change in changes
    ]


def test_a_backlog_becomes_the_newest_of_each() -> None:
    """More than the bound waits for nobody; who then takes gets each pillow once."""
    hub, out = make()
    client = Client(out)
    client.take()
    for at in range(1, 41):
        out.add(change_of(hub, f"cloud-{at % 4}", at, pad=20_000))
        out.flush(NOW)
        assert client.listener._bytes <= BACKLOG_BYTES
    assert client.listener.lagging

    caught_up = client.take()

    told = [state["pillow"] for frame in caught_up for state in getattr(frame, "pillows", [])]
    assert sorted(told) == ["cloud-0", "cloud-1", "cloud-2", "cloud-3"]
    assert {state["seq"] for state in client.states.values()} == {0}
    assert client.cursor == Cursor("ep", 40)
    assert not client.listener.lagging


def test_who_lagged_while_removals_were_forgotten_begins_again() -> None:
    """Else it would keep pillows that are no more, and nobody would ever tell it."""
    hub, out = make()
    names = [f"p{number}" for number in range(TOMBSTONES + 50)]
    for at, name in enumerate(names):
        change_of(hub, name, at)
    client = Client(out)
    client.take()
    assert len(client.states) == len(names)
    for at in range(20):
        out.add(change_of(hub, "big", at, pad=20_000))
        out.flush(NOW)
    assert client.listener.lagging
    for name in names:
        change = hub.remove(name)
        assert change is not None
        out.add(change)
    out.flush(NOW)

    first, *_ = client.take()

    assert isinstance(first, Snapshot)
    assert not first.recovered
    assert set(client.states) == {"big"}


def test_who_asks_for_something_else_while_it_lags_goes_on_to_hear_at_once() -> None:
    """The snapshot ends the lag: the next change wakes it and is in a frame."""
    hub, out = make()
    client = Client(out)
    client.take()
    for at in range(20):
        out.add(change_of(hub, "cloud-1", at, pad=20_000))
    out.flush(NOW)
    assert client.listener.lagging
    out.subscribe(client.listener, frozenset({"cloud-2"}))
    client.take()

    out.add(change_of(hub, "cloud-2", 99))
    out.flush(NOW)

    assert client.woken
    (heard,) = client.take()
    assert isinstance(heard, Updates)


def test_what_was_added_but_not_flushed_comes_once_to_who_reads_the_hub() -> None:
    """A snapshot between an add and its flush holds the change, and no frame repeats it."""
    hub, out = make()
    keen = Client(out)
    keen.take()
    out.add(change_of(hub, "cloud-1", 1))
    joined = Client(out)

    (snapshot,) = joined.take()
    out.flush(NOW)

    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1
    assert joined.take() == []
    assert len(keen.take()) == 1


def test_add_says_when_a_flush_is_to_be_asked_for() -> None:
    """Once for all the changes that one flush takes."""
    hub, out = make()

    assert out.add(change_of(hub, "cloud-1", 1))
    assert not out.add(change_of(hub, "cloud-1", 2))
    assert out.flush(NOW) == 2
    assert out.add(change_of(hub, "cloud-1", 3))


def test_of_each_kind_of_word_only_the_newest_waits() -> None:
    """A broker that flaps does not fill the memory of who does not read."""
    _hub, out = make()
    client = Client(out)
    client.take()
    for at in range(1000):
        out.say_broker("online")
        out.say_broker("offline")
        out.say_heartbeat(at)

    assert client.take() == [Status("offline"), Heartbeat(999)]
    assert client.take() == []


def test_a_status_before_the_snapshot_is_said_by_the_snapshot() -> None:
    """Never twice, and never of the past."""
    _hub, out = make()
    client = Client(out)
    out.say_broker("online")

    (snapshot,) = client.take()

    assert isinstance(snapshot, Snapshot)
    assert snapshot.broker == "online"


def test_the_goodbye_comes_after_everything_else_and_asks_to_close() -> None:
    """With the last changes before it."""
    hub, out = make()
    client = Client(out)
    client.take()
    out.add(change_of(hub, "cloud-1", 1))
    out.flush(NOW)
    out.say_goodbye(RECONNECT_MS, RESTART)

    update, goodbye = client.take()

    assert isinstance(update, Updates)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.listener.closing == RESTART


def test_who_comes_while_the_gateway_leaves_is_told_so_too() -> None:
    """Or it would keep the process waiting, and learn nothing from a connection cut off."""
    _hub, out = make()
    out.say_goodbye(RECONNECT_MS, RESTART)
    client = Client(out)

    snapshot, goodbye = client.take()

    assert isinstance(snapshot, Snapshot)
    assert goodbye == Goodbye(RECONNECT_MS)
    assert client.listener.closing == RESTART


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("attach"), st.sets(pillows).map(frozenset)),
            st.tuples(st.just("subscribe"), st.one_of(st.none(), st.sets(pillows).map(frozenset))),
            st.tuples(st.just("detach"), st.none()),
        ),
        max_size=40,
    )
)
def test_nothing_is_left_of_listeners_that_went(steps: list[tuple[str, Interest]]) -> None:
    """Neither in the index of interests nor among those who want all."""
    _hub, out = make()
    clients: list[Client] = []
    for verb, interest in steps:
        if verb == "attach":
            clients.append(Client(out, interest or None))
        elif clients and verb == "subscribe":
            out.subscribe(clients[-1].listener, interest)
        elif clients:
            out.detach(clients.pop(0).listener)
    assert len(out) == len(clients)
    for client in clients:
        out.detach(client.listener)
        out.detach(client.listener)  # once more does no harm

    assert len(out) == 0
    assert out._to_all == set()
    assert out._to_one == {}


def test_an_event_carries_every_line_of_a_frame() -> None:
    """A state may have been written on several lines; a data field holds one."""
    frame = Frame(b'{"a":\n1,\r\n"b":\r2}', Cursor("ep", 7))

    assert frame.event == b'id: ep:7\ndata: {"a":\ndata: 1,\ndata: "b":\ndata: 2}\n\n'


def test_an_event_that_moves_no_cursor_has_no_id() -> None:
    """Else it would take the cursor away from who resumes."""
    assert Frame(b"{}").event == b"data: {}\n\n"


@given(st.text(alphabet=" \r\nab", max_size=20))
def test_an_event_reads_back_as_the_frame(text: str) -> None:
    """As the standard's parser joins the lines, save that every line break becomes the same one."""
    event = Frame(text.encode()).event.decode()

    assert event.endswith("\n\n")
    lines = event[:-2].split("\n")
    assert all(line.startswith("data: ") for line in lines)
    read = "\n".join(line.removeprefix("data: ") for line in lines)
    assert read == text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_change_without_listeners_costs_no_frame() -> None:
    """And what nobody heard is in the next snapshot."""
    hub, out = make()
    out.add(change_of(hub, "cloud-1", 1))
    assert out.flush(NOW) == 1

    (snapshot,) = Client(out).take()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.pillows) == 1


def test_a_flush_of_nothing_wakes_nobody() -> None:
    """A snapshot took what was gathered; the flush that had been asked for comes all the same."""
    hub, out = make()
    keen = Client(out)
    keen.take()
    out.add(change_of(hub, "cloud-1", 1))
    Client(out).take()
    keen.take()

    assert out.flush(NOW) == 0
    assert not keen.woken
