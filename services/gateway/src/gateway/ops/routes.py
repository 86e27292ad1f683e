"""Routes of the ops port: a page for operators, and the same as JSON for `pillowcast`."""

from typing import Any, Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.ops.client_reports import ClientReports
from gateway.ops.client_trace import ClientTraces, TooManyTraces
from gateway.ops.limit_reports import report_limits
from gateway.ops.page import PAGE_HEADERS, Overview, render_page
from gateway.ops.pillow_reports import PillowReports, refused_clients
from gateway.settings import GatewaySettings
from gateway.state.history import History
from gateway.state.mqtt_consumer import MqttConsumer
from gateway.state.presence import PresenceTracker
from gateway.state.state_store import StateStore
from gateway.transport.context import TransportContext
from runtime.about import about_route
from runtime.health import Dependencies
from runtime.version import version_of

MAX_LIMIT: Final = 500
PAGE_ROWS: Final = 100
"""How many clients, and how many grey pillows, the page shows."""

REFUSAL_ROWS: Final = 20


class KnownState(NamedTuple):
    """What this gateway knows of pillows."""

    store: StateStore
    history: History
    presence: PresenceTracker
    consumer: MqttConsumer


def operator_routes(
    settings: GatewaySettings,
    context: TransportContext,
    known: KnownState,
    dependencies: Dependencies,
) -> list[Route]:
    """Return the page and the JSON behind it."""
    store, registry = known.store, context.registry
    clients = ClientReports(registry, store)
    expire_ms = round(settings.expire_after * 1000)
    pillows = PillowReports(store, known.presence, known.consumer, expire_ms, registry.refusals)

    def queue_offset_s() -> float | None:
        offset_ms = context.clock.read().queue_offset_ms
        return None if offset_ms is None else offset_ms / 1000

    async def page(_request: Request) -> Response:
        overview = Overview(
            settings.instance,
            version_of("gateway"),
            dependencies(),
            report_limits(settings, context, store, known.history),
            clients.page("", PAGE_ROWS),
            pillows.page(0, PAGE_ROWS, grey_only=True),
            refused_clients(registry.refusals)[:REFUSAL_ROWS],
        )
        return Response(render_page(overview), media_type="text/html", headers=PAGE_HEADERS)

    async def limits(_request: Request) -> Response:
        return _json(report_limits(settings, context, store, known.history))

    async def refusals(_request: Request) -> Response:
        return _json(refused_clients(registry.refusals))

    return [
        Route("/", page),
        about_route("gateway", settings, queue_offset_s),
        Route("/ops/limits", limits),
        Route("/ops/refusals", refusals),
        *_client_routes(clients, ClientTraces(context.dispatcher)),
        *_pillow_routes(pillows),
    ]


def _client_routes(clients: ClientReports, traces: ClientTraces) -> list[Route]:
    async def client_list(request: Request) -> Response:
        return _json(clients.page(request.query_params.get("after", ""), _limit(request)))

    async def client(request: Request) -> Response:
        found = clients.find(request.path_params["client"])
        return _gone(request) if found is None else _json(clients.report(found))

    async def trace(request: Request) -> Response:
        number = _number(request, "after")
        # Of one that left between two requests the rest has not been read.
        found = clients.find(request.path_params["client"], traces.departed(number))
        if found is None:
            return _gone(request)
        try:
            events = await traces.events_after(found, number)
        except TooManyTraces:
            return _json({"error": "as many clients are traced as may be; try again later"}, 429)
        return _json({"client": clients.report(found), "events": events})

    return [
        Route("/ops/clients", client_list),
        Route("/ops/clients/{client}", client),
        Route("/ops/clients/{client}/trace", trace),
    ]


def _pillow_routes(pillows: PillowReports) -> list[Route]:
    async def pillow_list(request: Request) -> Response:
        grey_only = request.query_params.get("grey") == "1"
        return _json(pillows.page(_number(request, "after"), _limit(request), grey_only=grey_only))

    async def pillow(request: Request) -> Response:
        return _json(pillows.report(request.path_params["pillow"]))

    return [Route("/ops/pillows", pillow_list), Route("/ops/pillows/{pillow}", pillow)]


def _json(document: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def _gone(request: Request) -> Response:
    name = request.path_params["client"][:40]
    return _json({"error": f"no client {name!r} is connected; /ops/clients lists them"}, 404)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _limit(request: Request) -> int:
    return min(max(1, _number(request, "limit") or PAGE_ROWS), MAX_LIMIT)
