"""The badge of a pillow, `/badge/<id>.svg` and `.png`: a picture for pages that run no script."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.fanout.dispatcher import Dispatcher
from gateway.http.badge_png import Picture, picture
from gateway.http.badge_svg import badge, state_of
from gateway.http.guard import Guard
from gateway.http.negotiation import etag_of
from gateway.http.responses import Endpoint, tagged_response
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


def badge_routes(
    store: StateStore, dispatcher: Dispatcher, guard: Guard, label_of: Callable[[str], str]
) -> list[Route]:
    """Return the routes of the badges; a request sees what `guard` permits.

    `label_of` returns what people call a pillow, "" for nothing.
    """
    headers = _FOR_ALL if guard.is_open else _FOR_ONE

    def svg(pillow: str, payload: bytes | None) -> Picture:
        broker = dispatcher.status.broker
        body = badge(pillow, payload, broker=broker, name=label_of(pillow))
        return Picture(body, etag_of(body))

    def png(_name: str, payload: bytes | None) -> Picture:
        state = None if payload is None else state_of(payload)
        return picture(state, is_live=dispatcher.status.broker == "online")

    def endpoint(draw: Callable[[str, bytes | None], Picture], media: str) -> Endpoint:
        @guard.of_pillow
        async def respond(request: Request, name: str) -> Response:
            payload = store.state(name)
            body, etag = draw(name, payload)
            if payload is None:
                # A picture as well, because a page shows nothing else where it has an image.
                return Response(body, 404, headers, media_type=media)
            return tagged_response(request, body, etag, headers, media)

        return respond

    return [
        Route("/badge/{pillow}.svg", endpoint(svg, MEDIA_TYPE)),
        Route("/badge/{pillow}.png", endpoint(png, PNG_TYPE)),
    ]
