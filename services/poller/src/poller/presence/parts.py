"""The parts that say on MQTT what is known of pillows beside their states, and their metrics."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter

from contract.topics import Topics
from poller.metrics import PollerMetrics
from poller.presence.availability import Availability
from poller.presence.availability_keeper import AvailabilityKeeper
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.state_publisher import PillowObserver, StatePublisher
from poller.queue_time import QueueTime

log = structlog.get_logger()


class PresenceLimit:
    """Counts the states of pillows of which nothing is said, and logs the first of them."""

    def __init__(self, refused: Counter, text: str) -> None:
        self._refused = refused
        self._text = text
        self._is_logged = False

    def on_refused(self, pillow: str) -> None:
        """Record that nothing is said of a pillow."""
        self._refused.inc()
        if not self._is_logged:
            self._is_logged = True
            log.warning(self._text, pillow=pillow)


@dataclass(frozen=True, slots=True)
class PresenceOptions:
    """After how many seconds of silence a pillow is `offline`; 0: nothing is said of it."""

    topics: Topics
    offline_after_s: float
    max_pillows: int

    @property
    def filters(self) -> Sequence[str]:
        """The topics that the parts need beside those of states."""
        return (self.topics.all_availability,) if self.offline_after_s else ()


@dataclass(frozen=True, slots=True)
class Presence:
    """The parts: what sees the states, what runs in the background, and what is told of polls."""

    observers: Sequence[PillowObserver] = ()
    loops: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    on_caught_up: Callable[[float], None] = lambda _began_s: None


def compose_presence(
    broker: StatePublisher,
    options: PresenceOptions | None,
    queue_time: QueueTime,
    metrics: PollerMetrics,
    last_writes: JournaledWrites,
) -> Presence:
    """Build the parts that the options ask for."""
    if options is None or not options.offline_after_s:
        return Presence()
    limit = PresenceLimit(
        metrics.presence.refused,
        "POLLER_MAX_PILLOWS is reached, and no pillow is offline: nothing is said of the "
        "availability of further ones; they are only counted",
    )
    availability = Availability(
        int(options.offline_after_s * 1000),
        options.max_pillows,
        limit.on_refused,
        lambda pillow: last_writes.get(pillow) is not None,
    )
    keeper = AvailabilityKeeper(
        broker, availability, options.topics, queue_time, metrics.presence.written
    )
    metrics.presence.offline.set_function(lambda: availability.offline)
    return Presence((keeper,), (keeper.run,), keeper.on_caught_up)
