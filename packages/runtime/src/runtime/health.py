"""Health, readiness and metrics over HTTP."""

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

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

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [ALIVE_ROUTE, Route("/readyz", readyz), Route("/metrics", metrics)]
