"""The parts that say on MQTT what is known of pillows beside their states, and their metrics."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from contract.topics import Topics
from poller.metrics import PollerMetrics
from poller.presence.availability import Availability
from poller.presence.availability_keeper import AvailabilityKeeper
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.state_publisher import PillowObserver, StatePublisher
from poller.queue_time import QueueTime
from runtime.observed_counter import ObservedCounter


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
    availability = Availability(int(options.offline_after_s * 1000), options.max_pillows)
    keeper = AvailabilityKeeper(broker, availability, options.topics, queue_time, last_writes)
    metrics.offline_pillows.set_function(lambda: availability.offline)
    prefix, registry = "pillowcast_poller_availability", metrics.registry
    ObservedCounter(
        f"{prefix}_written",
        "Words of availability that the broker confirmed.",
        lambda: keeper.written,
        registry,
    )
    ObservedCounter(
        f"{prefix}_refused",
        "States of pillows of whose availability nothing is said, above POLLER_MAX_PILLOWS.",
        lambda: availability.refused,
        registry,
    )
    return Presence((keeper,), (keeper.run,), keeper.on_caught_up)
