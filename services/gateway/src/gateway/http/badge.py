"""The badge of a pillow, `/badge/<id>.svg` and `.png`: a picture for pages that run no script."""

import hashlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.fanout.dispatcher import Dispatcher
from gateway.http.badge_png import picture as painted_badge
from gateway.http.badge_svg import badge, state_of
from gateway.http.guard import Guard
from gateway.http.negotiation import etag_matches
from gateway.state.state_store import StateStore

MAX_AGE_S: Final = 5
"""For how long a picture may be shown without asking again: so old may what it shows be."""

MEDIA_TYPE: Final = "image/svg+xml"
PNG_TYPE: Final = "image/png"

_FOR_ALL: Final = {
    "Cache-Control": f"public, max-age={MAX_AGE_S}, must-revalidate",
    # Any site may show it, and only show it: scripts of other sites cannot read a picture.
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_FOR_ONE: Final = {
    "Cache-Control": f"private, max-age={MAX_AGE_S}, must-revalidate",
    "Vary": "Authorization",
}


def badge_routes(store: StateStore, dispatcher: Dispatcher, guard: Guard) -> list[Route]:
    """Return the routes of the badges; a request sees what `guard` permits."""
    headers = _FOR_ALL if guard.is_open else _FOR_ONE

    async def picture(request: Request) -> Response:
        name = request.path_params["pillow"]
        refused = guard.refusal(request, name)
        if refused is not None:
            return refused
        state = store.state(name)
        body = badge(name, state, broker=dispatcher.status.broker)
        if state is None:
            # A picture as well, because a page shows nothing else where it has an image.
            return Response(body, 404, headers, media_type=MEDIA_TYPE)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        found = {**headers, "ETag": etag}
        if etag_matches(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=found)
        return Response(body, headers=found, media_type=MEDIA_TYPE)

    async def painted(request: Request) -> Response:
        name = request.path_params["pillow"]
        refused = guard.refusal(request, name)
        if refused is not None:
            return refused
        payload = store.state(name)
        state = None if payload is None else state_of(payload)
        body, etag = painted_badge(state, is_live=dispatcher.status.broker == "online")
        if state is None:
            return Response(body, 404, headers, media_type=PNG_TYPE)
        found = {**headers, "ETag": etag}
        if etag_matches(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=found)
        return Response(body, headers=found, media_type=PNG_TYPE)

    return [Route("/badge/{pillow}.svg", picture), Route("/badge/{pillow}.png", painted)]
