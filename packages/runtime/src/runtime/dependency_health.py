"""The health of a dependency: its outages, their metric, and the last error."""

import asyncio
from collections.abc import Callable

from prometheus_client import Gauge

from runtime.outage import Outage, Report


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


class DependencyHealth:
    """Records what fails and what succeeds; the caller logs what that begins or ends.

    A success ends the outage, in the metric and in readiness as well, only when nothing has failed
    for a while.
    """

    def __init__(
        self, up: Gauge, error: str | None = None, clock: Callable[[], float] = _loop_s
    ) -> None:
        """`up` is set to 0 during an outage, else to 1; `error` is why it does not work yet."""
        self._up = up
        self._clock = clock
        self._outage = Outage()
        self.error = error
        """Why the dependency fails; None while there is no outage."""

    @property
    def is_in_outage(self) -> bool:
        """Whether an outage is reported."""
        return not self._outage.is_over

    @property
    def failures(self) -> int:
        """The number of failures in this outage, or in the last one."""
        return self._outage.failures

    @property
    def after_s(self) -> float:
        """How long the outage lasts in whole seconds, or lasted in tenths if it has just ended."""
        lasted_s = self._outage.lasted_s(self._clock())
        return round(lasted_s) if self.is_in_outage else round(lasted_s, 1)

    def record_success(self) -> bool:
        """Record a success; returns whether the outage ends with it."""
        is_end = self._outage.record_success(self._clock())
        if not self.is_in_outage:
            self.error = None
            self._up.set(1)
        return is_end

    def record_failure(self, error: str) -> Report:
        """Record a failure; returns what to report."""
        self.error = error
        self._up.set(0)
        return self._outage.record_failure(self._clock())

    def prolong(self) -> None:
        """Record that the last failure has lasted until now."""
        self._outage.prolong(self._clock())
