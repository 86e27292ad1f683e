"""The lag of the event loop is how late its timers run."""

import time

from prometheus_client import CollectorRegistry

from runtime.event_loop_lag import PROBE_S, EventLoopLag
from tests.waiting import until


async def test_a_block_of_the_loop_is_seen_and_an_idle_loop_has_none() -> None:
    """A callback that is longer than the pause between two probes is always seen."""
    registry = CollectorRegistry()

    def value(suffix: str, **labels: str) -> float:
        return registry.get_sample_value(f"lag_seconds_{suffix}", labels) or 0.0

    with EventLoopLag("lag_seconds", registry):
        await until(lambda: value("count") >= 2, "idle probes")
        idle = value("count")
        time.sleep(3 * PROBE_S)  # noqa: ASYNC251 - the loop is held on purpose
        await until(lambda: value("count") > idle, "a late probe")

    assert value("sum") >= 2 * PROBE_S - 0.05
    assert value("bucket", le="0.5") < value("count")


async def test_nothing_is_measured_after_the_end() -> None:
    """The timer is cancelled."""
    registry = CollectorRegistry()
    with EventLoopLag("lag_seconds", registry) as lag:
        pass

    assert lag._timer.cancelled()
