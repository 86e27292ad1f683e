"""Routes of the poller's port for `pillowcast`: which process it is, pillows, dead letters."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from poller.ops.pillow_reports import PillowReports
from poller.settings import PollerSettings
from runtime.about import about_route


def operator_routes(
    settings: PollerSettings, reports: PillowReports, wall_ahead_s: Callable[[], float]
) -> list[Route]:
    """Return the routes; `wall_ahead_s` is this machine's clock minus the queue's, or NaN."""

    def queue_offset_s() -> float | None:
        ahead_s = wall_ahead_s()
        return None if math.isnan(ahead_s) else -ahead_s

    async def pillow(request: Request) -> Response:
        return _json(reports.report(request.path_params["pillow"]))

    async def dead_letters(_request: Request) -> Response:
        return _json(reports.dead_letters.all())

    return [
        about_route("poller", settings, queue_offset_s),
        Route("/ops/pillows/{pillow}", pillow),
        Route("/ops/dead-letters", dead_letters),
    ]


def _json(document: Any) -> Response:
    return Response(msgspec.json.encode(document), media_type="application/json")
