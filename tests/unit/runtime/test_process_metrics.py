"""The metrics of every service: version, readiness, rights, resources and event loop."""

import os
import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, generate_latest

from runtime.process_metrics import process_metrics


async def test_they_tell_what_runs_and_whether_it_is_ready() -> None:
    """With the service's name."""
    registry, states = CollectorRegistry(), {"mqtt": "not connected yet"}
    with process_metrics("poller", registry, lambda: states):
        value = registry.get_sample_value
        labels = {"version": version("pillowcast-poller"), "python": platform.python_version()}
        assert value("pillowcast_poller_build_info", labels) == 1
        assert value("pillowcast_poller_ready") == 0
        states["mqtt"] = "ok; with a limitation"
        assert value("pillowcast_poller_ready") == 1
        assert value("pillowcast_poller_runs_as_root") == (os.geteuid() == 0)
        assert value("pillowcast_poller_event_loop_lag_seconds_count") == 0
        assert (value("process_resident_memory_bytes") or 0) > 1_000_000


async def test_a_counter_has_no_second_sample_that_tells_its_start() -> None:
    """`process_start_time_seconds` tells it for all of them."""
    registry = CollectorRegistry()
    with process_metrics("poller", registry, dict):
        Counter("messages", "Messages.", registry=registry).inc()

    assert b"_created" not in generate_latest(registry)
