"""The WebSocket handshake: answered by the `websockets` library, asked once for all who ask alike.

What a browser offers is the same for all browsers of a kind, but for its key.
So the library's answer to an offer is kept, and only the key is worked out each time.
Every handshake that is unusual in any way goes through the library whole.
"""

import logging
import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha1
from http import HTTPStatus
from typing import Final, NamedTuple

from websockets import http11
from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import ExtensionParameter, Subprotocol

from contract.frames import MAX_REQUEST_BYTES, SUBPROTOCOL

REQUEST_BYTES: Final = 131_072
"""The largest request that is read: a query with as many pillows as may be named, and headers."""

# websockets stops at 8 KiB, and reads another limit only from the environment of its import.
http11.MAX_LINE_LENGTH = REQUEST_BYTES

Headers = Sequence[tuple[bytes, bytes]]
"""A request's headers, names in lower case."""

_PATH: Final = b"/ws"
_KEY_NAME: Final = b"sec-websocket-key"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==").fullmatch
_SAMPLE_KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 §1.3, in the place of every other
_OFFER: Final = (
    b"connection",
    b"upgrade",
    b"sec-websocket-version",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
)
_UNUSUAL: Final = frozenset({b"content-length", b"transfer-encoding"})
_OFFER_BYTES: Final = 1024
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_SAMPLE_ANSWER: Final = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

QUIET: Final = logging.getLogger("gateway.websockets")
"""What a browser does wrong is no line in the log: the close code says it, and a counter."""
QUIET.setLevel(logging.CRITICAL)


class Answer(NamedTuple):
    """The answer to a handshake; unless `accepted`, the connection ends with it."""

    data: bytes
    accepted: bool = False
    deflate: bool = False


class Agreement(NamedTuple):
    """The answer that accepts a handshake, but for the answer to its key, which stands between."""

    before: bytes
    after: bytes
    deflate: bool

    def answer_to(self, key: bytes) -> bytes:
        """Return the whole answer to a key."""
        return b"".join((self.before, accept(key), self.after))


class _Deflate(ServerPerMessageDeflateFactory):
    """permessage-deflate without context takeover, and with the window that the frames have."""

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Decline an offer of a smaller window: frames are compressed once, for all alike."""
        agreed, extension = super().process_request_params(params, accepted_extensions)
        if extension.local_max_window_bits < 15:
            raise NegotiationError("frames are compressed with a window of 15 bits")
        return agreed, extension


_EXTENSIONS: Final = [_Deflate(server_no_context_takeover=True, client_no_context_takeover=True)]


def answer(
    method: bytes, target: bytes, version: str, headers: Headers, fields: Mapping[bytes, bytes]
) -> Answer:
    """Return the answer to a request for a WebSocket; `fields` are its headers by name."""
    if (method, version) == (b"GET", "1.1") and target.partition(b"?")[0] == _PATH:
        key, agreed = fields.get(_KEY_NAME, b""), agree(headers, fields)
        if agreed is not None and is_key(key):
            return Answer(agreed.answer_to(key), accepted=True, deflate=agreed.deflate)
    return _answer(method, target, version, headers)


def accept(key: bytes) -> bytes:
    """Return what answers a key (RFC 6455 §4.2.2), in half the time of the library's, for text."""
    return b2a_base64(sha1(key + _GUID).digest(), newline=False)  # noqa: S324 - no secret


def is_key(key: bytes) -> bool:
    """Say whether it looks like a key: sixteen bytes in base64."""
    return _KEY(key) is not None


def agree(headers: Headers, fields: Mapping[bytes, bytes]) -> Agreement | None:
    """Return the answer that accepts a usual handshake; None where it is unusual in any way.

    `fields` are its headers by name.
    """
    offer = tuple(map(fields.get, _OFFER))
    if (
        len(fields) == len(headers) <= http11.MAX_NUM_HEADERS  # else something is said twice
        and _UNUSUAL.isdisjoint(fields)
        and sum(map(len, filter(None, offer))) <= _OFFER_BYTES
    ):
        return _agreed(offer)
    return None


@lru_cache(maxsize=256)
def _agreed(offer: tuple[bytes | None, ...]) -> Agreement | None:
    """Return how the library accepts an offer, if it does."""
    said = [(name, value) for name, value in zip(_OFFER, offer, strict=True) if value is not None]
    data, accepted, deflate = _answer(b"GET", _PATH, "1.1", [*said, (_KEY_NAME, _SAMPLE_KEY)])
    before, _, after = data.partition(_SAMPLE_ANSWER)
    return Agreement(before, after, deflate) if accepted else None


def _answer(method: bytes, target: bytes, version: str, headers: Headers) -> Answer:
    lines = [b"%b %b HTTP/%b" % (method, target, version.encode())]
    lines += [b"%b: %b" % header for header in headers]
    machine = ServerProtocol(
        extensions=_EXTENSIONS,
        select_subprotocol=_subprotocol,
        max_size=MAX_REQUEST_BYTES,
        logger=QUIET,
    )
    machine.receive_data(b"\r\n".join([*lines, b"", b""]))
    asked = next(iter(machine.events_received()), None)
    if not isinstance(asked, Request):
        return Answer(b"".join(machine.data_to_send()) or _BAD_REQUEST)
    response = machine.accept(asked)
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS and (
        target.partition(b"?")[0] != _PATH
    ):
        response = machine.reject(HTTPStatus.FORBIDDEN, "There is no WebSocket but /ws.\n")
    del response.headers["Date"]  # an answer is kept for longer than its date holds
    machine.send_response(response)
    return Answer(
        b"".join(machine.data_to_send()),
        response.status_code == HTTPStatus.SWITCHING_PROTOCOLS,
        bool(machine.extensions),
    )


def _subprotocol(_machine: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None
