"""Last write wins: whatever is published in whatever order, the broker ends with the newest."""

import math
from collections import deque
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from contract.updates import Update
from poller.journal.save_marks import NEVER, SaveMark, SaveMarks
from poller.publish.last_writes import KEPT_DAYS, LastWrites

Order = tuple[int, int]


def new_writes(
    max_pillows: float = math.inf, on_forgotten: Callable[[str], None] = lambda _pillow: None
) -> LastWrites:
    """Return the last writes of a poller that is connected to a broker without any state."""
    writes = LastWrites(SaveMarks("a0"), max_pillows, on_forgotten)
    writes.compare(delivers_retained=True)
    return writes


def missing(writes: LastWrites) -> set[str]:
    """Return the pillows that the broker lacks, as far as it has sent anything."""
    return {one.pillow for one in writes.compare(delivers_retained=True).missing}


def update(at: int, seq: int = 0, *, pillow: str = "a", note: str = "", hop: int = 0) -> Update:
    """Return a state of a pillow; a duplicate may differ in `hop` and not in `note`."""
    payload = f'{{"note":"{note}","hops":{{"published":{hop}}}}}'.encode()
    return Update(pillow, "hugging", (at, seq), payload, published_ms=at)


def test_only_a_recorded_state_supersedes() -> None:
    """A publish in flight may never arrive."""
    writes = new_writes()

    assert not writes.supersedes(update(1))
    writes.record(update(5))
    assert writes.supersedes(update(4))
    assert writes.supersedes(update(5))
    assert not writes.supersedes(update(6))
    assert not writes.supersedes(update(4, pillow="b"))


def test_seq_orders_states_of_the_same_time() -> None:
    """The order of the publishes does not."""
    writes = new_writes()
    writes.record(update(5, 2))

    assert writes.supersedes(update(5, 1))
    assert not writes.supersedes(update(5, 3))
    assert writes.record(update(5, 1)) == update(5, 2)


def test_a_different_state_of_the_same_order_is_not_superseded() -> None:
    """Two messages of one instant are both published; one that is delivered twice is not."""
    writes = new_writes()
    writes.record(update(5, note="one", hop=1))

    assert writes.supersedes(update(5, note="one", hop=2))
    assert not writes.supersedes(update(5, note="other"))
    assert writes.record(update(5, note="other")) is None


def test_an_older_state_on_the_broker_returns_the_last_write_to_republish() -> None:
    """The last write stays, so that it can be published again."""
    writes = new_writes()
    writes.record(update(9))

    assert writes.record(update(3)) == update(9)
    assert writes.get("a") == update(9)
    assert writes.record(update(9)) is None
    assert writes.record(update(10)) is None
    assert writes.supersedes(update(9))


def test_missing_are_the_last_writes_that_a_broker_without_memory_lacks() -> None:
    """Those that it did not send, and those that it sent an older state of."""
    writes = new_writes()
    for pillow, at in (("a", 1), ("b", 2), ("c", 3)):
        writes.record(update(at, pillow=pillow))
    assert missing(writes) == set()

    writes.mark_unconfirmed()
    writes.record(update(2, pillow="b"))
    writes.record(update(1, pillow="c"))

    assert missing(writes) == {"a", "c"}


def test_a_state_whose_mark_the_broker_has_saved_was_removed() -> None:
    """One that was written after the mark was lost."""
    writes = new_writes()
    writes.record(update(1, pillow="removed"))
    saved = writes.marks.advance()
    writes.record(update(2, pillow="lost"))

    writes.mark_unconfirmed()
    writes.marks.receive(saved)
    found = writes.compare(delivers_retained=True)

    assert [one.pillow for one in found.missing] == ["lost"]
    assert found.removed == ["removed"]
    assert writes.has_lost
    assert writes.get("removed") is None
    writes.record(update(2, pillow="lost"))
    assert not writes.has_lost


def test_a_broker_that_does_not_send_retained_states_has_them() -> None:
    """Its mark is asked for by its own topic, and tells that the state was saved."""
    writes = new_writes()
    writes.record(update(1))
    saved = writes.marks.advance()

    writes.mark_unconfirmed()
    writes.marks.receive(saved)
    found = writes.compare(delivers_retained=False)

    assert (found.missing, found.removed) == ([], [])
    assert writes.get("a") == update(1)


def test_what_an_attempt_received_counts_no_more_in_the_next_one() -> None:
    """The broker may have been killed between two attempts of which none became ready."""
    writes = new_writes()
    writes.record(update(1))
    saved = writes.marks.advance()
    writes.mark_unconfirmed()

    writes.marks.receive(saved)
    writes.record(update(1))
    writes.mark_unconfirmed()

    assert missing(writes) == {"a"}


def test_a_state_that_is_received_before_the_marks_gets_one_above_them() -> None:
    """After a restart the first marks may be below those that the broker retains."""
    writes = LastWrites(SaveMarks("a0"))
    writes.record(update(1))
    writes.marks.receive(SaveMark("a0", 40))
    found = writes.compare(delivers_retained=True)

    assert found.marked == ["a"]
    assert writes.mark_of("a") == SaveMark("a0", 41)


def test_a_state_of_the_journal_is_a_last_write_unless_a_newer_one_is_known() -> None:
    """A journal that is opened late may have older states."""
    writes = new_writes()
    writes.record(update(5))
    writes.load(update(4), SaveMark("a0", 1))
    writes.load(update(7, pillow="b"), SaveMark("b0", 3))

    assert writes.get("a") == update(5)
    assert writes.supersedes(update(6, pillow="b"))
    assert missing(writes) == {"b"}


def test_a_state_that_was_journaled_while_the_broker_lacked_it_gets_a_mark() -> None:
    """As soon as the broker has it; otherwise its removal would be taken for a loss ever after."""
    writes = LastWrites(SaveMarks("a0"))
    writes.load(update(1), SaveMark("a0", NEVER))
    writes.record(update(1))

    assert writes.compare(delivers_retained=True).marked == ["a"]
    saved = writes.marks.advance()
    assert writes.mark_of("a") == saved
    writes.mark_unconfirmed()
    writes.marks.receive(saved)
    assert writes.compare(delivers_retained=True).removed == ["a"]


def test_a_pillow_of_which_nothing_came_for_a_week_is_forgotten() -> None:
    """The broker has dropped its state."""
    writes = new_writes()
    writes.record(update(1))
    writes.record(update(1, pillow="b"))
    for _ in range(KEPT_DAYS):
        assert writes.pass_day() == []
    writes.record(update(2, pillow="b"))

    assert writes.pass_day() == ["a"]
    assert len(writes) == 1


def test_a_removed_pillow_supersedes_nothing() -> None:
    """It can be published again with any state."""
    writes = new_writes()
    writes.record(update(9))
    writes.remove("a")

    assert len(writes) == 0
    assert not writes.supersedes(update(1))
    assert missing(writes) == set()
    writes.remove("unknown")


@given(
    limit=st.integers(1, 4),
    states=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.booleans()), max_size=60
    ),
)
def test_above_the_limit_the_pillow_silent_for_longest_is_forgotten(
    limit: int, states: list[tuple[str, int, bool]]
) -> None:
    """A state that is sent again is no word of its pillow; one of a broker replaces no pillow."""
    forgotten: list[str] = []
    writes = new_writes(limit, forgotten.append)
    known: dict[str, int] = {}
    expected: list[str] = []
    for pillow, at, is_received in states:
        if is_received:
            writes.record_received(update(at, pillow=pillow, hop=at))
        else:
            writes.record(update(at, pillow=pillow, hop=at))
        if pillow in known:
            if at > known[pillow]:
                del known[pillow]
                known[pillow] = at
        elif is_received and len(known) == limit:
            expected.append(pillow)
        else:
            known[pillow] = at
            if len(known) > limit:
                expected.append(next(iter(known)))
                del known[expected[-1]]
        assert len(writes) == len(known) <= limit
        assert forgotten == expected
    writes.mark_unconfirmed()
    assert missing(writes) == set(known)


class Poller:
    """One poller: its last writes, and the packets to and from it."""

    def __init__(self) -> None:
        self.writes = new_writes()
        self.outgoing: deque[Update] = deque()
        self.incoming: deque[tuple[str, Update]] = deque()

    def republish(self, newest: Update | None) -> None:
        """Publish a last write again, if there is one to publish."""
        if newest is not None:
            self.outgoing.append(newest)


class Pollers(RuleBasedStateMachine):
    """Several pollers and a broker, whose connections keep their order each for itself.

    Confirmations and states of others arrive in the order in which the broker accepted them.
    """

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.retained: Update | None = None
        self.accepted: set[Order] = set()
        self.loop_back = False
        self.pollers: list[Poller] = []

    @initialize(count=st.integers(1, 4), loop_back=st.booleans())
    def begin(self, count: int, loop_back: bool) -> None:
        """`loop_back` is MQTT 3.1.1: a publisher receives its own publishes."""
        self.loop_back = loop_back
        self.pollers = [Poller() for _ in range(count)]

    @rule(target=messages, at=st.integers(0, 5), seq=st.integers(0, 2), note=st.sampled_from("xy"))
    def put(self, at: int, seq: int, note: str) -> Update:
        """A message is put on the queue; it can be delivered any number of times."""
        return update(at, seq, note=note)

    @rule(message=messages, which=st.integers(0, 3))
    def publish(self, message: Update, which: int) -> None:
        """A poller receives a message and publishes it, unless it is superseded."""
        poller = self.pollers[which % len(self.pollers)]
        if poller.writes.supersedes(message):
            assert any(order >= message.order for order in self.accepted), "nothing was confirmed"
        else:
            poller.outgoing.append(message)

    @rule(which=st.integers(0, 3))
    def accept(self, which: int) -> None:
        """The broker accepts the next publish of a poller."""
        self._accept(self.pollers[which % len(self.pollers)])

    @rule(which=st.integers(0, 3))
    def deliver(self, which: int) -> None:
        """The next packet of the broker reaches a poller."""
        self._deliver(self.pollers[which % len(self.pollers)])

    @rule(which=st.integers(0, 3))
    def deliver_twice(self, which: int) -> None:
        """A state is delivered twice in its place, because QoS 1 is at least once."""
        poller = self.pollers[which % len(self.pollers)]
        if poller.incoming and poller.incoming[0][0] == "state":
            poller.incoming.appendleft(poller.incoming[0])

    @precondition(lambda self: self.pollers)
    @rule(which=st.integers(0, 3), accepted=st.integers(0, 3))
    def reconnect(self, which: int, accepted: int) -> None:
        """A poller loses its connection; the broker had accepted some publishes in transit."""
        poller = self.pollers[which % len(self.pollers)]
        unconfirmed = [one for kind, one in poller.incoming if kind == "confirm"]
        for _ in range(min(accepted, len(poller.outgoing))):
            unconfirmed.append(poller.outgoing[0])
            self._accept(poller)
        unconfirmed += poller.outgoing
        poller.outgoing.clear()
        poller.incoming.clear()
        poller.writes.mark_unconfirmed()
        if self.retained is not None:
            poller.republish(poller.writes.record(self.retained))
        for newest in poller.writes.compare(delivers_retained=True).missing:
            poller.republish(newest)
        for message in unconfirmed:
            if not poller.writes.supersedes(message):
                poller.outgoing.append(message)

    @invariant()
    def every_last_write_was_accepted(self) -> None:
        """No poller records a state that the broker never accepted."""
        for poller in self.pollers:
            newest = poller.writes.get("a")
            assert newest is None or newest.order in self.accepted

    def teardown(self) -> None:
        """When every packet has arrived, the broker has the newest state it ever accepted."""
        for _ in range(10_000):
            busy = [poller for poller in self.pollers if poller.outgoing or poller.incoming]
            if not busy:
                break
            for poller in busy:
                self._accept(poller)
                self._deliver(poller)
        else:
            raise AssertionError("the pollers republish against each other for ever")
        if self.retained is not None:
            assert self.retained.order == max(self.accepted)

    def _accept(self, poller: Poller) -> None:
        if not poller.outgoing:
            return
        message = poller.outgoing.popleft()
        self.retained = message
        self.accepted.add(message.order)
        for other in self.pollers:
            if other is not poller or self.loop_back:
                other.incoming.append(("state", message))
        poller.incoming.append(("confirm", message))

    def _deliver(self, poller: Poller) -> None:
        if poller.incoming:
            _kind, message = poller.incoming.popleft()
            poller.republish(poller.writes.record(message))


TestPollers = Pollers.TestCase
