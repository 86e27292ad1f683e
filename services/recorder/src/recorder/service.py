"""The recorder: its settings, its parts, and the order in which they start and stop."""

import asyncio
import contextlib
import random
import socket
from functools import partial
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from contract.topics import Topics
from history.database import open_database
from history.errors import database_error
from recorder.database_health import DatabaseHealth
from recorder.intake import Intake
from recorder.keeping import Keeping
from recorder.listener import SERVICE, listen_to_broker
from recorder.metrics import RecorderMetrics
from recorder.migrate import NewerSchema, migrate
from recorder.pruning import Pruner
from recorder.recording import FAILURES, Recording
from recorder.settings import RecorderSettings, load_settings
from recorder.store import HistoryStore
from recorder.tally_keeper import TallyKeeper
from runtime.backoff import Backoff
from runtime.health import Dependencies, health_routes, ok_but
from runtime.lifecycle import exit_with_usage, run_service
from runtime.mqtt import MqttSession
from runtime.private_server import serve_privately
from runtime.process_metrics import process_metrics
from runtime.queue_aware_clock import Clock
from runtime.server import listen, url_of
from runtime.settings import SettingsError
from runtime.startup import configure_service_logs

log = structlog.get_logger()

_BACKOFF: Final = Backoff(first_s=0.5, max_s=5)


def run() -> None:
    """Run the recorder until a signal; exit with status 2 when a setting is wrong."""
    try:
        settings = load_settings()
        listener = listen(settings.host, settings.port, "RECORDER_PORT")
    except SettingsError as error:
        exit_with_usage(SERVICE, str(error))
    configure_service_logs(SERVICE, settings)
    run_service(lambda stopping: _serve(settings, listener, stopping))


async def _serve(
    settings: RecorderSettings, listener: socket.socket, stopping: asyncio.Event
) -> None:
    topics, metrics, clock = Topics(settings.topic_prefix), RecorderMetrics(), Clock()
    engine = open_database(settings.database, read_only=False)
    store = HistoryStore(engine, settings.instance, settings.max_pillows)
    intake, health = Intake(settings.buffer_bytes), DatabaseHealth(metrics)
    metrics.observe(lambda: len(intake), lambda: intake.bytes, settings.buffer_bytes)
    recording = Recording(store, intake, clock, health, metrics)
    keeping = Keeping(settings, Pruner(engine), clock, metrics)
    session = listen_to_broker(settings, topics, recording, clock, metrics)
    stop_parts = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as parts:
            states = partial(_dependencies, session, health)
            app = Starlette(routes=health_routes(states, metrics.registry))
            parts.create_task(_serve_http(app, listener, stop_parts, metrics, states), name="http")
            log.info(
                "started",
                database=str(settings.database),
                broker=str(settings.broker),
                health=url_of(listener, "/readyz"),
            )
            # States are listened to while the database is not open yet: they wait.
            stop_session = asyncio.Event()
            parts.create_task(session.run(stop_session), name="mqtt")
            if await _open(engine, health, intake, stopping):
                parts.create_task(keeping.run(stopping), name="retention")
                parts.create_task(TallyKeeper(engine).run(stopping), name="tallies")
                writing = parts.create_task(recording.run(stop_session), name="recording")
                await stopping.wait()
                stop_session.set()
                await writing
            stop_session.set()
            stop_parts.set()
    finally:
        await engine.dispose()
    log.info("stopped")


async def _serve_http(
    app: Starlette,
    listener: socket.socket,
    stopping: asyncio.Event,
    metrics: RecorderMetrics,
    dependencies: Dependencies,
) -> None:
    with process_metrics(SERVICE, metrics.registry, dependencies):
        await serve_privately(app, listener, stopping)


async def _open(
    engine: AsyncEngine, health: DatabaseHealth, intake: Intake, stopping: asyncio.Event
) -> bool:
    """Make or migrate the tables, however long the database is away; return False when stopped."""
    attempt = 0
    while not stopping.is_set():
        try:
            await migrate(engine)
        except NewerSchema as error:
            exit_with_usage(SERVICE, f"HISTORY_URL: {error}")
        except FAILURES as error:
            health.record_failure(database_error(error), waiting=len(intake))
            delay_s = _BACKOFF.delay(attempt, random.random())  # noqa: S311 - jitter
            attempt += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), delay_s)
        else:
            return True
    return False


def _dependencies(session: MqttSession, health: DatabaseHealth) -> dict[str, str]:
    mqtt = ok_but(session.limitation) if session.is_ready else session.last_error
    return {"mqtt": mqtt, "database": health.state}
