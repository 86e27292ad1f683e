"""What is said and counted of a take-over."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from poller.consume.election import Reason
from poller.consume.takeover_report import MARGIN_S, TakeoverReport
from poller.in_flight import InFlight, Outcome
from poller.metrics import PollerMetrics
from poller.queues import Body, ReceivedMessage
from tests.fakes.virtual_time import virtual_time
from tests.hypothesis_profiles import examples


def delivery(queued_s: float) -> ReceivedMessage:
    """Return a delivery of a message that was put on the queue at a time in seconds."""
    return ReceivedMessage("a", "r", Body("HUG", int(queued_s * 1e6), 2))


@virtual_time
async def test_what_is_superseded_until_the_leases_end_is_counted_and_said() -> None:
    """Not what was before the take-over, nor later."""
    metrics, in_flight = PollerMetrics(), InFlight(lambda: 0)
    report = TakeoverReport(metrics, in_flight, lease_s=30)
    metrics.superseded.inc(7)
    with capture_logs() as logs:
        report.tick()
        report.active(Reason.SILENT, "one")
        metrics.superseded.inc(3)
        report.tick()
        await asyncio.sleep(30)
        metrics.superseded.inc(2)
        report.tick()
        await asyncio.sleep(MARGIN_S)
        in_flight.queue_age.record_page(0.0, asyncio.get_running_loop().time())
        report.tick()
        metrics.superseded.inc(100)
        report.tick()
    value = metrics.registry.get_sample_value
    assert value("pillowcast_poller_takeover_superseded_total") == 5
    assert value("pillowcast_poller_takeovers_total", {"reason": "silent"}) == 1
    assert [(one["log_level"], one["event"]) for one in logs] == [
        ("warning", "took over the queue from another poller"),
        ("info", "states superseded since the take-over"),
    ]
    assert logs[1]["number"] == 5


@settings(max_examples=examples(100))
@given(
    pages=st.lists(st.tuples(st.floats(0, 60), st.floats(0, 120)), max_size=20),
    settling_s=st.floats(0, 60),
)
@virtual_time
async def test_what_comes_back_behind_all_that_waited_is_counted(
    pages: list[tuple[float, float]], settling_s: float
) -> None:
    """A queue may deliver it last, and a broker may confirm it late."""
    loop = asyncio.get_running_loop()
    metrics, in_flight = PollerMetrics(), InFlight(lambda: int(loop.time() * 1000), 30, loop.time)
    report = TakeoverReport(metrics, in_flight, lease_s=30)
    with capture_logs() as logs:
        report.active(Reason.SILENT, "one")
        ends_s = loop.time() + 30
        for pause_s, waited_s in pages:
            await asyncio.sleep(pause_s)
            in_flight.queue_age.record_page(waited_s, loop.time())
            was_over = len(logs) == 2
            report.tick()
            if len(logs) == 2 and not was_over:
                assert loop.time() - waited_s >= ends_s, "what comes back may come after this page"
        is_over = len(logs) == 2
        message = in_flight.add(delivery(queued_s=min(loop.time(), ends_s)))
        in_flight.queue_age.record_page(0.0, loop.time())
        await asyncio.sleep(settling_s)
        report.tick()
        assert (len(logs) == 2) == is_over, "what was received is not settled yet"
        metrics.superseded.inc()
        in_flight.settle(message, Outcome.SUPERSEDED)
        await asyncio.sleep(30 + MARGIN_S)
        in_flight.queue_age.record_page(0.0, loop.time())
        report.tick()
    assert logs[1:] == [
        {
            "event": "states superseded since the take-over",
            "log_level": "info",
            "number": 0 if is_over else 1,
        }
    ]


@virtual_time
async def test_a_blocked_message_does_not_keep_a_take_over_open() -> None:
    """It may stay for days."""
    loop = asyncio.get_running_loop()
    in_flight = InFlight(lambda: int(loop.time() * 1000), 30, loop.time)
    report = TakeoverReport(PollerMetrics(), in_flight, lease_s=30)
    with capture_logs() as logs:
        report.active(Reason.SILENT, "one")
        assert in_flight.mark_blocked(in_flight.add(delivery(queued_s=loop.time())))
        await asyncio.sleep(30 + MARGIN_S)
        in_flight.queue_age.record_page(0.0, loop.time())
        report.tick()
    assert len(logs) == 2


@virtual_time
async def test_a_poller_that_stands_by_again_says_what_it_has_counted() -> None:
    """It receives nothing more."""
    metrics = PollerMetrics()
    report = TakeoverReport(metrics, InFlight(lambda: 0), lease_s=30)
    with capture_logs() as logs:
        report.active(Reason.SILENT, "one")
        metrics.superseded.inc(3)
        report.standby("one")
    assert [one["event"] for one in logs] == [
        "took over the queue from another poller",
        "states superseded since the take-over",
        "standby: another poller receives from the queue",
    ]
    assert logs[1]["number"] == 3


@virtual_time
async def test_a_start_is_no_take_over() -> None:
    """Nothing is said, and nothing counted."""
    metrics = PollerMetrics()
    report = TakeoverReport(metrics, InFlight(lambda: 0), lease_s=30)
    with capture_logs() as logs:
        report.active(Reason.START, "")
        report.tick()
    assert logs == []
    assert metrics.registry.get_sample_value("pillowcast_poller_takeover_superseded_total") == 0


@virtual_time
async def test_a_poller_on_standby_has_no_oldest_message() -> None:
    """Its last page would be shown for ever."""
    in_flight = InFlight(lambda: 0)
    in_flight.queue_age.record_page(9, 0)
    TakeoverReport(PollerMetrics(), in_flight, lease_s=30).standby("one")
    assert in_flight.queue_age.page_waited_s == 0
