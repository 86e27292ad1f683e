"""Composition of what keeps availability and discovery messages on MQTT, with its metrics."""

import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from prometheus_client import Counter

from contract.home_assistant import DiscoveryTopics
from contract.topics import Topics
from poller.metrics import PollerMetrics
from poller.presence.availability import Availability
from poller.presence.availability_keeper import AvailabilityKeeper
from poller.presence.discovery import Discovery
from poller.presence.discovery_publisher import DiscoveryPublisher
from poller.publish.journaled_writes import JournaledWrites
from poller.publish.state_publisher import PillowObserver, StatePublisher
from poller.queue_time import QueueTime
from runtime.log_repeats import LogRepeats
from runtime.version import version_of

log = structlog.get_logger()

EXPIRE_LATER_S: Final = 60
"""For how long after `offline` was due Home Assistant shows a value, in seconds."""


class PresenceLimit:
    """Counts the states of pillows above a limit, and logs the first of them."""

    def __init__(self, refused: Counter, text: str) -> None:
        self._refused = refused
        self._text = text
        self._repeats = LogRepeats()

    def on_refused(self, pillow: str) -> None:
        """Record a state of a pillow above the limit."""
        self._refused.inc()
        if (repeats := self._repeats.due("refused")) is not None:
            log.warning(self._text, pillow=pillow, **repeats)


@dataclass(frozen=True, slots=True)
class PresenceOptions:
    """A pillow is `offline` after `offline_after_s` seconds of silence; 0: no word is written.

    `home_assistant` are the topics of discovery; None: no discovery message is written.
    """

    topics: Topics
    offline_after_s: float
    max_pillows: int
    home_assistant: DiscoveryTopics | None = None
    home_assistant_max_pillows: int = 1000

    @property
    def filters(self) -> Sequence[str]:
        """The topics that the parts need beside those of states."""
        discovery = self.home_assistant
        filters = [self.topics.all_availability] if self.offline_after_s or discovery else []
        return filters if discovery is None else [*filters, discovery.all_configs, discovery.status]


@dataclass(frozen=True, slots=True)
class Presence:
    """The observers of states, the background loops, and what is called when the queue is empty."""

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
    if options is None:
        return Presence()
    observers: list[PillowObserver] = []
    has_state = last_writes.__contains__
    if options.home_assistant is not None:
        discovery = _discovery(options, options.home_assistant, metrics)
        observers.append(
            DiscoveryPublisher(
                broker,
                discovery,
                options.home_assistant,
                has_state,
                metrics.presence.discovery_written,
            )
        )
    if not options.offline_after_s:
        return Presence(observers)
    availability = _availability(options, metrics, has_state)
    metrics.presence.offline.set_function(lambda: availability.offline)
    keeper = AvailabilityKeeper(
        broker, availability, options.topics, queue_time, metrics.presence.written
    )
    return Presence([keeper, *observers], (keeper.run,), keeper.on_caught_up)


def _availability(
    options: PresenceOptions, metrics: PollerMetrics, has_state: Callable[[str], bool]
) -> Availability:
    limit = PresenceLimit(
        metrics.presence.refused,
        "POLLER_MAX_PILLOWS is reached, and no pillow can give way: nothing is said of the "
        "availability of further ones; they are only counted",
    )
    silence_ms = int(options.offline_after_s * 1000)
    return Availability(silence_ms, options.max_pillows, limit.on_refused, has_state)


def _discovery(
    options: PresenceOptions, topics: DiscoveryTopics, metrics: PollerMetrics
) -> Discovery:
    limit = PresenceLimit(
        metrics.presence.discovery_refused,
        "POLLER_HOME_ASSISTANT_MAX_PILLOWS is reached: further pillows do not appear in Home "
        "Assistant; they are only counted",
    )
    expire_after_s = None
    if options.offline_after_s:
        # Later than `offline`, so that it counts only where no poller is left to write that.
        expire_after_s = math.ceil(options.offline_after_s) + EXPIRE_LATER_S
    return Discovery(
        partial(topics.encode, version=version_of("poller")),
        options.home_assistant_max_pillows,
        expire_after_s,
        limit.on_refused,
    )
