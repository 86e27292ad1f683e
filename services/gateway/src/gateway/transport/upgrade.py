"""Upgrade: from an HTTP request to a client's connection on the same transport."""

import asyncio
from collections.abc import Mapping

from gateway.transport.address_limiter import NOT_COUNTED, ConnectionQuota
from gateway.transport.admission import Admission, Refusal
from gateway.transport.context import TransportContext, peer_address
from gateway.transport.handshake import HandshakeResponse
from gateway.transport.request_parser import RequestHead
from gateway.transport.sse import SseConnection, response_head
from gateway.transport.websocket import WebSocketConnection


def upgrade_to_websocket(
    context: TransportContext,
    transport: asyncio.Transport,
    query: bytes,
    fields: Mapping[bytes, bytes],
    response: HandshakeResponse,
    rest: bytes = b"",
    *,
    quota: ConnectionQuota = NOT_COUNTED,
    refusal: Refusal | None = None,
) -> None:
    """Replace the HTTP protocol by a WebSocket connection.

    `response` accepts the handshake, `fields` are its headers by name, and `rest` was received
    behind it. `quota` is released when the connection ends, and `refusal` is that of its address.
    """
    outcome: Admission | Refusal | None = refusal
    if outcome is None:
        outcome = context.admit(query, fields, peer_address(transport), may_send_token=True)
    connection = WebSocketConnection(context, transport, response.data, deflate=response.deflate)
    connection.quota = quota
    transport.set_protocol(connection)
    # A refused client is upgraded too, because a browser shows a page the close code of a
    # connection, but not the status of a failed handshake.
    if isinstance(outcome, Refusal):
        connection.refuse(outcome)
    else:
        connection.enter(outcome)
    if rest:
        connection.data_received(rest)


def upgrade_to_sse(
    context: TransportContext,
    transport: asyncio.Transport,
    head: RequestHead,
    admission: Admission,
    quota: ConnectionQuota,
) -> None:
    """Replace the HTTP protocol by the event stream of an admitted client."""
    is_chunked = head.version == "1.1"
    connection = SseConnection(context, transport, response_head(head), is_chunked=is_chunked)
    connection.quota = quota
    transport.set_protocol(connection)
    connection.start(admission)
