"""Responses that several endpoints of the HTTP API give."""

from typing import Final

from starlette.responses import Response

from gateway.http.problems import problem

NOT_STORED: Final = {"Cache-Control": "no-store"}
"""The headers of what is true at this moment only."""


def json_response(body: bytes) -> Response:
    """Return a response with JSON."""
    return Response(body, media_type="application/json", headers=NOT_STORED)


def unknown_pillow(name: str) -> Response:
    """Return the response to a request for a pillow of which nothing is known."""
    return problem(404, "unknown pillow", f"no pillow named {name[:80]!r} is known")
