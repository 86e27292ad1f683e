"""The simulator's port for operators: health, readiness and metrics of a run, where it is set."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.health import OK, health_routes
from runtime.server import listen
from simulator.metrics import simulator_metrics
from simulator.runner import Runner
from simulator.settings import SimulatorSettings


def open_ops_port(settings: SimulatorSettings) -> socket.socket | None:
    """Open the port, if SIMULATOR_PORT is set; raises PortUnavailable."""
    if settings.port is None:
        return None
    return listen(settings.host, settings.port, "SIMULATOR_PORT")


@asynccontextmanager
async def ops_port(listener: socket.socket | None, runner: Runner) -> AsyncIterator[None]:
    """Serve the port of a run during the block; without a listener there is none."""
    if listener is None:
        yield
        return
    # Loaded here, because most runs have no port, and the server takes a while to load.
    from starlette.applications import Starlette

    from runtime.private_server import serve_privately
    from runtime.process_metrics import process_metrics

    stopping, stats = asyncio.Event(), runner.stats
    registry = simulator_metrics(runner.plan.pillow_count, stats, runner.fault_counts)

    def states() -> dict[str, str]:
        return {"target": stats.error or OK}

    app = Starlette(routes=health_routes(states, registry))
    with process_metrics("simulator", registry, states):
        serving = asyncio.ensure_future(serve_privately(app, listener, stopping))
        try:
            yield
        finally:
            stopping.set()
            await serving
