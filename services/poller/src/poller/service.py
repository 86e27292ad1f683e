"""The poller's process: its settings, its parts, and the order in which they start and stop."""

import asyncio
import socket
from typing import Final

import structlog
from starlette.applications import Starlette

from contract.topics import Topics
from contract.updates import decode_state
from poller.azure.queue import AzureQueue
from poller.consume.polling import Policy
from poller.metrics import PollerMetrics
from poller.publish.mqtt_state_publisher import MqttStatePublisher
from poller.publish.publish_confirms import PublishConfirms
from poller.queues import QueueDenied
from poller.settings import PollerSettings
from poller.worker import Worker
from runtime.health import health_routes
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs
from runtime.mqtt import Message, MqttSession
from runtime.server import PortUnavailable, listen, serve_until
from runtime.settings import SettingsError

log = structlog.get_logger()

SERVICE: Final = "poller"


def run() -> None:
    """Run the poller until a signal; exit 2 when it cannot start as it is set up."""
    try:
        settings = PollerSettings.load()
        listener = listen(settings.host, settings.port, "POLLER_PORT")
    except (SettingsError, PortUnavailable) as error:
        exit_with_usage(SERVICE, str(error))
    configure_logs(SERVICE, level=settings.log_level, style=settings.log_format)
    run_service(lambda stopping: _serve(settings, listener, stopping))


async def _serve(
    settings: PollerSettings, listener: socket.socket, stopping: asyncio.Event
) -> None:
    topics = Topics(settings.topic_prefix)
    metrics = PollerMetrics()
    try:
        queue = AzureQueue.from_settings(settings, metrics.request_ended)
    except QueueDenied as error:
        exit_with_usage(SERVICE, str(error))

    echoes = PublishConfirms() if settings.mqtt_protocol == "3.1.1" else None

    def on_message(message: Message) -> None:
        about = topics.parse(message.topic)
        if about is None:
            return
        if echoes is not None:
            echoes.hear(about.pillow, message.payload)
        if not message.payload:
            worker.see_removed(about.pillow)
            return
        update = decode_state(about.pillow, message.payload)
        if not isinstance(update, str):
            worker.see(update)

    def on_lost() -> None:
        if echoes is not None:
            echoes.lose(session.trouble)
        worker.broker_lost()

    session = MqttSession(
        settings.broker,
        protocol=settings.mqtt_protocol,
        service=SERVICE,
        instance=settings.instance,
        status_topic=topics.status(SERVICE, settings.instance),
        filters=(topics.all_states,),
        no_local=True,
        on_message=on_message,
        on_ready=lambda: worker.broker_ready(),
        on_lost=on_lost,
    )
    worker = Worker(
        queue,
        MqttStatePublisher(session, topics, settings.instance, echoes),
        metrics,
        Policy(settings.poll_min, settings.poll_max, settings.poll_hot),
        default_pillow=settings.default_pillow,
        max_attempts=settings.max_attempts,
        visibility_s=settings.visibility_timeout,
        newest_only=settings.newest_only,
    )

    def dependencies() -> dict[str, str]:
        mqtt = worker.broker_state if session.is_ready else session.trouble
        return {"queue": worker.queue_state, "mqtt": mqtt}

    app = Starlette(routes=health_routes(dependencies, metrics.registry))
    stop_parts = asyncio.Event()
    async with queue, asyncio.TaskGroup() as parts:
        parts.create_task(serve_until(app, listener, stop_parts), name="http")
        parts.create_task(session.run(stop_parts), name="mqtt")
        host, port = listener.getsockname()[:2]
        log.info(
            "started",
            queue=settings.queue,
            broker=str(settings.broker),
            health=f"http://{host}:{port}/readyz",
        )
        # The session outlives the worker: what is in hand has yet to be confirmed.
        await worker.run(stopping)
        stop_parts.set()
    log.info("stopped")
