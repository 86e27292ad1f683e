"""Ops port: what operators and their programs ask, on a port that the public does not reach."""

import asyncio
import socket

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from runtime.health import Dependencies, health_routes
from runtime.private_server import serve_privately


async def serve_ops(
    listener: socket.socket,
    stopping: asyncio.Event,
    dependencies: Dependencies,
    registry: CollectorRegistry,
) -> None:
    """Serve health, readiness and metrics until `stopping` is set."""
    app = Starlette(routes=health_routes(dependencies, registry))
    await serve_privately(app, listener, stopping)
