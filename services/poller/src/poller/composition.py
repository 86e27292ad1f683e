"""The composition of the poller: which parts there are, and which part uses which.

consumer → page fetcher → page handler → page publisher →         the path of a message
    ordered publisher → settlement
broker listener → last writes, reconciler                         what the broker reports
presence                                                          availability and discovery on MQTT
elector, receive gate → page fetcher                              which poller receives
lease renewal, depth monitor, queue reporter                      background loops
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from poller.background_tasks import BackgroundTasks
from poller.consume.classify import ClassificationRules
from poller.consume.consumer import Consumer
from poller.consume.depth import DepthMonitor
from poller.consume.election import Election
from poller.consume.elector import Elector
from poller.consume.lease_renewal import LeaseRenewal
from poller.consume.page_fetcher import PageFetcher
from poller.consume.page_handler import PageHandler
from poller.consume.poll_pacer import PollPacer
from poller.consume.polling import PollPolicy
from poller.consume.queue_reporter import QueueReporter
from poller.consume.receive_gate import ReceiveGate
from poller.consume.takeover_report import TakeoverReport
from poller.in_flight import MAX_BLOCKED, MAX_UNDELETED, InFlight
from poller.journal.journal_folder import OpenedJournal
from poller.journal.save_marks import WITHOUT_JOURNAL, SaveMarks
from poller.metrics import PollerMetrics
from poller.ops.pillow_reports import PillowReports
from poller.presence.parts import PresenceOptions, compose_presence
from poller.publish.broker_listener import BrokerListener
from poller.publish.journaled_writes import JournaledWrites, StateJournal
from poller.publish.newer_state_writer import NewerStateWriter
from poller.publish.ordered_publisher import OrderedPublisher
from poller.publish.page_publisher import PagePublisher
from poller.publish.pillow_limit import PillowLimit
from poller.publish.retained_state_reconciler import RetainedStateReconciler
from poller.publish.save_mark_publisher import SaveMarkPublisher
from poller.publish.signs_of_life import SignsOfLife
from poller.publish.state_publisher import BrokerEventHandler, PillowObserver, StatePublisher
from poller.queue_time import QueueTime
from poller.queues import Queue
from poller.settle.monitored_queue import MonitoredQueue
from poller.settle.queue_health import QueueHealth
from poller.settle.settlement import Settlement
from poller.worker import Worker

if TYPE_CHECKING:
    from poller.tracing import MessageSpans

Loop = Callable[[], Coroutine[Any, Any, None]]
"""Runs until it is cancelled."""


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """The settings of a pipeline; `visibility_s` is the length of a lease, in seconds.

    `instance` is the poller's name, `takeover_s` how long the active poller may be silent; without
    it every poller receives.
    """

    rules: ClassificationRules
    policy: PollPolicy
    visibility_s: float
    newest_only: bool = False
    max_pillows: int = 100_000
    instance: str = "poller"
    takeover_s: float | None = None
    presence: PresenceOptions | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A worker, the listener for its broker, the pacer of its polls, and what readiness reports."""

    worker: Worker
    listener: BrokerEventHandler
    pacer: PollPacer
    elector: Elector | None
    in_flight: InFlight
    queue_state: Callable[[], str]
    """Returns `ok`, perhaps with who receives, or a failing queue operation and its error."""
    broker_state: Callable[[], str]
    """Returns `ok`, or a pillow whose states the broker refuses and its reason."""
    reports: PillowReports
    observers: Sequence[PillowObserver] = ()


def compose(
    queue: Queue,
    broker: StatePublisher,
    metrics: PollerMetrics,
    options: PipelineOptions,
    queue_time: QueueTime,
    journal: StateJournal | None = None,
    spans: "MessageSpans | None" = None,
) -> Pipeline:
    """Build a pipeline; the caller runs the journal, if there is one. `spans` records traces.

    The caller passes what the queue's answers say about its clock to `queue_time`, what the broker
    reports to `listener` and `observers`, what gateways say there to `pacer`, and what pollers say
    to `elector`.
    """
    tasks = BackgroundTasks()
    in_flight = _in_flight(metrics, options, queue_time, spans)
    health = QueueHealth(metrics)
    monitored = MonitoredQueue(queue, health)
    settlement = Settlement(monitored, broker, in_flight, tasks, metrics)
    last_writes = _last_writes(metrics, options, journal)
    save_marks = SaveMarkPublisher(broker, last_writes)
    reconciler = RetainedStateReconciler(broker, last_writes, tasks, metrics, queue_time)
    signs_of_life = SignsOfLife(
        broker, last_writes, metrics, queue_time, on_stale=reconciler.republish
    )
    writer = NewerStateWriter(broker, last_writes, signs_of_life, metrics, queue_time)
    publisher = OrderedPublisher(
        writer, reconciler, settlement, tasks, newest_only=options.newest_only
    )
    presence = compose_presence(broker, options.presence, queue_time, metrics, last_writes)
    pages = PagePublisher(publisher, tasks, metrics)
    handler = _handler(spans)(in_flight, pages, settlement, metrics, options.rules)
    depth = DepthMonitor(queue, health, metrics)
    report = TakeoverReport(metrics, in_flight, options.visibility_s)
    elector = _elector(broker, depth, report, options, queue_time.monotonic_s)
    gate = ReceiveGate(broker, elector)
    metrics.active.set_function(lambda: gate.is_open)
    fetcher = PageFetcher(monitored, gate, in_flight, handler, metrics)
    pacer = PollPacer(options.policy, metrics, presence.on_caught_up)
    consumer = Consumer(fetcher, pacer, options.visibility_s)
    renewal = LeaseRenewal(monitored, in_flight, metrics, options.visibility_s)
    listener = BrokerListener(broker, last_writes, reconciler, metrics, queue_time)
    if journal is not None:
        journal.listen(partial(_use_opened, last_writes, listener))
    queue_state = partial(_queue_state, elector, health)
    reporter = QueueReporter(broker, in_flight, gate, queue_state)
    loops = (renewal.run, depth.run, reporter.run, save_marks.run, save_marks.pass_days)
    reports = PillowReports(last_writes, signs_of_life, publisher, settlement)
    return Pipeline(
        Worker(consumer, pages, settlement, tasks, (*loops, *_loops(elector), *presence.loops)),
        listener,
        pacer,
        elector,
        in_flight,
        queue_state,
        lambda: publisher.state,
        reports,
        presence.observers,
    )


def _in_flight(
    metrics: PollerMetrics,
    options: PipelineOptions,
    queue_time: QueueTime,
    spans: "MessageSpans | None",
) -> InFlight:
    clock_s = asyncio.get_running_loop().time
    if spans is None:
        in_flight = InFlight(queue_time.now_ms, options.visibility_s, clock_s)
    else:
        from poller.tracing import TracedInFlight  # needs OpenTelemetry

        in_flight = TracedInFlight(spans, queue_time.now_ms, options.visibility_s, clock_s)
    metrics.clock_offset_s.set_function(queue_time.offset_s)
    metrics.in_flight.set_function(in_flight.__len__)
    metrics.unsettled.set_function(lambda: in_flight.unsettled)
    metrics.oldest_message_s.set_function(lambda: in_flight.queue_age.page_waited_s)
    metrics.intake_limit.set_function(lambda: in_flight.intake.messages)
    metrics.blocked.set_function(lambda: in_flight.blocked)
    metrics.blocked_limit.set(MAX_BLOCKED)
    metrics.undeleted.set_function(lambda: in_flight.undeleted)
    metrics.undeleted_limit.set(MAX_UNDELETED)
    return in_flight


def _handler(spans: "MessageSpans | None") -> type[PageHandler]:
    if spans is None:
        return PageHandler
    from poller.tracing import TracedPageHandler

    return TracedPageHandler


def _last_writes(
    metrics: PollerMetrics, options: PipelineOptions, journal: StateJournal | None
) -> JournaledWrites:
    marks = SaveMarks(WITHOUT_JOURNAL + secrets.token_hex(8))
    last_writes = JournaledWrites(marks, PillowLimit(options.max_pillows, metrics), journal)
    metrics.pillows.set_function(lambda: len(last_writes))
    return last_writes


def _elector(
    broker: StatePublisher,
    depth: DepthMonitor,
    report: TakeoverReport,
    options: PipelineOptions,
    monotonic_s: Callable[[], float],
) -> Elector | None:
    if options.takeover_s is None:
        return None
    jitter = random.random()  # noqa: S311 - so that pollers differ
    election = Election(options.instance, secrets.token_hex(8), options.takeover_s, jitter)
    return Elector(broker, election, depth, report, monotonic_s)


def _loops(elector: Elector | None) -> tuple[Loop, ...]:
    return () if elector is None else (elector.run,)


def _queue_state(elector: Elector | None, health: QueueHealth) -> str:
    return health.state if elector is None else elector.state


def _use_opened(
    last_writes: JournaledWrites, listener: BrokerListener, opened: OpenedJournal
) -> None:
    """Add the states of a journal, and publish those that the broker lacks."""
    last_writes.load(opened)
    listener.compare()
