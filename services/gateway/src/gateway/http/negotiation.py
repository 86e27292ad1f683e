"""Content negotiation and conditional requests: the headers that assets depend on. Pure."""

import hashlib
import re
from typing import Final

MAX_LIST_CHARS: Final = 1_024
"""Limit of a list that is read; browsers send less than 100 characters. Without the list the whole
file is sent as it is, which is always right."""


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header allows gzip (RFC 9110 §12.5.3).

    It does so by name or by `*`, and not with a weight of 0.
    """
    if len(accept_encoding) > MAX_LIST_CHARS:
        return False
    weights = {}
    for one in accept_encoding.lower().split(","):
        coding, _, parameters = one.partition(";")
        match = re.search(r"q\s*=\s*([0-9.]+)", parameters)
        weights[coding.strip()] = match is None or match.group(1).strip("0.") != ""
    return weights.get("gzip", weights.get("*", False))


def etag_of(body: bytes) -> str:
    """Return the tag of a body, with its quotation marks."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Return whether an If-None-Match header has the tag; a proxy may have made it a weak one."""
    if len(if_none_match) > MAX_LIST_CHARS:
        return False
    tags = (one.strip().removeprefix("W/") for one in if_none_match.split(","))
    return any(one in (etag, "*") for one in tags)
