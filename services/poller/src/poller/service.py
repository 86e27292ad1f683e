"""The poller's process: settings, queue, broker, HTTP server, and the order of start and stop."""

import asyncio
import socket
from typing import Final

import structlog
from starlette.applications import Starlette

from poller.azure.queue import AzureQueue
from poller.composition import PipelineOptions, compose
from poller.consume.classify import ClassificationRules
from poller.consume.polling import PollPolicy
from poller.metrics import PollerMetrics
from poller.publish.mqtt_state_publisher import MqttStatePublisher
from poller.queue_time import QueueTime
from poller.queues import QueueDenied
from poller.settings import PollerSettings
from runtime.health import OK, health_routes, ok_but
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs
from runtime.observed_counter import ObservedCounter
from runtime.server import PortUnavailable, listen, serve_until
from runtime.settings import SettingsError

log = structlog.get_logger()

SERVICE: Final = "poller"


def run() -> None:
    """Run the poller until a signal; exit with status 2 when a setting is wrong."""
    try:
        settings = PollerSettings.load()
        listener = listen(settings.host, settings.port, "POLLER_PORT")
    except (SettingsError, PortUnavailable) as error:
        exit_with_usage(SERVICE, str(error))
    configure_logs(SERVICE, level=settings.log_level, style=settings.log_format)
    settings.log_ignored()
    run_service(lambda stopping: _serve(settings, listener, stopping))


async def _serve(
    settings: PollerSettings, listener: socket.socket, stopping: asyncio.Event
) -> None:
    metrics, queue_time = PollerMetrics(), QueueTime()
    try:
        queue = AzureQueue(settings, metrics.count_request, queue_time)
    except QueueDenied as error:
        exit_with_usage(SERVICE, str(error))
    broker = MqttStatePublisher(settings, SERVICE)
    pipeline = compose(queue, broker, metrics, _options(settings), queue_time)
    broker.listener = pipeline.listener
    ObservedCounter(
        "pillowcast_poller_oversized_messages",
        "MQTT messages discarded because they were too large.",
        lambda: broker.oversized,
        metrics.registry,
    )

    def dependencies() -> dict[str, str]:
        mqtt = broker.last_error
        if broker.is_ready:
            mqtt = pipeline.broker_state()
            if mqtt == OK:
                mqtt = ok_but(broker.limitation)
        return {"queue": pipeline.queue_state(), "mqtt": mqtt}

    app = Starlette(routes=health_routes(dependencies, metrics.registry))
    stop_parts = asyncio.Event()
    async with queue, asyncio.TaskGroup() as parts:
        parts.create_task(serve_until(app, listener, stop_parts), name="http")
        parts.create_task(broker.run(stop_parts), name="mqtt")
        host, port = listener.getsockname()[:2]
        log.info(
            "started",
            queue=settings.queue,
            broker=str(settings.broker),
            health=f"http://{host}:{port}/readyz",
        )
        # The MQTT session outlives the worker, because messages in flight are still confirmed.
        await pipeline.worker.run(stopping)
        stop_parts.set()
    log.info("stopped")


def _options(settings: PollerSettings) -> PipelineOptions:
    return PipelineOptions(
        ClassificationRules(settings.default_pillow, settings.max_attempts),
        PollPolicy(settings.poll_min, settings.poll_max, settings.poll_hot),
        visibility_s=settings.visibility_timeout,
        newest_only=settings.newest_only,
        max_pillows=settings.max_pillows,
    )
