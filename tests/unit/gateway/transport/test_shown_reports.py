"""Reports of browsers that they showed a state: counted where they can be right, never trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from prometheus_client import CollectorRegistry

from contract.frames import Shown
from contract.json_limits import MAX_SEQ
from gateway.transport.shown_reports import (
    MAX_AGE_MS,
    MAX_AHEAD_MS,
    MAX_PER_CONNECTION,
    MAX_PER_S,
    ShownReports,
)
from runtime.queue_aware_clock import Clock

WALL_MS = 1_763_791_200_000
QUEUE_AHEAD_MS = 5_000
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


class Spans:
    """Keeps what would be spans."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str, int]] = []

    def shown(self, pillow: str, traceparent: str, shown_ms: int) -> None:
        """Keep one."""
        self.recorded.append((pillow, traceparent, shown_ms))


class World:
    """Reports, a clock that is set by hand, and what was counted."""

    def __init__(self, share: float = 1, *, knows_queue: bool = True) -> None:
        self.now_ms = 1_000_000
        self.registry = CollectorRegistry()
        self.spans = Spans()
        clock = Clock(lambda: WALL_MS, lambda: self.now_ms)
        if knows_queue:
            clock.queue_time.observe("cloud-1", WALL_MS + QUEUE_AHEAD_MS, self.now_ms)
        self.reports = ShownReports(share, self.registry, clock, self.spans)

    def report(self, report: Shown, connection: object = "a") -> None:
        """Receive a report, a second after the one before."""
        self.now_ms += 1000
        self.reports.receive(connection, report)

    def count(self, outcome: str) -> float:
        """Return how many reports had an outcome."""
        name = "pillowcast_gateway_shown_reports_total"
        return self.registry.get_sample_value(name, {"outcome": outcome}) or 0

    def total(self, what: str = "count") -> float:
        """Return a figure of the histogram."""
        name = f"pillowcast_gateway_queued_to_shown_seconds_{what}"
        return self.registry.get_sample_value(name) or 0


def test_the_time_from_the_queue_to_the_screen_is_measured_in_the_queues_time() -> None:
    """The browser's is the gateway's, and the gateway knows the offset; a second has passed."""
    world = World()
    world.report(Shown("cloud-1", WALL_MS - 40, WALL_MS + QUEUE_AHEAD_MS + 1000 - 340, TRACE))

    assert world.count("counted") == world.total() == 1
    assert world.total("sum") == pytest.approx(0.3)
    assert world.spans.recorded == [("cloud-1", TRACE, WALL_MS - 40)]


@pytest.mark.parametrize(
    ("report", "outcome", "spans"),
    [
        (Shown("a", 0, WALL_MS), "implausible", 0),
        (Shown("a", MAX_SEQ, WALL_MS, TRACE), "implausible", 0),
        (Shown("a", WALL_MS + MAX_AHEAD_MS + 1, WALL_MS), "implausible", 0),
        (Shown("a", WALL_MS - MAX_AGE_MS - 1, WALL_MS), "implausible", 0),
        (Shown("a", WALL_MS, 0, TRACE), "implausible", 1),
        (Shown("a", WALL_MS, MAX_SEQ), "implausible", 0),
        (Shown("a", WALL_MS), "unknown-time", 0),
        (Shown("a", WALL_MS, UNSET, TRACE), "unknown-time", 1),
    ],
)
def test_a_time_that_cannot_be_right_is_not_counted(
    report: Shown, outcome: str, spans: int
) -> None:
    """However large or small."""
    world = World()
    world.report(report)

    assert world.count(outcome) == 1
    assert world.total() == 0
    assert len(world.spans.recorded) == spans


def test_a_report_is_ignored_where_the_gateway_did_not_ask() -> None:
    """Nobody fills the histogram unasked."""
    world = World(share=0)
    world.report(Shown("a", WALL_MS, WALL_MS, TRACE))

    assert world.count("not-asked") == 1
    assert world.total() == len(world.spans.recorded) == 0


def test_while_the_queues_time_is_unknown_no_time_is_measured() -> None:
    """Instants of two machines are not subtracted then."""
    world = World(knows_queue=False)
    world.report(Shown("a", WALL_MS, WALL_MS - 100))

    assert world.count("unknown-time") == 1
    assert world.total() == 0


def test_a_connection_and_the_gateway_take_only_so_many_a_second() -> None:
    """Further ones are counted as such; a second later there is room again."""
    world = World()
    report = Shown("a", WALL_MS, WALL_MS + QUEUE_AHEAD_MS)
    connections = [object() for _ in range(MAX_PER_S)]
    for _ in range(5):
        world.reports.receive(connections[0], report)
    assert world.count("above-limit") == 5 - MAX_PER_CONNECTION
    for connection in connections[1:]:
        world.reports.receive(connection, report)
    assert world.count("counted") == MAX_PER_S

    world.now_ms += 1000
    world.reports.receive(connections[0], report)
    assert world.count("counted") == MAX_PER_S + 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 700)), max_size=80))
def test_no_second_has_more_than_the_limits(arrivals: list[tuple[int, int]]) -> None:
    """Whoever sends, and whenever: every report has one outcome."""
    world = World()
    connections = [object() for _ in range(4)]
    seconds: dict[tuple[int, int], float] = {}
    for which, pause_ms in arrivals:
        world.now_ms += pause_ms
        world.reports.receive(connections[which], Shown("a", WALL_MS, world.now_ms + WALL_MS))
        key = (world.now_ms // 1000, which)
        seconds[key] = seconds.get(key, 0) + 1
    outcomes = ("counted", "implausible", "above-limit")
    assert sum(world.count(one) for one in outcomes) == len(arrivals)
    allowed = sum(min(MAX_PER_CONNECTION, number) for number in seconds.values())
    assert world.count("above-limit") == len(arrivals) - allowed
