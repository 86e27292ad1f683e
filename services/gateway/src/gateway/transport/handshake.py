"""WebSocket opening handshake, negotiated by the `websockets` library once per offer.

Clients of one kind offer the same extensions, subprotocols and versions, and differ in the key.
So the library's response to an offer is cached without the answer to the key.
A request that is unusual in any way is passed to the library whole.
"""

import logging
import re
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha1
from http import HTTPStatus
from typing import Final, NamedTuple

from websockets.datastructures import Headers
from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import ExtensionParameter, Subprotocol

from contract.frames import MAX_REQUEST_BYTES, SUBPROTOCOL
from gateway.auth.authenticator import BEARER_PROTOCOL
from gateway.transport.plain_response import problem_response
from gateway.transport.request_parser import RequestHead

PATH: Final = b"/ws"

MAX_HEADERS: Final = 128
"""Limit of headers of one handshake, as the library has it where it parses them itself."""

KEY: Final = b"sec-websocket-key"
SAMPLE_KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="
"""The key of RFC 6455 §1.3, which stands for every key in what is cached."""

_KEY_PATTERN: Final = re.compile(rb"[A-Za-z0-9+/]{22}==").fullmatch
_SAMPLE_ACCEPT: Final = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_OFFER: Final = (
    b"connection",
    b"upgrade",
    b"sec-websocket-version",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
    b"content-length",
    b"transfer-encoding",
)
"""The headers that decide the response, beside the key."""
_MAX_OFFER_BYTES: Final = 1024
_EXPLAINING: Final = frozenset({"allow", "sec-websocket-version", "upgrade"})
"""The headers of a refusal that tell a client what to send instead."""

SILENT_LOGGER: Final = logging.getLogger("gateway.websockets")
"""The library logs what a client does wrong; the close code and a counter show that already."""
SILENT_LOGGER.setLevel(logging.CRITICAL)


class HandshakeResponse(NamedTuple):
    """The whole response to a handshake; unless it is `accepted`, the connection ends with it."""

    data: bytes
    accepted: bool = False
    deflate: bool = False


class NegotiatedHandshake(NamedTuple):
    """The response that accepts an offer: what stands before and after the answer to the key."""

    before: bytes
    after: bytes
    deflate: bool

    def response_to(self, key: bytes) -> HandshakeResponse:
        """Return the whole response to a key."""
        return HandshakeResponse(
            b"".join((self.before, accept_key(key), self.after)), True, self.deflate
        )


class _Deflate(ServerPerMessageDeflateFactory):
    """permessage-deflate without context takeover, with the window of the shared frames."""

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Decline a smaller window, because a frame is compressed once for all clients."""
        agreed, extension = super().process_request_params(params, accepted_extensions)
        if extension.local_max_window_bits < 15:
            raise NegotiationError("frames are compressed with a window of 15 bits")
        return agreed, extension


_EXTENSIONS: Final = [_Deflate(server_no_context_takeover=True, client_no_context_takeover=True)]


def respond(head: RequestHead) -> HandshakeResponse:
    """Return the response to a handshake."""
    negotiated = negotiate(head)
    if negotiated is not None:
        return negotiated.response_to(head.fields[KEY])
    return respond_by_library(head)


def negotiate(head: RequestHead) -> NegotiatedHandshake | None:
    """Return how a usual handshake is accepted; None if it is unusual or not to be accepted."""
    if head.repeated or len(head.fields) > MAX_HEADERS or not is_key(head.fields.get(KEY, b"")):
        return None
    if head.method != b"GET" or head.version != "1.1" or head.target.partition(b"?")[0] != PATH:
        return None
    if BEARER_PROTOCOL in head.fields.get(b"sec-websocket-protocol", b""):
        return None  # an offer with a token is not kept
    offer = tuple(map(head.fields.get, _OFFER))
    if sum(map(len, filter(None, offer))) > _MAX_OFFER_BYTES:
        return None
    return _negotiate_offer(offer)


@lru_cache(maxsize=256)
def _negotiate_offer(offer: tuple[bytes | None, ...]) -> NegotiatedHandshake | None:
    offered = zip(_OFFER, offer, strict=True)
    fields = {KEY: SAMPLE_KEY, **{name: value for name, value in offered if value is not None}}
    response = respond_by_library(RequestHead(b"GET", PATH, "1.1", fields, (), is_upgrade=True))
    before, _, after = response.data.partition(_SAMPLE_ACCEPT)
    return NegotiatedHandshake(before, after, response.deflate) if response.accepted else None


def accept_key(key: bytes) -> bytes:
    """Return the answer to a key (RFC 6455 §4.2.2): the library's function, but for bytes."""
    return b2a_base64(sha1(key + _GUID).digest(), newline=False)  # noqa: S324 - no secret


def is_key(key: bytes) -> bool:
    """Return whether it has the form of a key: sixteen bytes in base64."""
    return _KEY_PATTERN(key) is not None


def respond_by_library(head: RequestHead) -> HandshakeResponse:
    """Return the library's response to a handshake, without anything cached."""
    protocol = ServerProtocol(
        extensions=_EXTENSIONS,
        select_subprotocol=_select_subprotocol,
        max_size=MAX_REQUEST_BYTES,
        logger=SILENT_LOGGER,
    )
    try:
        return _respond(protocol, head)
    finally:
        release(protocol)


def release(protocol: ServerProtocol) -> None:
    """Take all attributes of the library's object: its parser and its errors form cycles with it.

    It cannot be used after that. Left to the garbage collector, each message, and each handshake
    that is refused, would add dozens of objects to it.
    """
    error: BaseException | None = protocol.handshake_exc
    while error is not None:
        error.__traceback__ = None  # its frames hold the request, which holds the error
        error = error.__context__
    vars(protocol).clear()


def _respond(protocol: ServerProtocol, head: RequestHead) -> HandshakeResponse:
    response = _rejection(protocol, head)
    if response is None:
        headers = Headers()
        for name, value in head.headers:
            headers[name.decode("latin-1")] = value.decode("latin-1")
        response = protocol.accept(Request(head.target.decode("latin-1"), headers))
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return HandshakeResponse(_problem(response))
    del response.headers["Date"]  # the response is cached for longer than its date is true
    protocol.send_response(response)
    return HandshakeResponse(b"".join(protocol.data_to_send()), True, bool(protocol.extensions))


def _problem(response: Response) -> bytes:
    """Return the library's refusal as a problem document, with the headers that explain it."""
    return problem_response(
        response.status_code,
        (response.body or b"").decode().strip(),
        [
            (name.lower().encode(), value.encode())
            for name, value in response.headers.raw_items()
            if name.lower() in _EXPLAINING
        ],
    )


def _rejection(protocol: ServerProtocol, head: RequestHead) -> Response | None:
    """Return the refusal of a method, version, path or body that no handshake has; None without."""
    if head.method != b"GET":
        response = protocol.reject(HTTPStatus.METHOD_NOT_ALLOWED, "A WebSocket needs GET.\n")
        response.headers["Allow"] = "GET"  # RFC 9110 §15.5.6
        return response
    if head.version != "1.1":
        return protocol.reject(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is needed.\n")
    if head.has_body:
        return protocol.reject(HTTPStatus.BAD_REQUEST, "A handshake has no body.\n")
    if head.target.partition(b"?")[0] != PATH:
        return protocol.reject(HTTPStatus.FORBIDDEN, "There is no WebSocket but /ws.\n")
    if len(head.headers) > MAX_HEADERS:
        return protocol.reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Too many headers.\n")
    return None


def _select_subprotocol(
    _protocol: ServerProtocol, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None
