"""The responses that the gateway sends without its HTTP server."""

import time
from email.utils import formatdate
from functools import lru_cache


def date_header() -> tuple[bytes, bytes]:
    """Return the `Date` header of now (RFC 9110 §6.6.1)."""
    return b"date", _date(int(time.time()))


@lru_cache(maxsize=1)
def _date(unix_s: int) -> bytes:
    return formatdate(unix_s, usegmt=True).encode()


def bad_request(reason: str) -> bytes:
    """Return the response that ends a connection whose request cannot be read."""
    body = reason.encode()
    return (
        b"HTTP/1.1 400 Bad Request\r\n%b: %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
        b"content-length: %d\r\nconnection: close\r\n\r\n%b"
    ) % (*date_header(), len(body), body)
