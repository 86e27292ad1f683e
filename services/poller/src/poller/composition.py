"""The composition of the poller: which parts there are, and which part uses which.

consumer → page fetcher → page handler → page publisher →         the path of a message
    ordered publisher → settlement
broker listener → last writes, reconciler                         what the broker reports
lease renewal, depth monitor, queue reporter                      background loops
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from poller.background_tasks import BackgroundTasks
from poller.consume.classify import ClassificationRules
from poller.consume.consumer import Consumer
from poller.consume.depth import DepthMonitor
from poller.consume.lease_renewal import LeaseRenewal
from poller.consume.page_fetcher import PageFetcher
from poller.consume.page_handler import PageHandler
from poller.consume.poll_pacer import PollPacer
from poller.consume.polling import PollPolicy
from poller.consume.queue_reporter import QueueReporter
from poller.in_flight import InFlight
from poller.journal.journal_folder import OpenedJournal
from poller.journal.save_marks import WITHOUT_JOURNAL, SaveMarks
from poller.metrics import PollerMetrics
from poller.ops.pillow_reports import PillowReports
from poller.publish.broker_listener import BrokerListener
from poller.publish.journaled_writes import JournaledWrites, StateJournal
from poller.publish.newer_state_writer import NewerStateWriter
from poller.publish.ordered_publisher import OrderedPublisher
from poller.publish.page_publisher import PagePublisher
from poller.publish.pillow_limit import PillowLimit
from poller.publish.retained_state_reconciler import RetainedStateReconciler
from poller.publish.save_mark_publisher import SaveMarkPublisher
from poller.publish.signs_of_life import SignsOfLife
from poller.publish.state_publisher import BrokerEventHandler, StatePublisher
from poller.queue_time import QueueTime
from poller.queues import Queue
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.queue_health import QueueHealth
from poller.settle.settlement import Settlement
from poller.worker import Worker


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """The settings of a pipeline; `visibility_s` is the length of a lease, in seconds."""

    rules: ClassificationRules
    policy: PollPolicy
    visibility_s: float
    newest_only: bool = False
    max_pillows: int = 100_000


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A worker, the listener for its broker, the pacer of its polls, and what readiness reports."""

    worker: Worker
    listener: BrokerEventHandler
    pacer: PollPacer
    in_flight: InFlight
    queue_state: Callable[[], str]
    """Returns `ok`, or a failing queue operation and its error."""
    broker_state: Callable[[], str]
    """Returns `ok`, or a pillow whose states the broker refuses and its reason."""
    reports: PillowReports


def compose(
    queue: Queue,
    broker: StatePublisher,
    metrics: PollerMetrics,
    options: PipelineOptions,
    queue_time: QueueTime,
    journal: StateJournal | None = None,
) -> Pipeline:
    """Build a pipeline; the caller runs the journal, if there is one.

    The caller passes what the queue's answers say about its clock to `queue_time`, what the broker
    reports to `listener`, and what gateways say there to `pacer`.
    """
    tasks = BackgroundTasks()
    in_flight = InFlight(queue_time.now_ms, options.visibility_s, asyncio.get_running_loop().time)
    metrics.clock_offset_s.set_function(queue_time.offset_s)
    metrics.observe_in_flight(in_flight)
    health = QueueHealth(metrics)
    monitored = MonitoredQueue(queue, health)
    settlement = Settlement(monitored, broker, in_flight, tasks, metrics)
    last_writes = JournaledWrites(
        SaveMarks(WITHOUT_JOURNAL + secrets.token_hex(8)),
        PillowLimit(options.max_pillows, metrics),
        journal,
    )
    metrics.pillows.set_function(lambda: len(last_writes))
    save_marks = SaveMarkPublisher(broker, last_writes)
    reconciler = RetainedStateReconciler(broker, last_writes, tasks, metrics, queue_time)
    signs_of_life = SignsOfLife(
        broker, last_writes, metrics, queue_time, on_stale=reconciler.republish
    )
    writer = NewerStateWriter(broker, last_writes, signs_of_life, metrics, queue_time)
    publisher = OrderedPublisher(
        writer, reconciler, settlement, tasks, newest_only=options.newest_only
    )

    pages = PagePublisher(publisher, tasks, metrics)
    handler = PageHandler(in_flight, pages, settlement, metrics, options.rules)
    fetcher = PageFetcher(monitored, broker, in_flight, handler, metrics)
    pacer = PollPacer(options.policy, metrics)
    consumer = Consumer(fetcher, pacer, options.visibility_s)
    renewal = LeaseRenewal(monitored, in_flight, metrics, options.visibility_s)
    depth = DepthMonitor(queue, health, metrics)
    listener = BrokerListener(broker, last_writes, reconciler, metrics, queue_time)
    if journal is not None:
        journal.listen(partial(_use_opened, last_writes, listener))

    reporter = QueueReporter(broker, in_flight, health)
    loops = (renewal.run, depth.run, reporter.run, save_marks.run, save_marks.pass_days)
    reports = PillowReports(last_writes, signs_of_life, publisher, settlement)
    return Pipeline(
        Worker(consumer, pages, settlement, tasks, loops),
        listener,
        pacer,
        in_flight,
        lambda: health.state,
        lambda: publisher.state,
        reports,
    )


def _use_opened(
    last_writes: JournaledWrites, listener: BrokerListener, opened: OpenedJournal
) -> None:
    """Add the states of a journal, and publish those that the broker lacks."""
    last_writes.load(opened)
    listener.compare()
