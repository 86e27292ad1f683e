"""The poller's process: settings, queue, broker, HTTP server, and the order of start and stop."""

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from contract.home_assistant import DiscoveryTopics
from contract.poller_roles import queue_level
from contract.topics import Topics
from poller.azure.queue import AzureQueue
from poller.composition import Pipeline, PipelineOptions, compose
from poller.consume.classify import ClassificationRules
from poller.consume.polling import PollPolicy
from poller.journal.journal import Journal
from poller.journal.journal_folder import JournalFolder
from poller.journal.save_marks import WITHOUT_JOURNAL
from poller.metrics import PollerMetrics
from poller.ops.routes import operator_routes
from poller.presence.parts import PresenceOptions
from poller.publish.mqtt_state_publisher import MqttStatePublisher
from poller.queue_time import QueueTime
from poller.queues import QueueDenied
from poller.settings import PollerSettings
from runtime.health import OK, health_routes, ok_but
from runtime.lifecycle import exit_with_usage, run_service
from runtime.private_server import serve_privately
from runtime.process_metrics import process_metrics
from runtime.server import listen, url_of
from runtime.session_metrics import observe_session
from runtime.settings import SettingsError
from runtime.startup import configure_service_logs
from runtime.tracing.start import Tracing, start_tracing

if TYPE_CHECKING:
    from poller.tracing import MessageSpans
    from runtime.tracing.tracer import Tracer

log = structlog.get_logger()

SERVICE: Final = "poller"


def run() -> None:
    """Run the poller until a signal; exit with status 2 when a setting is wrong."""
    try:
        settings = PollerSettings.load()
        listener = listen(settings.host, settings.port, "POLLER_PORT")
    except SettingsError as error:
        exit_with_usage(SERVICE, str(error))
    configure_service_logs(SERVICE, settings)
    tracing = start_tracing(SERVICE, settings)
    run_service(lambda stopping: tracing.run(_serve(settings, listener, tracing, stopping)))


async def _serve(
    settings: PollerSettings,
    listener: socket.socket,
    tracing: Tracing,
    stopping: asyncio.Event,
) -> None:
    metrics, queue_time = PollerMetrics(), QueueTime()
    metrics.journal_enabled.set(settings.journal is not None)
    try:
        queue = AzureQueue(settings, metrics.count_request, queue_time)
    except QueueDenied as error:
        exit_with_usage(SERVICE, str(error))
    journal = _journal(settings, metrics)
    stop_parts = asyncio.Event()
    async with queue, asyncio.TaskGroup() as parts:
        if journal is not None:
            parts.create_task(journal.run(stop_parts), name="journal")
            await journal.wait_tried()
        journals = {} if journal is None else journal.instances
        level = queue_level(queue.account, settings.queue) if settings.is_coordinated else ""
        presence = _presence(settings)
        spans = _spans(settings, tracing.tracer)
        broker = _broker(settings, dict(journals), level, presence.filters, spans)
        options = _options(settings, presence)
        pipeline = compose(queue, broker, metrics, options, queue_time, journal, spans)
        broker.listener, broker.gateways = pipeline.listener, pipeline.pacer
        broker.pollers, broker.observers = pipeline.elector, pipeline.observers
        observe_session(SERVICE, broker.session, metrics.registry)
        tracing.observe(SERVICE, metrics.registry)
        states = partial(_dependencies, pipeline, broker, journal)
        health = health_routes(states, metrics.registry)
        operators = operator_routes(settings, pipeline.reports, queue_time.offset_s)
        wake = _wake_route(pipeline, Topics(settings.topic_prefix).wake)
        app = Starlette(routes=[*health, wake, *operators])
        parts.create_task(serve_privately(app, listener, stop_parts), name="http")
        parts.create_task(broker.run(stop_parts), name="mqtt")
        log.info(
            "started",
            queue=settings.queue,
            broker=str(settings.broker),
            journal=str(settings.journal or "none"),
            health=url_of(listener, "/readyz"),
        )
        # The MQTT session outlives the worker, because messages in flight are still confirmed; the
        # journal does, because they are deleted when it has their states.
        with process_metrics(SERVICE, metrics.registry, states):
            await pipeline.worker.run(stopping)
        stop_parts.set()
    log.info("stopped")


def _spans(settings: PollerSettings, tracer: "Tracer | None") -> "MessageSpans | None":
    if tracer is None:
        return None
    from poller.tracing import MessageSpans  # needs OpenTelemetry

    return MessageSpans(tracer, Topics(settings.topic_prefix), settings.queue)


def _broker(
    settings: PollerSettings,
    journals: dict[str, str],
    level: str,
    filters: Sequence[str],
    spans: "MessageSpans | None",
) -> MqttStatePublisher:
    known = {WITHOUT_JOURNAL: settings.instance} | journals
    if spans is None:
        return MqttStatePublisher(settings, SERVICE, known, level, filters)
    from poller.tracing import TracedStatePublisher

    traced = TracedStatePublisher(settings, SERVICE, known, level, filters)
    traced.spans = spans
    return traced


def _journal(settings: PollerSettings, metrics: PollerMetrics) -> Journal | None:
    if settings.journal is None:
        log.warning(
            "no journal: a power cut of broker and pollers loses the states that the broker has "
            "not saved; set POLLER_JOURNAL"
        )
        return None
    folder = JournalFolder(settings.journal, settings.topic_prefix, settings.instance)
    return Journal(folder, metrics)


def _dependencies(
    pipeline: Pipeline, broker: MqttStatePublisher, journal: Journal | None
) -> dict[str, str]:
    mqtt = broker.last_error
    if broker.is_ready:
        mqtt = pipeline.broker_state()
        if mqtt == OK:
            mqtt = ok_but(broker.limitation)
    states = {"queue": pipeline.queue_state(), "mqtt": mqtt}
    if journal is not None:
        states["journal"] = journal.state
    return states


def _wake_route(pipeline: Pipeline, topic: str) -> Route:
    async def wake(_request: Request) -> Response:
        if pipeline.elector is not None and pipeline.elector.is_standby:
            text = f"this poller stands by; a message on the MQTT topic {topic} reaches the other\n"
            return PlainTextResponse(text, status_code=409)
        pipeline.pacer.wake("http")
        return PlainTextResponse("the queue is polled now\n", status_code=202)

    return Route("/wake", wake, methods=["POST"])


def _presence(settings: PollerSettings) -> PresenceOptions:
    topics, discovery = Topics(settings.topic_prefix), None
    if settings.home_assistant_prefix is not None:
        discovery = DiscoveryTopics(settings.home_assistant_prefix, topics)
    return PresenceOptions(
        topics,
        settings.silence_s,
        settings.max_pillows,
        discovery,
        settings.home_assistant_max_pillows,
    )


def _options(settings: PollerSettings, presence: PresenceOptions) -> PipelineOptions:
    return PipelineOptions(
        ClassificationRules(settings.default_pillow, settings.max_attempts),
        PollPolicy(
            settings.poll_min,
            settings.poll_max,
            settings.poll_hot,
            settings.poll_watched,
            settings.poll_unknown,
        ),
        visibility_s=settings.visibility_timeout,
        newest_only=settings.newest_only,
        max_pillows=settings.max_pillows,
        instance=settings.instance,
        takeover_s=settings.takeover_after if settings.is_coordinated else None,
        presence=presence,
    )
