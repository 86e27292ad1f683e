"""The responses that the gateway sends without its HTTP server."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import msgspec

from gateway.transport.admission import RETRY_AFTER_S
from runtime.security_headers import SECURITY_FIELDS


def date_header() -> tuple[bytes, bytes]:
    """Return the `Date` header of now (RFC 9110 §6.6.1)."""
    return b"date", _date(int(time.time()))


@lru_cache(maxsize=1)
def _date(unix_s: int) -> bytes:
    return formatdate(unix_s, usegmt=True).encode()


def problem_response(
    status: int,
    detail: str,
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    retry_after_s: int = RETRY_AFTER_S,
) -> bytes:
    """Return a whole response that ends its connection: a problem document (RFC 9457).

    Its media type tells a client that the refusal is the gateway's and not a proxy's. A client that
    is refused for now is told to come again after `retry_after_s`.
    """
    phrase = HTTPStatus(status).phrase
    body = msgspec.json.encode(
        {"type": "about:blank", "title": phrase.lower(), "status": status, "detail": detail}
    )
    lines = [
        b"HTTP/1.1 %d %b" % (status, phrase.encode()),
        b"%b: %b" % date_header(),
        b"content-type: application/problem+json",
        b"cache-control: no-store",
        b"access-control-allow-origin: *",  # a page of another site may read why it is refused
        b"content-length: %d" % len(body),
        b"connection: close",
        *(b"%b: %b" % header for header in (*SECURITY_FIELDS, *headers)),
    ]
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        lines.append(b"retry-after: %d" % retry_after_s)
    return b"\r\n".join((*lines, b"", body))
