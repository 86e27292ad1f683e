"""When a token is renewed. It is sent in a message, never in a URL, because URLs are logged."""

import base64
import json
import math
from typing import Any, Final

RENEW_AT: Final = 0.8
"""A token is renewed after this part of the time that it is still valid for."""
MIN_RENEWAL_S: Final = 1.0
MAX_RENEWAL_S: Final = 86_400.0


def claims_of(token: str) -> dict[str, Any]:
    """Return the content of a JSON Web Token, which is not checked; empty if it is none."""
    parts = token.split(".")
    if len(parts) < 2:
        return {}
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):  # an error of Base64 is a ValueError
        return {}
    return claims if isinstance(claims, dict) else {}


def renewal_delay_s(token: str, now_s: float) -> float | None:
    """Return how long a token may be used before another is asked for; None without an end.

    `now_s` is the wall clock in Unix seconds.
    """
    exp = claims_of(token).get("exp")
    if isinstance(exp, bool) or not isinstance(exp, int | float):
        return None
    try:
        left = float(exp) - now_s
    except OverflowError:
        return None
    if not math.isfinite(left):
        return None
    return min(MAX_RENEWAL_S, max(MIN_RENEWAL_S, left * RENEW_AT))
