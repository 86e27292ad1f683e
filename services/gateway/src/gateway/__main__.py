"""The gateway's process: its settings, its parts, and the order in which they start and stop."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from starlette.routing import Route
from starlette.types import ASGIApp

from contract.topics import Topics
from gateway import garbage
from gateway.access_parts import AccessParts, create_access
from gateway.fanout.dispatcher import Dispatcher
from gateway.http.api import api_routes
from gateway.http.app import create_app
from gateway.http.badge import badge_routes
from gateway.http.guard import Guard
from gateway.http.labels_api import labels_routes
from gateway.http.sse_endpoint import sse_endpoint
from gateway.labels.labels_file import LabelsFile
from gateway.labels.shown_label import shown_label
from gateway.listeners import Listeners
from gateway.metrics import GatewayMetrics, ObservedState
from gateway.ops.routes import KnownState, operator_routes
from gateway.ops_port import serve_ops
from gateway.past_parts import Past
from gateway.settings import GatewaySettings
from gateway.state.history import History
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import StateStore
from gateway.transport.connections import ConnectionRegistry, Stage
from gateway.transport.context import TransportContext
from gateway.transport.heartbeat import HeartbeatScheduler
from gateway.transport.open_files import raise_open_file_limit
from gateway.transport.server import serve
from gateway.transport.shown_reports import ShownSpans
from gateway.transport_parts import create_transport
from gateway.watching.publisher import WatchingPublisher
from runtime.health import ok_but
from runtime.lifecycle import exit_with_usage, run_service
from runtime.mqtt import Message, MqttSession, SessionConfig, Subscription
from runtime.queue_aware_clock import Clock
from runtime.session_metrics import observe_session
from runtime.settings import SettingsError
from runtime.startup import configure_service_logs
from runtime.tracing.start import Tracing, start_tracing

if TYPE_CHECKING:
    from runtime.tracing.tracer import Tracer

log = structlog.get_logger()

SERVICE: Final = "gateway"

START_GRACE_S: Final = 2.0
"""How long clients wait, at the start, for the broker's retained states: a page that connects again
while a gateway restarts would otherwise be told that there are no pillows."""

GOODBYE_TIMEOUT_S: Final = 2.0
"""How long clients may take to read the goodbye frame and close."""


def main() -> None:
    """Run a command, or the gateway until a signal; exit with status 2 if settings are wrong."""
    if len(sys.argv) > 1:
        from gateway.commands.cli import run  # a terminal library that the service does not need

        run()
        return
    try:
        settings = GatewaySettings.load()
        listeners = Listeners.open(settings)
    except SettingsError as error:
        exit_with_usage(SERVICE, str(error))
    raise_open_file_limit()
    garbage.begin()
    configure_service_logs(SERVICE, settings)
    tracing = start_tracing(SERVICE, settings)
    run_service(lambda stopping: tracing.run(_serve(settings, listeners, tracing, stopping)))


def _dependencies(session: MqttSession) -> dict[str, str]:
    """Return the state of the broker for readiness."""
    return {"mqtt": ok_but(session.limitation) if session.is_ready else session.last_error}


def _mqtt_session(
    settings: GatewaySettings,
    topics: Topics,
    consumer: MqttConsumer,
    access: AccessParts | None,
    metrics: GatewayMetrics,
    watching: WatchingPublisher,
    past: Past,
) -> MqttSession:
    filters = [topics.all_states, topics.all_availability]
    if access is not None:
        filters.append(topics.all_revocations)

    def receive(message: Message) -> None:
        if access is None or not access.receive(message):
            consumer.receive(message)

    def be_ready() -> None:
        if access is not None:
            access.on_broker_ready()
        consumer.on_broker_ready(delivers_retained=session.delivers_retained is not False)
        past.memory.on_ready()
        watching.check()

    def be_lost() -> None:
        past.memory.on_lost()
        consumer.on_broker_lost()

    session = MqttSession(
        SessionConfig.for_service(settings, SERVICE),
        Subscription(filters),
        on_message=receive if access is not None else consumer.receive,
        on_ready=be_ready,
        on_lost=be_lost,
    )
    observe_session(SERVICE, session, metrics.registry)
    return session


async def _serve(
    settings: GatewaySettings,
    listeners: Listeners,
    tracing: Tracing,
    stopping: asyncio.Event,
) -> None:
    topics, metrics, clock = Topics(settings.topic_prefix), GatewayMetrics(), Clock()
    store, history = StateStore(_new_epoch()), History(settings.history_bytes)
    presence = PresenceTracker(
        store,
        history,
        expire_after_ms=round(settings.expire_after * 1000),
        max_pillows=settings.max_pillows,
    )
    metrics.observe(_observed(store, presence, history, clock))
    watching = WatchingPublisher(topics.watching(settings.instance))
    fanout = _fanout(tracing, store, metrics)
    dispatcher, consumer, spans = fanout(presence, topics, metrics, clock, watching.check)
    access = create_access(settings, topics, clock)
    context = create_transport(settings, dispatcher, access, metrics, clock, spans)
    registry = context.registry
    past = Past(settings, history, clock, metrics)
    session = _mqtt_session(settings, topics, consumer, access, metrics, watching, past)
    app, labels = _application(settings, store, context, past, metrics)
    stop_server, stop_session = asyncio.Event(), asyncio.Event()
    # A part that fails ends the process, because a gateway that serves pages without a broker
    # session would show old states.
    async with asyncio.TaskGroup() as parts:
        parts.create_task(session.run(stop_session), name="mqtt")
        states = partial(_dependencies, session)
        known = KnownState(store, history, presence, consumer)
        routes = operator_routes(settings, context, known, states)
        parts.create_task(
            serve_ops(listeners.ops, stop_session, states, metrics.registry, routes), name="ops"
        )
        await _known_states(session, stopping)
        keep_alive_s = settings.keep_alive
        http = serve(app, listeners.public, stop_server, context, keep_alive_s=keep_alive_s)
        parts.create_task(http, name="http")
        timers = [
            parts.create_task(consumer.run(), name="expiry"),
            parts.create_task(registry.run(), name="connection timeouts"),
            parts.create_task(labels.run(), name="labels"),
            parts.create_task(_heartbeats(context).run(), name="heartbeats"),
            parts.create_task(watching.run(session, dispatcher.subscriber_count), name="watching"),
            parts.create_task(garbage.collect_garbage(), name="garbage collection"),
        ]
        if access is not None:
            timers.append(parts.create_task(access.run(), name="keys for tokens"))
        listeners.log(settings)
        await stopping.wait()
        dispatcher.announce_restart()
        await _wait_until_no_clients(registry)
        for timer in timers:
            timer.cancel()
        watching.publish_none(session)
        stop_server.set()
        stop_session.set()
    await past.close()
    log.info("stopped")


def _application(
    settings: GatewaySettings,
    store: StateStore,
    context: TransportContext,
    past: Past,
    metrics: GatewayMetrics,
) -> tuple[ASGIApp, LabelsFile]:
    guard = Guard(context.access, context.registry.count_refused)
    labels = LabelsFile(settings.labels_file)
    metrics.labels.set_function(lambda: len(labels.labels))
    metrics.labels_up.set_function(lambda: not labels.error)

    def label_of(pillow: str) -> str:
        return shown_label(store.state(pillow), labels.labels.get(pillow, ""))

    api = [*api_routes(store, context.dispatcher, guard), *past.routes(store, guard)]
    badges = badge_routes(store, context.dispatcher, guard, label_of)
    others = [*labels_routes(labels, guard), *badges]
    app = create_app(settings, [Route("/events", sse_endpoint(context)), *api, *others], label_of)
    return app, labels


def _fanout(
    tracing: Tracing, store: StateStore, metrics: GatewayMetrics
) -> Callable[..., tuple[Dispatcher, MqttConsumer, ShownSpans | None]]:
    tracing.observe(SERVICE, metrics.registry)
    tracer = tracing.tracer
    return partial(_plain, store) if tracer is None else partial(_traced, store, tracer)


def _plain(
    store: StateStore,
    presence: PresenceTracker,
    topics: Topics,
    metrics: GatewayMetrics,
    clock: Clock,
    on_first_or_last: Callable[[], None],
) -> tuple[Dispatcher, MqttConsumer, ShownSpans | None]:
    dispatcher = Dispatcher(store, metrics, clock, on_first_or_last)
    return dispatcher, MqttConsumer(presence, dispatcher, topics, metrics, clock), None


def _traced(
    store: StateStore,
    tracer: "Tracer",
    presence: PresenceTracker,
    topics: Topics,
    metrics: GatewayMetrics,
    clock: Clock,
    on_first_or_last: Callable[[], None],
) -> tuple[Dispatcher, MqttConsumer, ShownSpans | None]:
    from gateway.tracing import StateSpans, TracedConsumer, TracedDispatcher  # needs OpenTelemetry

    spans = StateSpans(tracer, clock)
    dispatcher = TracedDispatcher(store, metrics, clock, on_first_or_last, spans)
    return dispatcher, TracedConsumer(presence, dispatcher, topics, metrics, clock), spans


def _observed(
    store: StateStore, presence: PresenceTracker, history: History, clock: Clock
) -> ObservedState:
    return ObservedState(
        store.__len__,
        lambda: presence.silent_count,
        lambda: history.size_bytes,
        lambda: clock.read().queue_offset_ms,
    )


def _heartbeats(context: TransportContext) -> HeartbeatScheduler:
    tick, count = context.registry.clients.tick, context.dispatcher.subscriber_count
    return HeartbeatScheduler(tick, context.clock, count)


async def _known_states(session: MqttSession, stopping: asyncio.Event) -> None:
    """Wait until the retained states have arrived, START_GRACE_S at most."""
    waits = [asyncio.ensure_future(wait) for wait in (session.wait_ready(), stopping.wait())]
    await asyncio.wait(waits, timeout=START_GRACE_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _wait_until_no_clients(registry: ConnectionRegistry) -> None:
    """Wait until every client has read the goodbye frame, GOODBYE_TIMEOUT_S at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE_TIMEOUT_S):
            while len(registry.clients) or registry.count(Stage.CLOSING):  # noqa: ASYNC110 - once, at the end
                await asyncio.sleep(0.02)


def _new_epoch() -> str:
    """Return a name for this process's stream that no other process has had."""
    return secrets.token_hex(4)


if __name__ == "__main__":
    main()
