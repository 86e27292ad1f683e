"""The subscription index against plain dictionaries, and the one writer of a subscriber's state."""

import ast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contract.frames import Status
from devstack.processes import ROOT
from gateway.fanout.encoding import Encoding
from gateway.fanout.positions import ResumeFrom, ResumePoint
from gateway.fanout.raw_send import NO_DESCRIPTOR
from gateway.fanout.subscriptions import (
    Filter,
    Subscriber,
    SubscriptionIndex,
    filter_bytes,
    matching,
)
from gateway.state.state_store import Change
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import PILLOWS, filters

encodings = st.sampled_from(Encoding)
numbers = st.integers(0, 5)


class Bare(Subscriber):
    """A subscriber that drops everything."""

    def __init__(self) -> None:
        super().__init__(NO_DESCRIPTOR)

    def write(self, data: bytes | memoryview, /) -> None:
        """Drop it."""

    def on_caught_up(self, *, closing: bool) -> None:
        """Do nothing."""


class IndexMachine(RuleBasedStateMachine):
    """Six subscribers that are added, made live, paused, resumed and removed in any order."""

    @initialize()
    def start(self) -> None:
        self.index = SubscriptionIndex()
        self.subscribers = [Bare() for _ in range(6)]
        self.subscribed: dict[Subscriber, tuple[Filter, Encoding]] = {}
        self.live: set[Subscriber] = set()
        self.paused: set[Subscriber] = set()
        self.resume_from: dict[Subscriber, ResumeFrom] = {}
        self.offset = 0

    @rule(number=numbers, filter=filters, encoding=encodings)
    def add(self, number: int, filter: Filter, encoding: Encoding) -> None:
        subscriber = self.subscribers[number]
        if subscriber in self.subscribed:
            with pytest.raises(AssertionError, match="in two groups"):
                self.index.add(subscriber, filter, encoding, None)
            return
        self.index.add(subscriber, filter, encoding, None)
        self.subscribed[subscriber] = (filter, encoding)

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        subscriber = self.subscribers[number]
        self.index.remove(subscriber)
        self.subscribed.pop(subscriber, None)
        self.live.discard(subscriber)
        self.resume_from.pop(subscriber, None)

    @rule(number=numbers)
    def set_live(self, number: int) -> None:
        subscriber = self.subscribers[number]
        if subscriber.group is None:
            return
        if subscriber in self.paused:
            with pytest.raises(AssertionError, match="a paused subscriber is made live"):
                self.index.set_live(subscriber.group, [subscriber])
            return
        self.index.set_live(subscriber.group, [subscriber])
        self.live.add(subscriber)
        self.resume_from.pop(subscriber, None)

    @rule(number=numbers)
    def pause(self, number: int) -> None:
        subscriber = self.subscribers[number]
        self.offset += 1
        point = ResumePoint(self.offset, Status("online"))
        self.index.pause(subscriber, point)
        self.paused.add(subscriber)
        if subscriber in self.live:
            self.live.discard(subscriber)
            self.resume_from[subscriber] = point

    @rule(number=numbers)
    def resume(self, number: int) -> None:
        self.index.resume(self.subscribers[number])
        self.paused.discard(self.subscribers[number])

    @invariant()
    def subscribers_are_in_the_states_that_the_calls_left_them_in(self) -> None:
        assert len(self.index) == len(self.subscribed)
        for subscriber in self.subscribers:
            assert subscriber.is_subscribed == (subscriber in self.subscribed)
            assert subscriber.is_live == (subscriber in self.live)
            assert subscriber.is_paused == (subscriber in self.paused)
            assert subscriber.resume_from == self.resume_from.get(subscriber)
            assert not (subscriber.is_live and subscriber.is_paused)

    @invariant()
    def groups_are_those_of_the_subscribers(self) -> None:
        groups = {(group.filter, group.encoding): group for group in self.index}
        assert set(groups) == set(self.subscribed.values())
        for key, group in groups.items():
            members = {one for one, wanted in self.subscribed.items() if wanted == key}
            assert group.size == len(members)
            assert set(group.live) == members & self.live
            assert all(sent_to == one.descriptor for one, sent_to in group.live.items())

    @invariant()
    def the_memory_of_names_adds_up(self) -> None:
        """One filter is counted once for each encoding, however many subscribers have it."""
        total = sum(filter_bytes(group.filter) for group in self.index)
        assert self.index.size_bytes == total
        for group in self.index:
            assert self.index.bytes_with(group.filter) == total
        other = frozenset({"somebody-else"})
        assert self.index.bytes_with(other) == total + filter_bytes(other)

    @invariant()
    def a_change_affects_the_groups_that_want_its_pillow(self) -> None:
        changes = [Change(offset, pillow, b"{}") for offset, pillow in enumerate(PILLOWS * 2)]
        affected = self.index.affected_by(changes)
        for group in self.index:
            assert list(affected.get(group, ())) == matching(changes, group.filter)


TestIndex = IndexMachine.TestCase
TestIndex.settings = settings(max_examples=examples(60), stateful_step_count=40)


def test_the_subscription_index_is_the_one_writer_of_a_subscribers_state() -> None:
    """A connection or a planner that writes it would break the invariants unseen."""
    state = {"group", "is_paused", "resume_from"}
    writers = set()
    for path in (ROOT / "services/gateway/src/gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store | ast.Del)
                and node.attr in state
            ):
                writers.add(path.name)

    assert writers == {"subscriptions.py"}
