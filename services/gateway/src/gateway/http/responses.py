"""Responses that several endpoints of the HTTP API give."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.http.negotiation import etag_matches
from gateway.http.problems import problem
from gateway.transport.pipeline import is_answerable

Endpoint = Callable[[Request], Awaitable[Response]]
"""Handles the requests of a route."""

NOT_STORED: Final = {"Cache-Control": "no-store"}
"""The headers of what is true at this moment only."""


def json_response(body: bytes) -> Response:
    """Return a response with JSON."""
    return Response(body, media_type="application/json", headers=NOT_STORED)


class PiecedResponse(StreamingResponse):
    """JSON in pieces, each of which is made when the client has read the one before.

    Starlette's own response sends from a second task, whose time is charged to nobody.
    """

    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        super().__init__(pieces, media_type="application/json", headers=NOT_STORED)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces, until nobody reads them any more."""
        self.body_iterator = _while_answerable(scope, self._pieces)
        await self.stream_response(send)


async def _while_answerable(scope: Scope, pieces: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(pieces):
        async for piece in pieces:
            if not is_answerable(scope):
                return
            yield piece


def tagged_response(
    request: Request, body: bytes, etag: str, headers: Mapping[str, str], media_type: str
) -> Response:
    """Return a response with a tag, and without its body if the client has that already."""
    found = {**headers, "ETag": etag}
    if etag_matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=found)
    return Response(body, headers=found, media_type=media_type)


def unknown_pillow(name: str) -> Response:
    """Return the response to a request for a pillow of which nothing is known."""
    return problem(404, "unknown pillow", f"no pillow named {name[:80]!r} is known")
