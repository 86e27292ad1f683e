"""Request limits: how much one request may have before work is spent on it. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contract.frames import MAX_SUBSCRIBED

MAX_TARGET_BYTES: Final = 8_192
"""Limit of the target of an ordinary request."""

MAX_STREAM_TARGET_BYTES: Final = 98_304
"""Limit of the target of a stream's request: as many pillows as it may name take 72 kB."""

MAX_VALUE_BYTES: Final = 16_384
"""Limit of one header's value, which may be a token or cookies."""

MAX_OFFER_BYTES: Final = 1_024
"""Limit of what a handshake offers, which is parsed slowly; browsers send less than 100 bytes."""

MAX_OFFERED: Final = 16
"""Limit of the subprotocols that a handshake offers."""

MAX_ESCAPES: Final = 2_048
"""Limit of `%` in a query; ids have no character that needs one."""

MAX_PIPELINED: Final = 16
"""Limit of requests that wait for the response to an earlier one; browsers send none early."""

_PARSED: Final = frozenset({b"connection", b"upgrade", b"sec-websocket-extensions"})

_STREAM: Final = re.compile(rb"(?:[A-Za-z]+://[^/?]*)?/+(?:ws|events)\?")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits that are settings: bytes of all headers, number of headers, fields of a query."""

    header_bytes: int = 32_768
    headers: int = 128
    query_fields: int = MAX_SUBSCRIBED + 24


DEFAULT_LIMITS: Final = RequestLimits()


class Overrun(Exception):
    """A request is above a limit; `limit` names it as metrics do."""

    def __init__(self, status: int, limit: str, size: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.limit = limit
        self.size = size


def too_many_pipelined() -> Overrun:
    """Return what is wrong with a request behind MAX_PIPELINED that wait on its connection."""
    return Overrun(
        400,
        "pipelined",
        MAX_PIPELINED,
        f"At most {MAX_PIPELINED} requests may wait on a connection.",
    )


def check_target(target: bytes | bytearray) -> None:
    """Check what is known of a target. Raises Overrun."""
    if len(target) > MAX_TARGET_BYTES:
        is_stream = _STREAM.match(target) is not None
        size = MAX_STREAM_TARGET_BYTES if is_stream else MAX_TARGET_BYTES
        if len(target) > size:
            reason = f"The target of a request has at most {size} bytes."
            raise Overrun(414, "target", size, reason)


def check_query(query: bytes, limits: RequestLimits) -> None:
    """Check a query before it is parsed. Raises Overrun."""
    fields = query.count(b"&") + 1
    if fields > limits.query_fields:
        reason = (
            f"The query has {fields} fields; it may have {limits.query_fields}: name at most "
            f"{MAX_SUBSCRIBED} pillows, or none for all."
        )
        raise Overrun(400, "query-fields", limits.query_fields, reason)
    if query.count(b"%") > MAX_ESCAPES:
        reason = f"The query has more than {MAX_ESCAPES} characters in the form %00."
        raise Overrun(400, "query-escapes", MAX_ESCAPES, reason)


def check_offer(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Check what a WebSocket handshake offers before it is parsed. Raises Overrun."""
    size = protocols = 0
    for name, value in headers:
        if name in _PARSED:
            size += len(value)
        elif name == b"sec-websocket-protocol":
            protocols += value.count(b",") + 1
    if size > MAX_OFFER_BYTES:
        reason = f"A handshake offers at most {MAX_OFFER_BYTES} bytes of extensions."
        raise Overrun(431, "offer", MAX_OFFER_BYTES, reason)
    if protocols > MAX_OFFERED:
        raise Overrun(
            431, "offer", MAX_OFFERED, f"A handshake offers at most {MAX_OFFERED} subprotocols."
        )


class HeaderCount:
    """Counts the headers of one request as they arrive."""

    __slots__ = ("_bytes", "_headers", "_limits")

    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits
        self._bytes = self._headers = 0

    def add(self, name: bytes, value: bytes) -> None:
        """Count a header. Raises Overrun."""
        self._headers += 1
        self._bytes += len(name) + len(value)
        limits = self._limits
        if self._headers > limits.headers:
            reason = f"A request has at most {limits.headers} headers."
            raise Overrun(431, "headers", limits.headers, reason)
        if len(value) > MAX_VALUE_BYTES:
            reason = f"The value of a header has at most {MAX_VALUE_BYTES} bytes."
            raise Overrun(431, "header-value", MAX_VALUE_BYTES, reason)
        if self._bytes > limits.header_bytes:
            raise self.too_large

    @property
    def too_large(self) -> Overrun:
        """The headers are too large together."""
        size = self._limits.header_bytes
        reason = f"The headers of a request have at most {size} bytes."
        return Overrun(431, "header-bytes", size, reason)
