"""The composition of the poller: which parts there are, and which part uses which.

consumer → page fetcher → intake → publisher → settlement      a message's way
broker events → last writes, reconciler                        what the broker reports
lease renewal, depth monitor                                   beside them
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from poller.consume.classify import Rules
from poller.consume.consumer import Consumer
from poller.consume.depth import DepthMonitor
from poller.consume.intake import Intake
from poller.consume.lease_renewal import LeaseRenewal
from poller.consume.page_fetcher import PageFetcher
from poller.consume.polling import PollPolicy
from poller.in_flight import InFlight
from poller.metrics import PollerMetrics
from poller.publish.broker_events import BrokerEvents
from poller.publish.conditional_writer import ConditionalWriter
from poller.publish.last_write import LastWrites
from poller.publish.publisher import Publisher
from poller.publish.reconciler import Reconciler
from poller.publish.state_publisher import BrokerListener, StatePublisher
from poller.queues import Queue
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.queue_health import QueueHealth
from poller.settle.settlement import Settlement
from poller.tasks import Tasks
from poller.worker import Worker


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """The settings of a pipeline; `visibility_s` is the length of a lease, in seconds."""

    rules: Rules
    policy: PollPolicy
    visibility_s: float
    newest_only: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A worker, the listener for its broker, and what readiness reports."""

    worker: Worker
    listener: BrokerListener
    in_flight: InFlight
    queue_state: Callable[[], str]
    """Returns `ok`, or a failing queue operation and its error."""
    broker_state: Callable[[], str]
    """Returns `ok`, or a pillow whose states the broker refuses and its reason."""


def compose(
    queue: Queue,
    broker: StatePublisher,
    metrics: PollerMetrics,
    options: PipelineOptions,
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> Pipeline:
    """Build a pipeline; `clock_ms` returns the wall clock in Unix milliseconds.

    The caller passes what the broker reports to `listener`.
    """
    tasks = Tasks()
    in_flight = InFlight(clock_ms)
    metrics.in_flight.set_function(lambda: len(in_flight))

    health = QueueHealth(metrics)
    monitored = MonitoredQueue(queue, health)
    settlement = Settlement(monitored, broker, in_flight, tasks, metrics)

    last_writes = LastWrites()
    reconciler = Reconciler(broker, last_writes, tasks, metrics, clock_ms)
    writer = ConditionalWriter(broker, last_writes, metrics, clock_ms)
    publisher = Publisher(writer, reconciler, settlement, tasks, newest_only=options.newest_only)

    intake = Intake(in_flight, publisher, settlement, metrics, options.rules)
    fetcher = PageFetcher(monitored, broker, in_flight, intake, metrics)
    consumer = Consumer(fetcher, options.policy, tasks)
    renewal = LeaseRenewal(monitored, in_flight, metrics, options.visibility_s)
    depth = DepthMonitor(queue, health, metrics)

    return Pipeline(
        Worker(consumer, publisher, settlement, tasks, (renewal.run, depth.run)),
        BrokerEvents(last_writes, reconciler, metrics, clock_ms),
        in_flight,
        lambda: health.state,
        lambda: publisher.state,
    )
