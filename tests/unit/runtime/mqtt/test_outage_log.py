"""The log lines of an outage."""

import structlog

from runtime.mqtt.errors import BrokerLost, BrokerUnusable
from runtime.mqtt.outage_log import OutageLog


def test_an_outage_is_logged_once_and_each_reason_of_the_broker_once() -> None:
    """However many attempts fail."""
    outage = OutageLog()
    with structlog.testing.capture_logs() as lines:
        outage.report("lost", BrokerLost("lost"), was_ready=True)
        outage.report("refused", BrokerLost("refused"), was_ready=False)
        for _ in range(2):
            outage.report("denied", BrokerUnusable("denied"), was_ready=False)

    assert [(one["event"], one["error"]) for one in lines] == [
        ("broker lost; reconnecting", "lost"),
        ("broker unavailable; retrying", "denied"),
    ]


def test_a_reason_with_another_number_is_the_same_one() -> None:
    """A broker that cuts the retained set short does so after another number each time."""
    outage = OutageLog()
    with structlog.testing.capture_logs() as lines:
        for number in (1198, 1201):
            outage.report(f"sent {number}", BrokerUnusable(""), was_ready=False)

    assert [one["error"] for one in lines] == ["sent 1198"]
