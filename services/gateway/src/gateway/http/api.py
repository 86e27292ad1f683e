"""The HTTP API: the states that are known now, for clients that do not subscribe."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.frames import encode_status_fields
from gateway.auth.scope import Scope
from gateway.fanout.dispatcher import Dispatcher
from gateway.http.guard import Guard
from gateway.http.responses import PiecedResponse, json_response, unknown_pillow
from gateway.state.history import History
from gateway.state.state_store import StateStore

PIECE_BYTES: Final = 16_384
"""The size of the pieces of a long response, unless a single state is larger. A piece is made when
the client has read the last one, so one that does not read holds one."""

Numbered = Iterator[tuple[int, bytes]]
"""States with the numbers from which a walk over them goes on."""


def api_routes(store: StateStore, dispatcher: Dispatcher, guard: Guard) -> list[Route]:
    """Return the routes of `/api/pillows` and below; a request sees what `guard` permits."""

    async def pillows(request: Request) -> Response:
        scope = guard.scope_of(request)
        if isinstance(scope, Response):
            return scope
        cursor, status = str(store.cursor).encode(), encode_status_fields(dispatcher.status)
        head = b'{"cursor":"%b",%b,"pillows":[' % (cursor, status)
        return _list(head, lambda number: _known_after(store, number, scope), store.last_arrival)

    @guard.of_pillow
    async def pillow(_request: Request, name: str) -> Response:
        state = store.state(name)
        return unknown_pillow(name) if state is None else json_response(state)

    return [
        Route("/api/pillows", pillows),
        Route("/api/pillows/{pillow}", pillow),
    ]


def all_in_memory(store: StateStore, history: History, name: str) -> Response:
    """Respond with the states of a pillow that are still in memory, the oldest first."""
    if store.state(name) is None:
        return unknown_pillow(name)
    return _list(
        b'{"pillow":"%b","states":[' % name.encode(),
        lambda number: history.states_after(name, number),
        history.last_number(name),
    )


def _known_after(store: StateStore, number: int, scope: Scope) -> Numbered:
    for arrival, change in store.arrivals_after(number):
        if change.payload is not None and change.pillow in scope:
            yield arrival, change.payload


def _list(head: bytes, after: Callable[[int], Numbered], last: int) -> Response:
    """Respond with a JSON object that ends with a list; in pieces if it is longer than one.

    `after` walks over the states behind a number; the list ends with the number `last`, because
    states may be added faster than the client reads.
    """
    first, number = _piece(bytearray(head), b"", after(0), last)
    if number is None:
        return json_response(first)
    # A queue, because a client may take minutes to read, and a name would hold its piece so long.
    first_piece = deque([first])

    async def pieces() -> AsyncGenerator[bytes]:
        yield first_piece.popleft()
        following: int | None = number
        while following is not None:
            separator = b"," if following else b""
            piece, following = _piece(bytearray(), separator, after(following), last)
            yield piece

    return PiecedResponse(pieces())


def _piece(
    piece: bytearray, separator: bytes, states: Numbered, last: int
) -> tuple[bytes, int | None]:
    """Append states to a piece until it is full, the first of them behind a separator.

    Return it, and the number from which the walk goes on; None at the end of the list.
    """
    before = 0
    for number, state in states:
        if number > last:
            break
        if piece and len(piece) + len(state) >= PIECE_BYTES:
            return bytes(piece), before
        piece += separator + state
        before, separator = number, b","
    return bytes(piece + b"]}"), None
