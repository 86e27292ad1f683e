"""The notifier's process: settings, rules, outbox, broker, HTTP server, and start and stop."""

import asyncio
import socket
from functools import partial
from typing import Final, NamedTuple

import structlog
from starlette.applications import Starlette

from contract.topics import Topics
from notifier.deliver.http_sender import HttpSender
from notifier.deliver.worker import Worker
from notifier.detect.detector import Detector
from notifier.detect.event import event_source
from notifier.metrics import NotifierMetrics
from notifier.moments import Moments
from notifier.mqtt_consumer import MqttConsumer
from notifier.outbox.open_outbox import open_outbox
from notifier.outbox.outbox import Outbox, OutboxLimits
from notifier.outbox.outbox_file import Loaded, OutboxFile, OutboxUnavailable, lock_outbox
from notifier.rules.loading import load_rule_book
from notifier.rules.parsing import InvalidRules
from notifier.rules.schema import RuleBook
from notifier.settings import NotifierSettings
from notifier.silence_keeper import SilenceKeeper
from runtime.about import about_route
from runtime.health import health_routes, ok_but
from runtime.lifecycle import exit_with_usage, run_service
from runtime.mqtt import Message, MqttSession, SessionConfig, Subscription
from runtime.private_server import serve_privately
from runtime.process_metrics import process_metrics
from runtime.server import listen, url_of
from runtime.session_metrics import observe_session
from runtime.settings import SettingsError, log_unused_proxies
from runtime.startup import configure_service_logs

log = structlog.get_logger()

SERVICE: Final = "notifier"

LAST_REQUESTS_S: Final = 3.0
"""How long a stop waits for the requests that are under way, in seconds. One that is cut off is
sent again, with the same id, after the next start."""


class Opened(NamedTuple):
    """What is opened before the event loop runs, so that a mistake is reported at once."""

    listener: socket.socket
    rules: RuleBook
    file: OutboxFile
    loaded: Loaded


def run() -> None:
    """Run the notifier until a signal; exit with status 2 when settings or rules are wrong."""
    try:
        settings = NotifierSettings.load()
        rules = load_rule_book(settings.rules)
        listener = listen(settings.host, settings.port, "NOTIFIER_PORT")
    except SettingsError as error:
        exit_with_usage(SERVICE, str(error))
    except InvalidRules as error:
        exit_with_usage(SERVICE, f"NOTIFIER_RULES {error}")
    configure_service_logs(SERVICE, settings, secrets=rules.secrets)
    try:
        lock_outbox(settings.outbox)
        file, loaded = open_outbox(settings.outbox)
    except OutboxUnavailable as error:
        exit_with_usage(SERVICE, f"NOTIFIER_OUTBOX {error}")
    opened = Opened(listener, rules, file, loaded)
    run_service(lambda stopping: _serve(settings, opened, stopping))


async def _serve(settings: NotifierSettings, opened: Opened, stopping: asyncio.Event) -> None:
    rules, moments = opened.rules, Moments()
    metrics = NotifierMetrics([rule.name for rule in rules.rules], list(rules.destinations))
    metrics.waiting_limit.set(settings.max_waiting)
    metrics.pillows_limit.set(settings.max_pillows)
    topics = Topics(settings.topic_prefix)
    limits = OutboxLimits(settings.max_waiting, settings.max_dead_letters)
    outbox = Outbox(opened.file, opened.loaded, rules.destinations, limits, metrics)
    source = event_source(settings.topic_prefix)
    detector = Detector(rules.rules, source, max_pillows=settings.max_pillows)
    loaded = opened.loaded
    outbox.add(detector.restore(loaded.marks, moments.now(), loaded.silences))
    keeper = SilenceKeeper(detector.pillows, moments, outbox.keep)
    consumer = MqttConsumer(detector, outbox.add, topics, metrics, moments)
    session = _session(settings, consumer)
    observe_session(SERVICE, session, metrics.registry)
    senders = _senders(rules)
    workers = [
        Worker(rules.destinations[name], sender, outbox, metrics)
        for name, sender in senders.items()
    ]
    log_unused_proxies("webhook destinations")
    stop_parts, stop_outbox = asyncio.Event(), asyncio.Event()
    states = partial(_dependencies, session, outbox, workers)
    health = health_routes(states, metrics.registry)
    app = Starlette(routes=[*health, about_route(SERVICE, settings, lambda: None)])
    async with asyncio.TaskGroup() as parts:
        parts.create_task(outbox.run(stop_outbox), name="outbox")
        parts.create_task(serve_privately(app, opened.listener, stop_parts), name="http")
        mqtt = parts.create_task(session.run(stop_parts), name="mqtt")
        timers = [
            parts.create_task(consumer.run(), name="timers"),
            parts.create_task(keeper.run(), name="silences"),
        ]
        deliveries = [parts.create_task(worker.run(), name="delivery") for worker in workers]
        log.info(
            "started",
            broker=str(settings.broker),
            rules=len(rules.rules),
            destinations=sorted(rules.destinations),
            waiting=len(loaded.waiting),
            health=url_of(opened.listener, "/readyz"),
        )
        with process_metrics(SERVICE, metrics.registry, states):
            await stopping.wait()
        for timer in timers:
            timer.cancel()
        await _stop_deliveries(workers, deliveries)
        stop_parts.set()
        # What arrives until the session has ended is written, too.
        await mqtt
        keeper.keep()
        stop_outbox.set()
    for sender in senders.values():
        await sender.close()
    log.info("stopped")


def _session(settings: NotifierSettings, consumer: MqttConsumer) -> MqttSession:
    def receive(message: Message) -> None:
        consumer.receive(message, session.connections)

    def be_ready() -> None:
        consumer.on_ready(delivers_retained=session.delivers_retained is not False)

    session = MqttSession(
        SessionConfig.for_service(settings, SERVICE),
        Subscription(consumer.filters),
        on_message=receive,
        on_ready=be_ready,
        on_lost=consumer.on_lost,
    )
    return session


def _senders(rules: RuleBook) -> dict[str, HttpSender]:
    senders = {}
    for name, destination in rules.destinations.items():
        try:
            senders[name] = HttpSender(destination)
        except ValueError as error:
            exit_with_usage(SERVICE, f"NOTIFIER_RULES destination.{name}.ca_file {error}")
    return senders


async def _stop_deliveries(workers: list[Worker], deliveries: list[asyncio.Task[None]]) -> None:
    """End the workers: at once, but for those with a request under way."""
    for worker in workers:
        worker.stop()
    await asyncio.wait(deliveries, timeout=LAST_REQUESTS_S)
    for delivery in deliveries:
        delivery.cancel()


def _dependencies(session: MqttSession, outbox: Outbox, workers: list[Worker]) -> dict[str, str]:
    """Return the state of each dependency; a destination that fails is no reason to restart."""
    limitations = [one.limitation for one in workers if one.limitation is not None]
    return {
        "mqtt": ok_but(session.limitation) if session.is_ready else session.last_error,
        "outbox": outbox.state,
        "destinations": ok_but("; ".join(limitations) or None),
    }
