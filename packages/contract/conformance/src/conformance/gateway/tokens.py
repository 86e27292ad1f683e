"""Tokens: JSON Web Tokens with HS256, for gateways that ask for one. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any


def signed(claims: Mapping[str, Any], secret: str, now_s: int) -> str:
    """Return a token. `exp` and `nbf` below 2³⁰ are seconds from now."""
    moments = {
        name: now_s + claims[name]
        for name in ("exp", "nbf")
        if name in claims and claims[name] < 2**30
    }
    head = _encoded({"alg": "HS256", "typ": "JWT"})
    text = f"{head}.{_encoded({**claims, **moments})}"
    signature = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
    return f"{text}.{_base64(signature)}"


def _encoded(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
