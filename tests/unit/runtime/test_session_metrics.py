"""The metrics of a session are those of the session at the time of the scrape."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from runtime.session_metrics import observe_session


@dataclass
class Session:
    """A session as far as it is observed."""

    oversized: int = 0
    failed: int = 0
    has_twin: bool = False


def test_the_metrics_follow_the_session() -> None:
    """They have the service's name."""
    registry, session = CollectorRegistry(), Session()
    observe_session("poller", session, registry)
    assert registry.get_sample_value("pillowcast_poller_instance_shared") == 0
    session.oversized, session.failed, session.has_twin = 3, 4, True

    assert registry.get_sample_value("pillowcast_poller_instance_shared") == 1
    assert registry.get_sample_value("pillowcast_poller_oversized_messages_total") == 3
    assert registry.get_sample_value("pillowcast_poller_failed_messages_total") == 4
