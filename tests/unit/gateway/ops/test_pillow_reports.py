"""Pillow reports: what a gateway shows of a pillow, and what it refused."""

import pytest

from gateway.ops.pillow_reports import PillowReports
from gateway.transport.admission import Refusal
from gateway.transport.refusal_reports import RecentRefusal
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update


class World:
    """A core with a clock, and its reports."""

    def __init__(self, expire_after_ms: int = 30_000) -> None:
        self.now_ms = 1_800_000_000_000
        self.core = GatewayCore(
            clock=lambda: self.now_ms,
            monotonic=lambda: self.now_ms,
            expire_after_ms=expire_after_ms,
        )
        self.core.consumer.on_broker_ready()
        self.refusals: list[RecentRefusal] = []
        self.reports = PillowReports(
            self.core.store, self.core.presence, self.core.consumer, expire_after_ms, self.refusals
        )

    def expire(self) -> None:
        for _ in self.core.presence.expire(self.core.consumer.now()):
            pass


def test_a_pillow_that_reports_is_not_grey_and_a_silent_one_is() -> None:
    world = World()
    world.core.receive_state(update("a", 1))
    assert world.reports.report("a").grey is None
    world.now_ms += 31_000
    world.expire()

    report = world.reports.report("a")
    assert (report.state, report.grey, report.silent_ms) == ("notconnected", "silent", 31_000)
    assert report.last == update("a", 1).state


def test_availability_offline_is_the_reason_until_the_next_state() -> None:
    world = World()
    world.core.receive_state(update("a", 1))
    world.core.receive("pillow/a/availability", b"offline")

    assert world.reports.report("a").grey == "offline"
    world.core.receive_state(update("a", 2))
    assert world.reports.report("a").grey is None


@pytest.mark.parametrize("state", ["hugging", "notconnected"])
@pytest.mark.parametrize("odd", [{}, [], 5, "<b>", "x" * 1000, None])
def test_what_a_pillow_made_up_is_no_fault_of_the_page(state: str, odd: object) -> None:
    """One pillow must not hide the reports on all others."""
    world = World()
    world.core.receive_state(update("a", 1, state=state, last=odd, since=odd))
    world.core.receive_state(update("b", 1))

    odd_one, other = world.reports.page(0, 10, grey_only=False).pillows
    assert (odd_one.pillow, odd_one.state, odd_one.since) == ("a", state, None)
    assert odd_one.last == (None if state == "notconnected" else state)
    assert other.pillow == "b"


def test_a_pillow_that_is_not_known_has_notes_of_why() -> None:
    world = World()
    world.core.receive("pillow/a/state", b"no JSON")
    world.core.receive_state(update("b", 1))
    world.core.receive("pillow/b/state", b"")

    refused, removed = world.reports.report("a"), world.reports.report("b")
    assert (refused.known, refused.grey, refused.notes[0].kind) == (False, "unknown", "refused")
    assert removed.notes[0].kind == "removed"


def test_clients_that_were_refused_because_of_a_pillow_are_named() -> None:
    world = World()
    world.refusals += [
        RecentRefusal(1, Refusal(4403, "the token does not permit 'a'", "10.0.0.1")),
        RecentRefusal(2, Refusal(4403, "the token does not permit 'ab'")),
    ]

    [refused] = world.reports.report("a").refused_clients
    assert (refused.at_ms, refused.code, refused.peer) == (1, 4403, "10.0.0.1")


def test_pages_have_every_pillow_once_and_the_grey_ones_alone() -> None:
    world = World()
    for number in range(5):
        world.core.receive_state(update(f"p{number}", 1))
    world.core.receive("pillow/p1/availability", b"offline")
    found, after = [], 0
    while True:
        page = world.reports.page(after, 2, grey_only=False)
        found += [one.pillow for one in page.pillows]
        if page.next is None:
            break
        after = page.next

    assert (page.total, found) == (5, ["p0", "p1", "p2", "p3", "p4"])
    assert [one.pillow for one in world.reports.page(0, 9, grey_only=True).pillows] == ["p1"]
