"""The simulator's port for operators: health, readiness and metrics of a run."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette

from runtime.health import OK, health_routes
from runtime.private_server import serve_privately
from runtime.process_metrics import process_metrics
from runtime.server import listen
from simulator.metrics import simulator_metrics
from simulator.runner import Runner


def open_ops_port(host: str, port: int, runner: Runner) -> AbstractAsyncContextManager[None]:
    """Open the port, and serve it while the context is entered; raises PortUnavailable."""
    return _served(listen(host, port, "SIMULATOR_PORT"), runner)


@asynccontextmanager
async def _served(listener: socket.socket, runner: Runner) -> AsyncIterator[None]:
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
