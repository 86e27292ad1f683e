"""Web origins, in the form in which browsers send them. Pure."""

import unicodedata
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_FORM: Final = "is no origin: like https://example.org, with a port where it is not the usual one"


def normalize_origin(text: str) -> str:
    """Return an origin as a browser sends it, so that it can be compared as text.

    The host is in lower case and in ASCII, and a default port is omitted.
    Raises ValueError for an origin that no browser sends.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} {_FORM}") from None
    host = parts.hostname or ""
    if parts.scheme in ("ws", "wss"):
        page = "https" if parts.scheme == "wss" else "http"
        raise ValueError(
            f"{text!r} is the address of a WebSocket; name the origin of the page: "
            f"{page}://{parts.netloc}"
        )
    if "*" in host:
        raise ValueError(f"{text!r} has a wildcard; name each origin, or * for all")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} {_FORM}, and no path")
    if not parts.scheme or not host or "@" in parts.netloc or any(map(str.isspace, text)):
        raise ValueError(f"{text!r} {_FORM}; several are separated by commas")
    host = f"[{host}]" if ":" in host else ascii_host(host)
    is_default = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{port}"


def ascii_host(host: str) -> str:
    """Return a name in ASCII, as browsers send it."""
    return ".".join(map(_ascii_label, host.split(".")))


def _ascii_label(label: str) -> str:
    """Return a part of a host name as browsers write it (UTS 46, without the old mappings)."""
    label = unicodedata.normalize("NFKC", label.lower())
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
