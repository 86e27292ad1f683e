"""What is said and counted of a take-over."""

import asyncio

from structlog.testing import capture_logs

from poller.consume.election import Reason
from poller.consume.takeover_report import MARGIN_S, TakeoverReport
from poller.in_flight import InFlight
from poller.metrics import PollerMetrics
from tests.fakes.virtual_time import virtual_time


@virtual_time
async def test_what_is_superseded_until_the_leases_end_is_counted_and_said() -> None:
    """Not what was before the take-over, nor later."""
    metrics = PollerMetrics()
    report = TakeoverReport(metrics, InFlight(lambda: 0), lease_s=30)
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
