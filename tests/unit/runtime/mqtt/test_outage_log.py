"""The log lines of an outage."""

import asyncio

import pytest
import structlog

from runtime import outage as rules
from runtime.broker_url import BrokerAddress
from runtime.mqtt.errors import BrokerLost, BrokerUnusable
from runtime.mqtt.outage_log import OutageLog
from tests.waiting import until

BROKER = BrokerAddress("broker", 1883)


async def test_an_outage_is_logged_once_and_each_reason_of_the_broker_once() -> None:
    """However many attempts fail."""
    outage = OutageLog(BROKER)
    with structlog.testing.capture_logs() as lines:
        outage.report("lost", BrokerLost("lost"), was_ready=True)
        outage.report("refused", BrokerLost("refused"), was_ready=False)
        for _ in range(2):
            outage.report("denied", BrokerUnusable("denied"), was_ready=False)

    assert [(one["event"], one["error"]) for one in lines] == [
        ("broker lost; reconnecting", "lost"),
        ("broker unavailable; retrying", "denied"),
    ]


async def test_a_reason_with_another_number_is_the_same_one() -> None:
    """A broker that cuts the retained set short does so after another number each time."""
    outage = OutageLog(BROKER)
    with structlog.testing.capture_logs() as lines:
        for number in (1198, 1201):
            outage.report(f"sent {number}", BrokerUnusable(""), was_ready=False)

    assert [one["error"] for one in lines] == ["sent 1198"]


async def test_a_broker_that_flaps_has_few_lines_and_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not two for each time; the first outage of a broker has the lines that it always had."""
    monkeypatch.setattr(rules, "RECOVERY_S", 0.05)
    outage = OutageLog(BROKER)
    with structlog.testing.capture_logs() as lines:
        outage.report_ready()
        for _ in range(50):
            outage.report("lost", BrokerLost("lost"), was_ready=True)
            outage.report("refused", BrokerLost("refused"), was_ready=False)
            outage.report_ready()
            await asyncio.sleep(0)
        await until(lambda: len(lines) >= 5, "the end")
        # Soon after: it has to last longer now.
        outage.report("lost", BrokerLost("lost"), was_ready=True)
        outage.report_ready()
        outage.cancel()

    assert [one["event"].partition(",")[0] for one in lines] == [
        "broker ready",
        "broker lost; reconnecting",
        "broker ready",
        "broker lost again",
        "the connection to the broker lasts again",
        "broker lost; reconnecting",
        "broker ready",
    ]
    assert lines[3]["lasts_s"] == 0.05
    assert lines[4]["losses"] == 50


async def test_an_outage_that_lasts_is_logged_again_after_a_quarter_of_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With how long it has lasted."""
    outage = OutageLog(BROKER)
    with structlog.testing.capture_logs() as lines:
        outage.report("refused", BrokerLost("refused"), was_ready=False)
        monkeypatch.setattr(rules, "REMINDER_S", 0.0)
        outage.report("refused", BrokerLost("refused"), was_ready=False)

    assert [one["event"] for one in lines] == [
        "broker unavailable; retrying",
        "broker still fails; reconnecting",
    ]
