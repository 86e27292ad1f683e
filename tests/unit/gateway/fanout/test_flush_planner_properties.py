"""The planner under any sequence of events: no change is lost, repeated or out of order."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.frames import Snapshot, Status
from gateway.fanout.subscriptions import Filter
from tests.hypothesis_profiles import examples
from tests.unit.gateway.fanout.planners import change_of, flush, make
from tests.unit.gateway.strategies import filters, pillows
from tests.unit.gateway.subscribers import Client, deliver

STATUSES = (Status("online"), Status("online", retained=False), Status("offline"))


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

    @rule(pillow=pillows, pad=st.sampled_from((0, 300, 25_000)))
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
        for client in (self.fast, *self.slow):
            if client.is_live:
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
            again.named, again.removes_unnamed = client.named, client.removes_unnamed
            while not again.is_live:
                flush(self.planner)
            self.fast.changes.clear()
            self.expected.clear()
            first = again.take_frames()[0]
            assert isinstance(first, Snapshot)
            assert first.recovered == (client.cursor is not None)
            assert again.states == self.whole(again.wanted)
            self.planner.unsubscribe(again)

    @rule(status=st.sampled_from(STATUSES))
    def broker_changes(self, status: Status) -> None:
        deliver(self.planner.announce_broker(status))

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
                if statuses:
                    last = statuses[-1]
                    assert Status(last.broker, last.retained) == self.planner.status

    def teardown(self) -> None:
        """Let all of them read: each ends with what the store has."""
        for client in getattr(self, "slow", ()):
            client.full = False
            if client.is_paused:
                self.planner.resume(client)
        while hasattr(self, "planner") and self.planner.is_due:
            flush(self.planner)
        for client in getattr(self, "slow", ()):
            assert client.is_live
            assert client.is_complete
            assert client.states == self.whole(client.wanted)

    def whole(self, filter: Filter) -> dict[str, dict[str, object]]:
        states = (msgspec.json.decode(state) for state in self.store.states())
        return {
            state["pillow"]: state
            for state in states
            if filter is None or state["pillow"] in filter
        }


TestPlanner = PlannerMachine.TestCase
TestPlanner.settings = settings(max_examples=examples(120), stateful_step_count=40)


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
    assert list(planner._index._groups_of_pillow) == []
    assert planner.subscription_bytes() == 0
