"""Handshake cache: handshakes that are equal but for their key and query are parsed once.

After a restart ten thousand clients reconnect within a second. They are of a few kinds, and clients
of one kind send the same bytes but for the key and the query.
The parser and the negotiation are those of every other request; `scripts/bench gateway --only
connect --alone` shows what the cache saves.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.transport.handshake import (
    PATH,
    SAMPLE_KEY,
    HandshakeResponse,
    NegotiatedHandshake,
    is_key,
    negotiate,
)
from gateway.transport.request_checks import head_error_of
from gateway.transport.request_limits import DEFAULT_LIMITS, RequestLimits
from gateway.transport.request_parser import RequestEnd, RequestHead, RequestParser

MAX_CACHED: Final = 256
MAX_CACHED_BYTES: Final = 4096
"""Limit of what follows the request line of one cached handshake."""
_TOKEN: Final = b"earer"
"""In every handshake that carries a token, which is not kept and would fill the cache."""
_MAX_LINES: Final = 64

_REQUEST_LINE: Final = re.compile(rb"GET %b(?:\?([!$-~]*+))?+ HTTP/1\.1(?=\r\n)" % PATH)
"""Without backtracking: a query of 64 KB took 2.5 ms."""
_KEY_HEADER: Final = b"\r\nSec-WebSocket-Key: "


class CachedHandshake(NamedTuple):
    """What an upgrade needs of a request. The key in `fields` is not the request's own."""

    query: bytes
    fields: Mapping[bytes, bytes]
    response: HandshakeResponse


class _Template(NamedTuple):
    fields: Mapping[bytes, bytes]
    negotiated: NegotiatedHandshake


def parse_cached(data: bytes, limits: RequestLimits = DEFAULT_LIMITS) -> CachedHandshake | None:
    """Parse a whole handshake that would be accepted; None if `data` is anything else.

    None also stands for a handshake with a repeated header, with something behind it, with the
    name of its key written in another way, or larger than what is cached.
    """
    line = _REQUEST_LINE.match(data)
    if line is None or len(data) - line.end() > MAX_CACHED_BYTES or _TOKEN in data:
        return None
    before, _, after = data[line.end() :].partition(_KEY_HEADER)
    key = after[: len(SAMPLE_KEY)]
    template = _template(before, after[len(SAMPLE_KEY) :], limits) if is_key(key) else None
    if template is None:
        return None
    return CachedHandshake(line[1] or b"", template.fields, template.negotiated.response_to(key))


@lru_cache(maxsize=MAX_CACHED)
def _template(before: bytes, after: bytes, limits: RequestLimits) -> _Template | None:
    """Parse and negotiate the lines before and after a key, with another key between them."""
    lines = before + _KEY_HEADER + SAMPLE_KEY + after
    if lines.count(b"\n") > _MAX_LINES:
        return None
    events = RequestParser(limits).feed(b"GET %b HTTP/1.1%b" % (PATH, lines))
    head = events[0] if events else None
    if not isinstance(head, RequestHead) or not head.wants_websocket:
        return None
    if head_error_of(head, limits) is not None:
        return None
    negotiated = negotiate(head) if events[1:] == [RequestEnd()] else None
    return None if negotiated is None else _Template(head.fields, negotiated)
