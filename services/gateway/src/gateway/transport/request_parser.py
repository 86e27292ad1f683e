"""Request parser: bytes of an HTTP/1.1 connection to events, by httptools. No I/O."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import httptools

from gateway.transport.forwarded import joined_lists
from gateway.transport.request_limits import (
    DEFAULT_LIMITS,
    MAX_PIPELINED,
    HeaderCount,
    Overrun,
    RequestLimits,
    check_target,
    too_many_pipelined,
)

MAX_HTTP_REQUEST_BYTES: Final = 131_072
"""Limit of one request that arrives in several pieces: a query that names as many pillows as it
may is 71 kB long."""

MAX_CHUNKS: Final = 1_024
"""Limit of the chunks of one body: 20,000 chunks of a byte took 40 ms."""

MAX_PARSED_TARGET_BYTES: Final = 65_535
"""Limit of a target that uvicorn parses: httptools 0.7 has offsets of 16 bits."""

_ABSOLUTE: Final = re.compile(
    rb"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL
)
_DEFAULT_PORTS: Final = {b"http": b":80", b"https": b":443"}

Headers = Sequence[tuple[bytes, bytes]]
"""A request's headers in their order, names in lower case."""


class RequestHead(NamedTuple):
    """A request without its body.

    `fields` has its headers by name: the last of each name, and of those that proxies add all as
    one list. `repeated` has all of them in order if a name is repeated, and is empty otherwise.
    """

    method: bytes
    target: bytes
    version: str
    fields: Mapping[bytes, bytes]
    repeated: Headers
    is_upgrade: bool

    @property
    def headers(self) -> Headers:
        """All headers in their order."""
        return self.repeated or tuple(self.fields.items())

    @property
    def wants_websocket(self) -> bool:
        """Whether it is a WebSocket opening handshake, valid or not."""
        return self.is_upgrade and self.fields.get(b"upgrade", b"").lower() == b"websocket"

    @property
    def has_body(self) -> bool:
        """Whether a body follows."""
        length = self.fields.get(b"content-length", b"0")
        return bool(length.strip(b"0")) or b"transfer-encoding" in self.fields


class BodyPiece(NamedTuple):
    """Bytes of the current request's body, without their transfer coding."""

    data: bytes


class RequestEnd(NamedTuple):
    """The end of the current request.

    `rest` follows a request for an upgrade, unparsed: it begins with the body, if there is one.
    """

    rest: bytes = b""


class RequestError(NamedTuple):
    """Bytes that are no request, or too many; nothing can be parsed after them.

    `limit` names the limit that was exceeded, and `size` is its size.
    """

    reason: str
    status: int = 400
    limit: str = ""
    size: int = 0


Event = RequestHead | BodyPiece | RequestEnd | RequestError


INVALID_REQUEST: Final = "This is no valid HTTP request."


_SLACK_BYTES: Final = 4_096
"""What a head has beside its target and its headers: method, version, separators."""


class _Refused(Exception):
    """Raised into httptools to stop it."""


class RequestParser:
    """The parser of one connection. The `on_…` methods are httptools' callbacks."""

    __slots__ = (
        "_chunks",
        "_count",
        "_error",
        "_events",
        "_has_head",
        "_headers",
        "_heads",
        "_limits",
        "_parser",
        "_size",
        "_target",
        "is_in_request",
    )

    def __init__(self, limits: RequestLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._count = HeaderCount(limits)
        self._error = RequestError(INVALID_REQUEST)
        self._parser = httptools.HttpRequestParser(self)
        # Otherwise bytes behind a request with `Connection: close` would be an error, which would
        # end the connection before the response to that request.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._events: list[Event] = []
        self._heads = 0
        self._target = bytearray()
        self._headers: list[tuple[bytes, bytes]] = []
        self._size = self._chunks = 0
        self._has_head = False
        self.is_in_request = False
        """Whether a request has begun and not ended."""

    def close(self) -> None:
        """Break the reference cycle with httptools, so that both are freed at once."""
        del self._parser

    def feed(self, data: bytes) -> list[Event]:
        """Parse bytes and return what they complete, in order."""
        was_in_request = self.is_in_request
        self._events, self._heads = [], 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._events[-1] = RequestEnd(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._events.append(self._error)
        if was_in_request and self.is_in_request:
            self._size += len(data)
            if self._size > self._max_bytes:
                self._events.append(error_of(self._too_large))
        return self._events

    @property
    def _max_bytes(self) -> int:
        """The limit of what of a request may have arrived."""
        if self._has_head:
            return MAX_HTTP_REQUEST_BYTES
        return len(self._target) + self._limits.header_bytes + _SLACK_BYTES

    @property
    def _too_large(self) -> Overrun:
        """The part of the request that is too large."""
        if not self._has_head:
            return self._count.too_large  # it has a header that is incomplete
        reason = f"A request with its body has at most {MAX_HTTP_REQUEST_BYTES} bytes."
        return Overrun(413, "body", MAX_HTTP_REQUEST_BYTES, reason)

    def _refused(self, overrun: Overrun) -> _Refused:
        """Keep what is above a limit; not itself, because its traceback refers to this parser."""
        self._error = error_of(overrun)
        return _Refused()

    def on_message_begin(self) -> None:
        """Start a request."""
        self._heads += 1
        if self._heads > MAX_PIPELINED + 1:
            raise self._refused(too_many_pipelined())
        self._target = bytearray()
        self._headers = []
        self._count = HeaderCount(self._limits)
        self._size = self._chunks = 0
        self._has_head = False
        self.is_in_request = True

    def on_url(self, target: bytes) -> None:
        """Append to the target."""
        self._target += target
        try:
            check_target(self._target)
        except Overrun as overrun:
            raise self._refused(overrun) from None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Append a header."""
        try:
            self._count.add(name, value)
        except Overrun as overrun:
            raise self._refused(overrun) from None
        # Whitespace behind a value is no part of it (RFC 9112 §5.1); httptools leaves it there.
        self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Complete the head."""
        method, version = self._parser.get_method(), self._parser.get_http_version()
        headers, self._headers = self._headers, []  # those that follow are trailers
        self._has_head = True
        sent = bytes(self._target)
        target = origin_form(sent)
        if (
            method == b"CONNECT"
            or not _has_valid_host(headers, version, sent)
            or not _has_valid_coding(headers)
        ):
            raise _Refused
        fields = dict(headers)
        repeated = headers if len(fields) < len(headers) else ()
        if repeated:
            fields |= joined_lists(repeated)
        upgrade = self._parser.should_upgrade()
        self._events.append(RequestHead(method, target, version, fields, repeated, upgrade))

    def on_chunk_header(self) -> None:
        """Count a chunk, the last one too."""
        self._chunks += 1
        if self._chunks > MAX_CHUNKS:
            reason = f"A body has at most {MAX_CHUNKS} chunks."
            raise self._refused(Overrun(413, "chunks", MAX_CHUNKS, reason))

    def on_body(self, data: bytes) -> None:
        """Pass a piece of the body on."""
        self._events.append(BodyPiece(data))

    def on_message_complete(self) -> None:
        """End the request."""
        self.is_in_request = False
        self._events.append(RequestEnd())


def origin_form(target: bytes) -> bytes:
    """Return the path and query of a target, which may be an absolute URL (RFC 9112 §3.2.2).

    A path begins with one slash: nginx sends two for `location /x { proxy_pass http://gateway/; }`.
    """
    if target.startswith(b"//"):
        return b"/" + target.lstrip(b"/")
    absolute = _ABSOLUTE.fullmatch(target)
    return target if absolute is None else b"/" + absolute["rest"].removeprefix(b"/")


def error_of(overrun: Overrun) -> RequestError:
    """Return the error of what is above a limit."""
    return RequestError(str(overrun), overrun.status, overrun.limit, overrun.size)


def is_valid_target(target: bytes) -> bool:
    """Return whether uvicorn can parse a target; it logs a warning for each that it cannot."""
    if len(target) > MAX_PARSED_TARGET_BYTES or not target.isascii():
        return False
    try:
        httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return False
    return True


def _has_valid_host(headers: Headers, version: str, target: bytes) -> bool:
    """Return whether one host is named, or none in HTTP/1.0 (RFC 9112 §3.2).

    An absolute target names it too, and must name the same: what is allowed depends on it.
    """
    hosts = [value for name, value in headers if name == b"host"]
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        default = _DEFAULT_PORTS.get(absolute["scheme"].lower(), b"")
        named = [one.lower().removesuffix(default) for one in (absolute["authority"], *hosts)]
        return len(hosts) == 1 and named[0] == named[1]
    return len(hosts) == 1 or (not hosts and version != "1.1")


def _has_valid_coding(headers: Headers) -> bool:
    """Return whether the body is chunked if it has a transfer coding (RFC 9112 §6.3).

    httptools refuses another one too, but after the head.
    """
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    return not codings or codings[-1].rpartition(b",")[2].strip().lower() == b"chunked"
