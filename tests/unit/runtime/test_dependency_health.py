"""The health of a dependency: its metric, its error, and how long an outage lasts."""

from prometheus_client import CollectorRegistry, Gauge

from runtime.dependency_health import DependencyHealth
from runtime.outage import RECOVERY_S, REMINDER_S, Report


class Rig:
    """A dependency's health, its gauge and its clock."""

    def __init__(self, error: str | None = None) -> None:
        self.now_s = 100.0
        self.up = Gauge("up", "", registry=CollectorRegistry())
        self.health = DependencyHealth(self.up, error, clock=lambda: self.now_s)

    @property
    def is_up(self) -> bool:
        """Whether the metric says that there is no outage."""
        return bool(self.up._value.get() == 1)


def test_an_outage_ends_in_the_metric_and_in_the_error_when_it_is_over() -> None:
    """Not with the first success."""
    rig = Rig()
    assert rig.health.record_failure("the disk is full") is Report.FAILED
    rig.now_s += RECOVERY_S - 0.1
    assert not rig.health.record_success()
    assert rig.health.is_in_outage
    assert rig.health.error == "the disk is full"
    assert not rig.is_up

    rig.now_s += 0.1
    assert rig.health.record_success()
    assert not rig.health.is_in_outage
    assert rig.health.error is None
    assert rig.is_up


def test_what_was_never_used_has_its_reason_until_the_first_success() -> None:
    """And that success is no end of an outage."""
    rig = Rig("it is not open yet")
    assert rig.health.error == "it is not open yet"
    assert not rig.health.record_success()
    assert rig.health.error is None
    assert rig.is_up


def test_the_duration_is_in_whole_seconds_in_an_outage_and_in_tenths_after_it() -> None:
    """Together with the number of failures."""
    rig = Rig()
    rig.health.record_failure("away")
    rig.now_s += REMINDER_S + 0.34
    assert rig.health.record_failure("away") is Report.STILL_FAILS
    assert (rig.health.after_s, rig.health.failures) == (REMINDER_S, 2)
    rig.now_s += RECOVERY_S
    rig.health.prolong()
    assert not rig.health.record_success()
    rig.now_s += RECOVERY_S
    assert rig.health.record_success()
    assert (rig.health.after_s, rig.health.failures) == (910.3, 2)
