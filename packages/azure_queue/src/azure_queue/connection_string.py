"""Connection strings as people copy them: corrected, or refused with a sentence. Pure."""

import base64
import binascii
from typing import Final
from urllib.parse import urlsplit

from azure_queue.development_account import ACCOUNT_NAME, connection_string

_COPY: Final = "copy the whole string from the storage account's page Access keys"


def normalize_connection_string(text: str) -> str:
    """Return a connection string that the SDK reads.

    White space is removed, because no part of one contains any: a wrapped secret has line breaks.
    Raises ValueError with a sentence that does not repeat the string, which holds a secret.
    """
    parts, names = _parse("".join(text.split()))
    if parts.get("usedevelopmentstorage", "").lower() == "true":
        return _development(parts.get("developmentstorageproxyuri", ""))
    endpoint = parts.get("queueendpoint", "").rstrip("/")
    if not endpoint and not parts.get("accountname"):
        raise ValueError(f"names no queue: it lacks AccountName and QueueEndpoint; {_COPY}")
    if endpoint:
        _check_endpoint(endpoint)
        parts["queueendpoint"] = endpoint
    if "sharedaccesssignature" in parts:
        parts["sharedaccesssignature"] = parts["sharedaccesssignature"].lstrip("?")
    elif "accountkey" in parts:
        parts["accountkey"] = _padded_key(parts["accountkey"])
        if not parts.get("accountname"):
            raise ValueError(f"has an AccountKey and no AccountName; {_COPY}")
    else:
        raise ValueError(f"has neither AccountKey nor SharedAccessSignature; {_COPY}")
    return "".join(f"{names[name]}={value};" for name, value in parts.items())


def _parse(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parts by their names in lower case, because case does not matter, and the names.

    The names are as they were written.
    """
    parts, names = {}, {}
    for part in filter(None, text.split(";")):
        name, separator, value = part.partition("=")
        if not separator:
            raise ValueError(f"is not of the form NAME=VALUE;NAME=VALUE; {_COPY}")
        parts[name.lower()], names[name.lower()] = value.strip("\"'"), name
    return parts, names


def _development(proxy: str) -> str:
    if not proxy:
        return connection_string()
    _check_endpoint(proxy.rstrip("/"))
    string = connection_string()
    head, _, _ = string.partition("QueueEndpoint=")
    return f"{head}QueueEndpoint={proxy.rstrip('/')}:10001/{ACCOUNT_NAME};"


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018 - raises ValueError
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError("has a QueueEndpoint that is no http:// or https:// address")


def _padded_key(key: str) -> str:
    padded = key.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        base64.b64decode(padded, validate=True)
    except binascii.Error:
        raise ValueError(f"has an AccountKey that is not Base64; {_COPY}") from None
    if not padded:
        raise ValueError(f"has an empty AccountKey; {_COPY}")
    return padded
