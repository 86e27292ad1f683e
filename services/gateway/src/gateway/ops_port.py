"""Ops port: what operators and their programs ask, on a port that the public does not reach."""

import asyncio
import socket
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

from runtime.health import Dependencies, health_routes
from runtime.private_server import serve_privately
from runtime.process_metrics import process_metrics


async def serve_ops(
    listener: socket.socket,
    stopping: asyncio.Event,
    dependencies: Dependencies,
    registry: CollectorRegistry,
    routes: Sequence[Route] = (),
) -> None:
    """Serve health, readiness, metrics and these routes until `stopping` is set."""
    app = Starlette(routes=[*health_routes(dependencies, registry), *routes])
    with process_metrics("gateway", registry, dependencies):
        await serve_privately(app, listener, stopping)
