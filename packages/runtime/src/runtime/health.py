"""Health, readiness and metrics over HTTP."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runtime.clocks import monotonic_s
from runtime.redaction import redact

Dependencies = Callable[[], Mapping[str, str]]
"""The state of each dependency by its name: `ok`, `ok; ` and what it cannot do, or a sentence that
describes the error."""

OK = "ok"


def ok_but(limitation: str | None) -> str:
    """Return the state of a dependency that works, with what it cannot do."""
    return OK if limitation is None else f"{OK}; {limitation}"


def is_ok(state: str) -> bool:
    """Return whether a dependency works, also where there is something that it cannot do."""
    return state.partition(";")[0] == OK


def limitation_of(state: str) -> str:
    """Return what a dependency that works cannot do; empty if there is no such thing."""
    return state.partition("; ")[2] if is_ok(state) else ""


def is_ready(states: Mapping[str, str]) -> bool:
    """Return whether every dependency works."""
    return all(map(is_ok, states.values()))


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse(f"{OK}\n")


ALIVE_ROUTE: Final = Route("/healthz", _healthz)
"""`/healthz`: the process runs; the response says nothing else."""


class MetricsTurns:
    """The metrics as text, rendered for one request after the other, for half of the time at most.

    It takes 5 ms or more of the event loop, which everything else of the process needs as well. In
    the pauses connections are accepted, so that those above their limit have been closed.
    """

    def __init__(self, render: Callable[[], bytes], monotonic_s: Callable[[], float]) -> None:
        self._render = render
        self._monotonic_s = monotonic_s
        self._turn = asyncio.Lock()
        self._free_s = -math.inf

    async def text(self, has_left: Callable[[], Awaitable[bool]]) -> bytes:
        """Return the metrics of this moment; nothing to a client that has left meanwhile."""
        async with self._turn:
            pause_s = self._free_s - self._monotonic_s()
            if pause_s > 0 and not await has_left():
                await asyncio.sleep(pause_s)
            if await has_left():
                return b""
            began_s = self._monotonic_s()
            text = self._render()
            ended_s = self._monotonic_s()
            self._free_s = ended_s + (ended_s - began_s)
            return text


def health_routes(dependencies: Dependencies, registry: CollectorRegistry) -> list[Route]:
    """Return `/healthz` (alive), `/readyz` (every dependency by name) and `/metrics`.

    `/healthz` does not depend on the dependencies, because an outage of the broker must not restart
    every process.
    """

    async def readyz(_request: Request) -> Response:
        states = {name: redact(state) for name, state in dependencies().items()}
        ready = is_ready(states)
        return JSONResponse(
            {"ready": ready, "dependencies": states}, status_code=200 if ready else 503
        )

    turns = MetricsTurns(lambda: generate_latest(registry), monotonic_s)

    async def metrics(request: Request) -> Response:
        return Response(await turns.text(request.is_disconnected), media_type=CONTENT_TYPE_LATEST)

    return [ALIVE_ROUTE, Route("/readyz", readyz), Route("/metrics", metrics)]
