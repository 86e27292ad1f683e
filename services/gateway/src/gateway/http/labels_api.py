"""The HTTP API of the names that people gave to pillows."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.http_types import Labels
from gateway.http.guard import Guard
from gateway.http.negotiation import etag_of
from gateway.http.responses import tagged_response
from gateway.labels.labels_file import LabelsFile

MAX_AGE_S: Final = 30
"""For how long names may be used without asking again."""

_FOR_ALL: Final = {"Cache-Control": f"public, max-age={MAX_AGE_S}, must-revalidate"}
_FOR_ONE: Final = {
    "Cache-Control": f"private, max-age={MAX_AGE_S}, must-revalidate",
    "Vary": "Authorization",
}


def labels_routes(file: LabelsFile, guard: Guard) -> list[Route]:
    """Return the route of the names; a request sees those of pillows that `guard` permits."""
    headers = _FOR_ALL if guard.is_open else _FOR_ONE

    async def labels(request: Request) -> Response:
        scope = guard.scope_of(request)
        if isinstance(scope, Response):
            return scope
        body = msgspec.json.encode(
            Labels({pillow: name for pillow, name in file.labels.items() if pillow in scope})
        )
        return tagged_response(request, body, etag_of(body), headers, "application/json")

    return [Route("/api/labels", labels)]
