"""The HTTP API: the states that are known now and before, for clients that do not subscribe."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from contract.frames import encode_status_fields
from gateway.fanout.dispatcher import Dispatcher
from gateway.http.problems import problem
from gateway.state.history import History
from gateway.state.state_store import StateStore

PIECE_BYTES: Final = 65_536
"""The approximate size of the pieces of a long response, which bounds what is buffered for a client
that does not read."""

_HEADERS: Final = {"Cache-Control": "no-store"}


def api_routes(store: StateStore, history: History, dispatcher: Dispatcher) -> list[Route]:
    """Return the routes of `/api/pillows` and below."""

    async def pillows(_request: Request) -> Response:
        cursor, status = str(store.cursor).encode(), encode_status_fields(dispatcher.status)
        head = b'{"cursor":"%b",%b,"pillows":[' % (cursor, status)
        return _list(head, list(store.states()))

    async def pillow(request: Request) -> Response:
        name = request.path_params["pillow"]
        state = store.state(name)
        return _unknown(name) if state is None else _json(state)

    async def past_states(request: Request) -> Response:
        name = request.path_params["pillow"]
        if store.state(name) is None:
            return _unknown(name)
        return _list(b'{"pillow":"%b","states":[' % name.encode(), history.states(name))

    return [
        Route("/api/pillows", pillows),
        Route("/api/pillows/{pillow}", pillow),
        Route("/api/pillows/{pillow}/history", past_states),
    ]


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers=_HEADERS)


def _list(head: bytes, states: Sequence[bytes]) -> Response:
    """Respond with a JSON object that ends with a list; in pieces if it is longer than one."""
    pieces = _pieces(head, states)
    first, second = next(pieces), next(pieces, None)
    if second is None:
        return _json(first)

    async def all_pieces() -> AsyncIterator[bytes]:
        yield first
        yield second
        for piece in pieces:
            yield piece

    return StreamingResponse(all_pieces(), media_type="application/json", headers=_HEADERS)


def _pieces(head: bytes, states: Sequence[bytes]) -> Iterator[bytes]:
    piece = bytearray(head)
    for number, state in enumerate(states):
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
        piece += b"," if number else b""
        piece += state
    yield bytes(piece + b"]}")


def _unknown(name: str) -> Response:
    return problem(404, "unknown pillow", f"no pillow named {name[:80]!r} is known")
