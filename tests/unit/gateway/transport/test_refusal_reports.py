"""Refusals are counted each time, and logged once a kind."""

import pytest
from structlog.testing import capture_logs

from contract.frames import FORBIDDEN, FULL, UNAUTHORIZED
from gateway.metrics import GatewayMetrics
from gateway.transport.admission import Refusal
from gateway.transport.limit_reports import REPEAT_S
from gateway.transport.refusal_reports import RefusalReports
from runtime import log_repeats
from tests.fakes.time import Time


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The monotonic clock, which stands still."""
    clock = Time()
    monkeypatch.setattr(log_repeats, "monotonic_s", clock)
    return clock


def test_a_kind_of_refusal_is_logged_once_a_minute_and_counted_each_time(time: Time) -> None:
    """The line has the reason of one client, and how many others there were."""
    metrics = GatewayMetrics()
    reports = RefusalReports(metrics)

    with capture_logs() as lines:
        for number in range(100):
            reports.refused(Refusal(UNAUTHORIZED, f"reason {number}"))
        reports.refused(Refusal(FORBIDDEN, "another kind"))
        time.now_s += REPEAT_S
        reports.refused(Refusal(UNAUTHORIZED, "reason 100"))

    found = [(line["code"], line["reason"], line.get("repeats")) for line in lines]
    assert found == [
        (UNAUTHORIZED, "reason 0", None),
        (FORBIDDEN, "another kind", None),
        (UNAUTHORIZED, "reason 100", 99),
    ]
    assert metrics.registry.get_sample_value(
        "pillowcast_gateway_refused_total", {"code": str(UNAUTHORIZED)}
    ) == 101  # fmt: skip


def test_a_full_gateway_is_the_matter_of_the_limits(time: Time) -> None:
    """They have a line of their own."""
    with capture_logs() as lines:
        RefusalReports(GatewayMetrics()).refused(Refusal(FULL, "full"))

    assert lines == []
