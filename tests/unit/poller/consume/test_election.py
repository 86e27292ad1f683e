"""The election: one poller is active, soon, whatever messages are late and whoever stops."""

import heapq
from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.poller_roles import MAX_TERM, PollerRole, RoleMessage
from poller.consume.election import (
    BEATS,
    FAILING_S,
    PATIENCE_S,
    SETTLE_FRACTION,
    STALE_FRACTION,
    TICKS,
    Election,
    Phase,
    Reason,
)
from tests.hypothesis_profiles import examples

TAKEOVER_S = 3.0
SETTLE_S = TAKEOVER_S * SETTLE_FRACTION
WITHIN_S = TAKEOVER_S * 1.5
"""Within which some poller is active again, whatever happened before."""


class Network:
    """Pollers and a broker that retains; messages take a random time, and keep their order."""

    def __init__(self, seed: int, pollers: int, latency_s: float = 0.05) -> None:
        self.random = Random(seed)
        self.latency_s = latency_s
        self.now_s = 100.0
        self.retained: RoleMessage | None = None
        self.elections = [
            Election(f"p{number}", f"{self.random.randrange(2**32):x}", TAKEOVER_S, jitter)
            for number, jitter in enumerate(self.random.random() for _ in range(pollers))
        ]
        self.works = [True] * pollers
        self.reaches = [True] * pollers
        self.stopped: dict[int, list[Callable[[], None]]] = {}
        """What waits for a process that is stopped."""
        self.dead: set[int] = set()
        self._events: list[tuple[float, int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._lines: dict[tuple[int, str], float] = {}
        for number in range(pollers):
            self._at(self.now_s + self.random.random() / 10, number, partial(self._tick, number))

    def connect(self, number: int) -> None:
        """Deliver what is retained, and report ready."""
        election = self.elections[number]
        election.disconnect()
        if self.retained is not None:
            election.receive(self.retained, self.now_s)
        self._publish(number, election.ready(self.now_s))

    def kill(self, number: int) -> None:
        """End a process at once."""
        self.dead.add(number)

    def release(self, number: int) -> None:
        """End a process in order."""
        self._publish(number, self.elections[number].release())
        self.dead.add(number)

    def stop(self, number: int) -> None:
        """Let a process stand still, as SIGSTOP does."""
        self.stopped[number] = []

    def go_on(self, number: int) -> None:
        """Let it go on: what arrived meanwhile comes first, or last."""
        waiting = self.stopped.pop(number)
        for event in waiting:
            event()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        while self._events and self._events[0][0] <= end_s:
            self.now_s, _, number, event = heapq.heappop(self._events)
            if number in self.dead:
                continue
            if number in self.stopped:
                self.stopped[number].append(event)
                continue
            event()
        self.now_s = end_s

    @property
    def active(self) -> list[int]:
        """The pollers that may receive now; one that is stopped does nothing."""
        return [
            number
            for number, election in enumerate(self.elections)
            if number not in self.dead
            and number not in self.stopped
            and election.is_active(self.now_s)
        ]

    def _at(self, due_s: float, number: int, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (due_s, next(self._numbers), number, event))

    def _send(self, number: int, direction: str, event: Callable[[], None]) -> None:
        due_s = self.now_s + self.random.random() * self.latency_s
        line = number, direction
        self._lines[line] = due_s = max(due_s, self._lines.get(line, 0.0))
        self._at(due_s, -1 if direction == "out" else number, event)

    def _tick(self, number: int) -> None:
        election = self.elections[number]
        message = election.tick(
            self.now_s, works=self.works[number], reaches_queue=self.reaches[number]
        )
        self._publish(number, message)
        self._at(self.now_s + election.pause_s, number, lambda: self._tick(number))

    def _publish(self, number: int, message: RoleMessage | None) -> None:
        if message is not None:
            self._send(number, "out", lambda: self._arrive(number, message))

    def _arrive(self, number: int, message: RoleMessage) -> None:
        if message.role is not PollerRole.STANDBY:
            self.retained = message
        for other in range(len(self.elections)):
            if other != number:
                self._send(other, "in", partial(self._hear, other, message))
        if message.role is PollerRole.ACTIVE:
            self._send(number, "in", lambda: self.elections[number].acknowledge(self.now_s))

    def _hear(self, number: int, message: RoleMessage) -> None:
        self._publish(number, self.elections[number].receive(message, self.now_s))


def started(seed: int, pollers: int, **options: float) -> Network:
    """Return pollers that were started one after the other."""
    network = Network(seed, pollers, **options)
    for number in range(pollers):
        network.connect(number)
        network.run(network.random.random())
    network.run(WITHIN_S)
    return network


def test_a_poller_alone_is_active_at_once_and_says_it_once() -> None:
    """A subscriber receives no further message."""
    network = Network(1, 1)
    network.connect(0)
    network.run(SETTLE_S + 0.3)
    assert network.active == [0]
    assert network.elections[0].reason is Reason.START
    said = network.retained
    for _ in range(100):
        network.run(10)
        assert network.active == [0]
        assert network.retained is said


@settings(max_examples=examples(100))
@given(seed=st.integers(0, 2**32), pollers=st.integers(1, 5), latency_s=st.floats(0, 0.3))
def test_one_is_active_always(seed: int, pollers: int, latency_s: float) -> None:
    """However long messages take: the first one stays."""
    network = started(seed, pollers, latency_s=latency_s)
    (first,) = network.active
    for _ in range(200):
        network.run(0.1)
        assert network.active == [first]


@settings(max_examples=examples(100))
@given(seed=st.integers(0, 2**32), pollers=st.integers(2, 5))
def test_pollers_that_start_at_the_same_moment_agree(seed: int, pollers: int) -> None:
    """All find nothing retained; no two receive, where messages take less than they listen."""
    network = Network(seed, pollers, latency_s=SETTLE_S / 4)
    for number in range(pollers):
        network.connect(number)
    for _ in range(200):
        network.run(0.01)
        assert len(network.active) <= 1
    (first,) = network.active
    network.run(30)
    assert network.active == [first]


@settings(max_examples=examples(100))
@given(seed=st.integers(0, 2**32), pollers=st.integers(2, 5))
@example(seed=3467, pollers=5)  # killed before it had heard that another one stands by
def test_a_killed_one_is_replaced_within_seconds(seed: int, pollers: int) -> None:
    """Until one is left."""
    network = started(seed, pollers)
    for _ in range(pollers - 1):
        (before,) = network.active
        network.kill(before)
        network.run(TAKEOVER_S * (1 - 1 / BEATS) - 0.3)
        assert network.active == [], "a poller took over before the time"
        network.run(WITHIN_S)
        (after,) = network.active
        assert after != before
        assert network.elections[after].reason is Reason.SILENT


@settings(max_examples=examples(100))
@given(seed=st.integers(0, 2**32), pollers=st.integers(2, 5))
def test_one_that_ends_in_order_is_replaced_at_once(seed: int, pollers: int) -> None:
    """In a tenth of a second, beside what messages and ticks take."""
    network = started(seed, pollers)
    (before,) = network.active
    network.release(before)
    network.run(4 * network.latency_s + 2 * SETTLE_S + TAKEOVER_S / TICKS)
    assert len(network.active) == 1
    network.run(WITHIN_S)
    (after,) = network.active
    assert network.elections[after].reason is Reason.RELEASED


@settings(max_examples=examples(100))
@given(
    seed=st.integers(0, 2**32),
    pollers=st.integers(2, 4),
    stopped_s=st.floats(0.1, 100),
)
def test_one_that_stood_still_does_not_go_on_beside_its_successor(
    seed: int, pollers: int, stopped_s: float
) -> None:
    """It receives only when the broker has acknowledged that it is active."""
    network = started(seed, pollers)
    (before,) = network.active
    network.stop(before)
    network.run(stopped_s)
    network.go_on(before)
    for _ in range(300):
        assert len(network.active) <= 1
        network.run(0.01)
    network.run(WITHIN_S)
    assert len(network.active) == 1


@settings(max_examples=examples(50))
@given(seed=st.integers(0, 2**32), stopped_s=st.floats(0.1, 100))
def test_all_that_stood_still_change_nothing(seed: int, stopped_s: float) -> None:
    """As on a machine that slept."""
    network = started(seed, 3)
    before = network.active
    for number in range(3):
        network.stop(number)
    network.run(stopped_s)
    for number in network.random.sample(range(3), 3):
        network.go_on(number)
    network.run(WITHIN_S)
    assert network.active == before


@settings(max_examples=examples(100))
@given(
    seed=st.integers(0, 2**32),
    acts=st.lists(
        st.tuples(st.sampled_from(["stop", "go on", "reconnect"]), st.integers(0, 3)), max_size=20
    ),
)
def test_one_is_active_after_any_disorder(seed: int, acts: list[tuple[str, int]]) -> None:
    """Pollers stop, go on and lose their connections at any moment."""
    network = started(seed, 4)
    for act, number in acts:
        if act == "stop" and number not in network.stopped:
            network.stop(number)
        elif act == "go on" and number in network.stopped:
            network.go_on(number)
        elif act == "reconnect" and number not in network.stopped:
            network.elections[number].disconnect()
            network.run(network.random.random())
            network.connect(number)
        network.run(network.random.random() * 4)
    for number in tuple(network.stopped):
        network.go_on(number)
    network.run(2 * WITHIN_S)
    (active,) = network.active
    for _ in range(100):
        network.run(0.1)
        assert network.active == [active]


def test_a_broker_that_lost_its_memory_changes_nothing() -> None:
    """The pollers on standby wait for the one that was active."""
    network = started(3, 3)
    (before,) = network.active
    network.retained = None
    for number in (*{0, 1, 2} - {before}, before):
        network.connect(number)
        network.run(0.2)
    network.run(WITHIN_S)
    assert network.active == [before]


def test_one_that_took_over_goes_on_when_the_broker_has_lost_its_memory() -> None:
    """It remembers the one before it, and waits for nobody."""
    network = started(3, 3)
    network.kill(network.active[0])
    network.run(2 * WITHIN_S)
    (active,) = network.active
    network.retained = None
    network.connect(active)
    network.run(SETTLE_S + 0.5)
    assert network.active == [active]


def test_a_poller_alone_that_stood_still_asks_the_broker_first() -> None:
    """Another one may have been started meanwhile."""
    election = Election("one", "0a", TAKEOVER_S, 0.0)
    election.ready(0.0)
    election.acknowledge(0.01)
    election.tick(0.2, works=True, reaches_queue=False)
    now_s = 60.0
    assert election.tick(now_s, works=True, reaches_queue=False) is not None
    while now_s < 65.0:
        assert not election.is_active(now_s)
        now_s += 0.25
        election.tick(now_s, works=True, reaches_queue=False)
    election.acknowledge(now_s)
    assert election.is_active(now_s)


def test_one_of_a_lower_rank_is_not_waited_for() -> None:
    """It has not heard of the one that is gone now."""
    election = Election("one", "0a", TAKEOVER_S, 0.0)
    election.receive(RoleMessage("gone", PollerRole.ACTIVE, 5, "0b"), 0.0)
    election.ready(0.0)
    now_s = 0.0
    while now_s < TAKEOVER_S + 0.5:
        election.receive(RoleMessage("late", PollerRole.ACTIVE, 4, "0c"), now_s)
        election.tick(now_s, works=True, reaches_queue=False)
        now_s += 0.25
    assert (election.phase, election.reason) == (Phase.CLAIMING, Reason.SILENT)


def test_a_process_of_the_same_name_goes_on_at_once() -> None:
    """It was killed and started again, and its message is still there."""
    killed = RoleMessage("p0", PollerRole.ACTIVE, 7, "ff")
    network = Network(1, 1)
    network.retained = killed
    network.connect(0)
    network.run(SETTLE_S + 0.3)
    assert network.active == [0]
    assert network.retained.term == 8


def test_a_message_of_one_that_is_gone_is_waited_out() -> None:
    """A process of another name may be alive, and slow to answer."""
    network = Network(1, 1)
    network.retained = RoleMessage("other", PollerRole.ACTIVE, 7, "ff")
    network.connect(0)
    network.run(TAKEOVER_S - 0.1)
    assert network.active == []
    network.run(1.0)
    assert network.active == [0]


def test_a_poller_whose_queue_does_not_work_is_replaced_by_one_whose_queue_does() -> None:
    """Not before ten seconds, and not by one that does not reach it either."""
    network = started(1, 2)
    (before,) = network.active
    other = 1 - before
    network.works[before], network.reaches[other] = False, False
    network.run(60)
    assert network.active == [before]
    network.reaches[other] = True
    network.run(1)
    assert network.active == [other]
    assert network.elections[other].reason is Reason.FAILING

    network.works[other] = False
    for _ in range(int(PATIENCE_S) - 10):
        network.run(1)
        assert network.active == [other], "they take turns"
    network.run(10 + FAILING_S + 1)
    assert network.active == [before]


def test_a_short_failure_replaces_nobody() -> None:
    """It works again within ten seconds."""
    network = started(1, 2)
    (before,) = network.active
    for _ in range(10):
        network.works[before] = False
        network.run(FAILING_S - 2)
        network.works[before] = True
        network.run(2)
    assert network.active == [before]


def test_without_acknowledgements_nothing_is_received_beside_another_poller() -> None:
    """The connection may be dead; the other one takes over."""
    election = Election("one", "0a", TAKEOVER_S, 0.0)
    election.ready(0.0)
    election.acknowledge(0.01)
    election.tick(0.2, works=True, reaches_queue=False)
    assert election.is_active(0.2)
    election.receive(RoleMessage("two", PollerRole.STANDBY, 0, "0b"), 0.3)
    now_s = 0.3
    while now_s < 0.3 + TAKEOVER_S * STALE_FRACTION - 0.01:
        assert election.is_active(now_s)
        election.tick(now_s, works=True, reaches_queue=False)
        now_s += 0.25
    message = election.tick(3.0, works=True, reaches_queue=False)
    assert not election.is_active(3.0)
    assert message is None or not message.works
    election.acknowledge(3.1)
    assert election.is_active(3.1)


@pytest.mark.parametrize("term", [MAX_TERM - 1, MAX_TERM])
def test_the_largest_term_stops_nobody(term: int) -> None:
    """Any client may publish it."""
    network = Network(1, 2)
    network.retained = RoleMessage("other", PollerRole.ACTIVE, term, "0")
    network.connect(0)
    network.connect(1)
    network.run(WITHIN_S + 2)
    assert len(network.active) == 1


def test_of_two_that_are_active_the_one_of_the_larger_rank_stays() -> None:
    """The other one stands by, and says so."""
    one, two = (Election("x", process, TAKEOVER_S, 0.0) for process in ("0a", "0b"))
    first, second = one.ready(0.0), two.ready(0.0)
    assert first is not None
    assert second is not None
    answer = one.receive(second, 0.01)
    assert one.phase is Phase.STANDBY
    assert answer is not None
    assert answer.role is PollerRole.STANDBY
    two.receive(first, 0.5)
    assert two.phase is Phase.CLAIMING


def test_a_poller_that_was_outbid_by_one_that_stopped_goes_on() -> None:
    """With a larger term, so that others believe it."""
    election = Election("one", "0a", TAKEOVER_S, 0.0)
    election.ready(0.0)
    message = election.receive(RoleMessage("two", PollerRole.RELEASED, 9, "0b"), 0.1)
    assert message is not None
    assert (message.role, message.term) == (PollerRole.ACTIVE, 10)


def test_nothing_is_said_without_a_connection() -> None:
    """Also at the end."""
    election = Election("one", "0a", TAKEOVER_S, 0.0)
    assert election.receive(RoleMessage("two", PollerRole.STANDBY, 0, "0b"), 0.0) is None
    assert election.receive(RoleMessage("two", PollerRole.RELEASED, 2, "0b"), 0.0) is None
    assert election.tick(1.0, works=True, reaches_queue=True) is None
    assert election.release() is None
