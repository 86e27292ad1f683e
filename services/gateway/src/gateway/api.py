"""The HTTP API: what is known now, for scripts and for pages that only want to look once."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.live import Live
from gateway.problems import problem

_HEADERS = {"Cache-Control": "no-store"}


def api_routes(live: Live) -> list[Route]:
    """Return `/api/pillows` and what is below it."""

    async def pillows(_request: Request) -> Response:
        return _json(
            b'{"cursor":"%b","broker":"%b","pillows":[%b]}'
            % (
                str(live.hub.cursor).encode(),
                live.broadcast.broker.encode(),
                b",".join(live.hub.states()),
            )
        )

    async def pillow(request: Request) -> Response:
        name = request.path_params["pillow"]
        state = live.hub.state(name)
        return _unknown(name) if state is None else _json(state)

    async def history(request: Request) -> Response:
        name = request.path_params["pillow"]
        states = live.hub.history(name)
        if states is None:
            return _unknown(name)
        return _json(b'{"pillow":"%b","states":[%b]}' % (name.encode(), b",".join(states)))

    return [
        Route("/api/pillows", pillows),
        Route("/api/pillows/{pillow}", pillow),
        Route("/api/pillows/{pillow}/history", history),
    ]


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers=_HEADERS)


def _unknown(name: str) -> Response:
    return problem(404, "unknown pillow", f"no pillow named {name[:80]!r} has been heard of")
