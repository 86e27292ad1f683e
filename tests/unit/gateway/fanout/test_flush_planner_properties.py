"""The planner under any sequence of events: no change is lost, repeated or out of order."""

from contextlib import ExitStack
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.frames import Snapshot, Status
from gateway.fanout import catch_up_queue
from gateway.fanout.catch_up_queue import BATCH
from gateway.fanout.subscriptions import Filter
from tests.hypothesis_profiles import examples
from tests.unit.gateway.fanout.planners import change_of, flush, make
from tests.unit.gateway.strategies import filters, pillows
from tests.unit.gateway.subscribers import Client, deliver

STATUSES = (Status("online"), Status("online", retained=False), Status("offline"))


class PlannerMachine(RuleBasedStateMachine):
    """A fast subscriber, slow ones, and ones that leave and come back, in any order of events."""

    @initialize(
        wanted=st.lists(filters, min_size=1, max_size=3),
        batch=st.sampled_from((1, 3, BATCH)),
    )
    def begin(self, wanted: list[Filter], batch: int) -> None:
        self.patches = ExitStack()
        # A few subscribers are more than a batch.
        self.patches.enter_context(patch.object(catch_up_queue, "BATCH", batch))
        self.store, self.planner = make()
        self.clock = 0
        self.expected: list[tuple[str, object]] = []
        self.fast = Client(self.planner)
        self.slow = [Client(self.planner, filter) for filter in wanted]
        # One that is without motion, and chooses.
        self.slow.append(Client(self.planner, wanted[0], has_motion=False))
        self.chosen: frozenset[str] = frozenset()
        self.moved: dict[str, object] = {}
        self.left: list[Client] = []
        flush(self.planner)

    @rule(pillow=pillows, pad=st.sampled_from((0, 300, 25_000)), has_motion=st.booleans())
    def update(self, pillow: str, pad: int, has_motion: bool) -> None:
        self.clock += 1
        change = change_of(self.store, pillow, self.clock, pad, has_motion=has_motion)
        assert change.payload is not None
        self.planner.publish(change)
        at = msgspec.json.decode(change.payload)["at"]
        self.expected.append((pillow, at))
        self.moved[pillow] = at if has_motion else None

    @rule(pillow=pillows)
    def removal(self, pillow: str) -> None:
        change = self.store.remove(pillow)
        if change is not None:
            self.planner.publish(change)
            self.expected.append((pillow, None))
            self.moved[pillow] = None

    @rule(which=st.integers(0, 3), chosen=st.frozensets(pillows))
    def motion_is_chosen(self, which: int, chosen: frozenset[str]) -> None:
        client = self.slow[which % len(self.slow)]
        if not client.has_motion:
            self.planner.subscribe_motion(client, chosen)
            self.chosen = chosen

    @rule(may_go_on=st.one_of(st.none(), st.integers(0, 3)))
    def flush(self, may_go_on: int | None) -> None:
        still = [one for one in self.slow if not one.has_motion and one.is_live and not one.full]
        flush(self.planner, may_go_on)
        for client in still:
            # The newest samples of each pillow that it wants, and of no other.
            moved = {pillow: at for pillow, at in self.moved.items() if at is not None}
            wanted = {one for one in self.chosen if client.wanted is None or one in client.wanted}
            assert dict(client.motion) == {one: moved[one] for one in wanted if one in moved}
        for client in self.slow:
            client.motion.clear()
        self.moved.clear()
        # A subscriber that is never paused gets every change once, in order.
        assert self.fast.changes == self.expected
        self.expected.clear()
        self.fast.changes.clear()
        for client in (self.fast, *self.slow):
            if client.is_live:
                assert client.states == self.whole(client)

    @rule(which=st.integers(0, 3))
    def a_subscriber_is_paused(self, which: int) -> None:
        client = self.slow[which % len(self.slow)]
        if not client.is_paused:
            self.planner.pause(client)

    @rule(which=st.integers(0, 3))
    def a_transport_fills_up_with_the_next_write(self, which: int) -> None:
        self.slow[which % len(self.slow)].full = True

    @rule(which=st.integers(0, 3))
    def a_subscriber_is_resumed(self, which: int) -> None:
        client = self.slow[which % len(self.slow)]
        client.full = False
        if client.is_paused:
            self.planner.resume(client)

    @rule(which=st.integers(0, 3), wanted=filters)
    def a_subscriber_changes_its_filter(self, which: int, wanted: Filter) -> None:
        client = self.slow[which % len(self.slow)]
        client.subscribe(wanted)

    @rule(which=st.integers(0, 3))
    def a_subscriber_leaves(self, which: int) -> None:
        client = self.slow[which % len(self.slow)]
        self.planner.unsubscribe(client)
        self.left.append(client)
        again = Client(self.planner, client.wanted, has_motion=client.has_motion)
        self.slow[which % len(self.slow)] = again
        if not client.has_motion:
            self.chosen = frozenset()

    @rule()
    def those_that_left_come_back(self) -> None:
        while self.left:
            client = self.left.pop()
            again = Client(self.planner, client.wanted, client.cursor, has_motion=client.has_motion)
            again.states = dict(client.states)
            again.named, again.removes_unnamed = client.named, client.removes_unnamed
            while not again.is_live:
                flush(self.planner)
            self.fast.changes.clear()
            self.expected.clear()
            self.moved.clear()
            for one in self.slow:
                one.motion.clear()
            first = again.take_frames()[0]
            assert isinstance(first, Snapshot)
            assert first.recovered == (client.cursor is not None)
            assert again.states == self.whole(again)
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
        """Let all of them read: each ends with what the store has, and then with the goodbye."""
        if not hasattr(self, "planner"):
            return
        with self.patches:
            for client in self.slow:
                client.full = False
                if client.is_paused:
                    self.planner.resume(client)
            while self.planner.is_due:
                flush(self.planner)
            for client in self.slow:
                assert client.is_live
                assert client.is_complete
                assert client.states == self.whole(client)
            self.end()

    def end(self) -> None:
        """All but the fast one wait for a snapshot again; the goodbye waits for nothing."""
        for client in self.slow:
            client.subscribe(client.wanted)
        deliver(self.planner.announce_restart((0, 0)))
        flush(self.planner, 0)
        for client in (self.fast, *self.slow):
            assert client.closed
            assert client.cursor is not None

    def whole(self, client: Client) -> dict[str, dict[str, object]]:
        left_out = () if client.has_motion else ("motion",)
        states = (msgspec.json.decode(state) for state in self.store.states())
        return {
            state["pillow"]: {name: state[name] for name in state if name not in left_out}
            for state in states
            if client.wanted is None or state["pillow"] in client.wanted
        }


TestPlanner = PlannerMachine.TestCase
TestPlanner.settings = settings(max_examples=examples(120), stateful_step_count=40)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("join"), st.sets(pillows).map(frozenset)),
            st.tuples(st.just("subscribe"), st.one_of(st.none(), st.sets(pillows).map(frozenset))),
            st.tuples(st.just("flush"), st.none()),
            st.tuples(st.just("motion"), st.sets(pillows).map(frozenset)),
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
            clients.append(Client(planner, filter or None, has_motion=len(clients) % 2 == 0))
        elif verb == "flush":
            flush(planner)
        elif clients and verb == "motion":
            if not clients[-1].has_motion:
                assert isinstance(filter, frozenset)
                planner.subscribe_motion(clients[-1], filter)
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
    assert not planner._motion
    assert list(planner._motion._subscribers) == []
    assert planner.subscription_bytes() == 0
