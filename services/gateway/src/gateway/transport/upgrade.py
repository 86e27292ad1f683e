"""How a connection that asked for the WebSocket or the event stream becomes a browser's."""

import asyncio
from collections.abc import Mapping, Sequence

from gateway.fanout.encoding import Encoding
from gateway.transport.admission import Wish
from gateway.transport.connections import Door, Refusal
from gateway.transport.handshake import Headers
from gateway.transport.sse import EventsBrowser, response_head
from gateway.transport.websocket import WebSocketBrowser


def welcome_websocket(
    door: Door,
    transport: asyncio.Transport,
    answer: bytes,
    deflate: bool,
    query: bytes,
    fields: Mapping[bytes, bytes],
    early: bytes = b"",
) -> None:
    """Accept a handshake, and go on as a WebSocket; with compression if that was agreed.

    `fields` are the request's headers by name; `early` is what was said before the answer.
    """
    outcome = door.admit(query, fields)
    browser = WebSocketBrowser(door, transport, answer, deflate=deflate)
    transport.set_protocol(browser)
    # Accepted even to be refused: a browser shows a page the code of a closed connection, but
    # nothing of a refused handshake.
    if isinstance(outcome, Refusal):
        browser.refuse(outcome)
    else:
        browser.enter(outcome, Encoding.DEFLATED if deflate else Encoding.WEBSOCKET)
    if early:
        browser.data_received(early)


def welcome_events(
    door: Door,
    transport: asyncio.Transport,
    version: str,
    headers: Headers,
    default_headers: Sequence[tuple[bytes, bytes]],
    wish: Wish,
) -> None:
    """Answer a request for the event stream of a browser that was admitted, and go on with it."""
    head = response_head(version, headers, default_headers)
    browser = EventsBrowser(door, transport, head, chunked=version == "1.1")
    transport.set_protocol(browser)
    browser.begin(wish)
