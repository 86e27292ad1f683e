"""What the queue does not do, and why: said once when it begins and once when it ends."""

import asyncio

import structlog

from poller.consume.in_flight import InFlight, InFlightMessage
from poller.metrics import PollerMetrics
from poller.queues import QueueDenied, QueueUnavailable
from runtime.health import OK

log = structlog.get_logger()


class QueueHealth:
    """The acts on the queue that do not work, until they work or nobody waits for them."""

    def __init__(self, in_flight: InFlight, metrics: PollerMetrics) -> None:
        self._in_flight = in_flight
        self._metrics = metrics
        self._asked = False
        self.answered = asyncio.Event()
        """Set once the queue has done something."""
        self._reasons: dict[str, str] = {}
        self._quiet_until = 0.0

    @property
    def state(self) -> str:
        """`ok`, or what the queue did not do and why."""
        if not self._asked:
            return "not asked yet"
        return next((f"{act}: {why}" for act, why in self._reasons.items()), OK)

    def failed(self, act: str, error: QueueUnavailable | QueueDenied) -> None:
        """Take in that the queue did not do something."""
        kind = "denied" if isinstance(error, QueueDenied) else "unavailable"
        self._metrics.failures.labels(act, kind).inc()
        self._asked = True
        if act not in self._reasons:
            log.warning("the queue does not work; trying until it does", act=act, why=str(error))
            self._metrics.queue_up.set(0)
        self._reasons[act] = str(error)
        if isinstance(error, QueueUnavailable) and error.retry_after_s:
            until = asyncio.get_running_loop().time() + error.retry_after_s
            self._quiet_until = max(self._quiet_until, until)

    async def quiet(self) -> None:
        """Wait for as long as the queue wants to be left alone: where one was told, all wait."""
        loop = asyncio.get_running_loop()
        obeyed = 0.0
        # It may be told again meanwhile.
        while obeyed < self._quiet_until and self._quiet_until > loop.time():
            obeyed = self._quiet_until
            await asyncio.sleep(obeyed - loop.time())

    def worked(self, act: str) -> None:
        """Take in that the queue did something."""
        self.answered.set()
        if self._asked and not self._reasons:
            return
        first, self._asked = not self._asked, True
        if self._reasons.pop(act, None) is not None or first:
            log.info("queue ready", act=act)
        if not self._reasons:
            self._metrics.queue_up.set(1)

    def left(self, item: InFlightMessage) -> None:
        """Take in that a message left: what nothing waits for any more is as good as done."""
        for act in item.troubles:
            if not any(act in other.troubles for other in self._in_flight):
                self._reasons.pop(act, None)
        if self._asked and not self._reasons and item.troubles:
            self._metrics.queue_up.set(1)
