"""The headers of Standard Webhooks: id, time of the attempt, and signatures. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence


def webhook_headers(
    event_id: str, timestamp_s: int, body: bytes, keys: Sequence[bytes]
) -> dict[str, str]:
    """Return the headers of one attempt; there is a signature for each key, so that one can be
    replaced by another without a gap."""
    headers = {"webhook-id": event_id, "webhook-timestamp": str(timestamp_s)}
    if keys:
        signed = b"%b.%d.%b" % (event_id.encode(), timestamp_s, body)
        headers["webhook-signature"] = " ".join(f"v1,{_signature(key, signed)}" for key in keys)
    return headers


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
