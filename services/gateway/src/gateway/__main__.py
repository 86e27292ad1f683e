"""The gateway's process: its settings, its parts, and the order in which they start and stop."""

import asyncio
import contextlib
import gc
import resource
import secrets
import socket
import sys
from functools import partial
from typing import Final

import structlog
from starlette.routing import Route

from contract.topics import Topics
from gateway.clock import unix_ms
from gateway.fanout.dispatcher import Dispatcher
from gateway.http.api import api_routes
from gateway.http.app import create_app
from gateway.metrics import GatewayMetrics
from gateway.settings import GatewaySettings
from gateway.state.history import History
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import StateStore
from gateway.transport.connections import Door
from gateway.transport.handshake_fast_path import Front
from gateway.transport.heartbeat import Upkeep
from gateway.transport.http_protocol import bound_connections
from gateway.transport.sse import Events
from gateway.transport.websocket import WebSocketBrowser
from runtime.health import OK, health_routes
from runtime.lifecycle import exit_with_usage, run_service
from runtime.logs import configure_logs
from runtime.mqtt import MqttSession, SessionConfig, Subscription
from runtime.server import PortUnavailable, listen, serve_until
from runtime.settings import SettingsError

log = structlog.get_logger()

SERVICE: Final = "gateway"

SPARE_FILES: Final = 200
"""Open files that are kept for all but browsers: the broker, scrapers, and who is refused."""

GOODBYE_S: Final = 2.0
"""How long browsers may take to hear that they are to come back."""


def main() -> None:
    """Run the gateway until a signal; exit 2 when it cannot start as it is set up."""
    try:
        settings = GatewaySettings.load()
        listener = listen(settings.host, settings.port, "GATEWAY_PORT")
        bound_connections(listener)
    except (SettingsError, PortUnavailable) as error:
        exit_with_usage(SERVICE, str(error))
    _allow_many_connections()
    _collect_seldom()
    configure_logs(SERVICE, level=settings.log_level, style=settings.log_format)
    run_service(lambda stopping: _serve(settings, listener, stopping))


def _mqtt_session(settings: GatewaySettings, topics: Topics, consumer: MqttConsumer) -> MqttSession:
    return MqttSession(
        SessionConfig(
            settings.broker,
            settings.mqtt_protocol,
            service=SERVICE,
            instance=settings.instance,
            status_topic=topics.status(SERVICE, settings.instance),
        ),
        Subscription((topics.all_states, topics.all_availability)),
        on_message=consumer.receive,
        on_ready=consumer.on_broker_ready,
        on_lost=consumer.on_broker_lost,
    )


async def _serve(
    settings: GatewaySettings, listener: socket.socket, stopping: asyncio.Event
) -> None:
    topics = Topics(settings.topic_prefix)
    metrics = GatewayMetrics()
    store, history = StateStore(_new_epoch()), History(settings.history_bytes)
    metrics.observe(pillows=lambda: len(store), history_bytes=lambda: history.size_bytes)
    presence = PresenceTracker(store, history, expire_after_ms=round(settings.expire_after * 1000))
    dispatcher = Dispatcher(store, metrics, unix_ms)
    consumer = MqttConsumer(presence, dispatcher, topics, metrics)
    allowed = _allowed_browsers()
    door = Door(
        dispatcher,
        Upkeep(unix_ms),
        metrics,
        unix_ms,
        settings.allowed_origins,
        most=min(allowed, settings.max_browsers or allowed),
        room=allowed,
    )
    session = _mqtt_session(settings, topics, consumer)
    app = create_app(
        settings,
        [
            Route("/events", Events(door).serve),
            *api_routes(store, history, dispatcher),
            *health_routes(
                lambda: {"mqtt": OK if session.is_ready else session.last_error}, metrics.registry
            ),
        ],
    )
    stop_server, stop_session = asyncio.Event(), asyncio.Event()
    # A part that fails ends the others: a gateway that serves pages but hears nothing is worse
    # than none.
    async with asyncio.TaskGroup() as parts:
        parts.create_task(
            serve_until(app, listener, stop_server, http=partial(Front, door), ws=WebSocketBrowser),
            name="http",
        )
        parts.create_task(session.run(stop_session), name="mqtt")
        timers = [
            parts.create_task(consumer.run(), name="silence"),
            parts.create_task(door.run(), name="upkeep"),
        ]
        host, port = listener.getsockname()[:2]
        log.info("listening", page=f"http://{host}:{port}/", broker=str(settings.broker))
        await stopping.wait()
        dispatcher.announce_restart()
        await _until_empty(door)
        for timer in timers:
            timer.cancel()
        stop_server.set()
        stop_session.set()
    log.info("stopped")


def _allow_many_connections() -> None:
    """Raise the limit of open files to what the system allows: each browser is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(
        ValueError, OSError
    ):  # some systems call a limit unlimited that is not
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _collect_seldom() -> None:
    """Look for garbage seldom: browsers are many, live for long, and leave none behind.

    By itself Python would look through all of them again and again while they come.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _allowed_browsers() -> int:
    """Return how many browsers may be here for the limit of open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else max(1, files - SPARE_FILES)


async def _until_empty(door: Door) -> None:
    """Wait until every browser has been told to come back, for a short while at most."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            while len(door.upkeep):  # noqa: ASYNC110 - once in a life
                await asyncio.sleep(0.02)


def _new_epoch() -> str:
    """Name this process's stream: no cursor of another process may fit it."""
    return secrets.token_hex(4)


if __name__ == "__main__":
    main()
