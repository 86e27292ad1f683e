"""The URL of a gateway, as a person writes it, and that of its WebSocket."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def stream_url(url: str) -> str:
    """Return the URL of the WebSocket below a gateway's URL.

    Raises TypeError or ValueError with what to write.
    """
    if not isinstance(url, str):
        raise TypeError(f"url is {type(url).__name__}: pass the gateway's URL, as https://host/")
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"url is {url!r}: {error}; write it as https://host/") from None
    if parts.scheme not in _SCHEMES or not host:
        raise ValueError(f"url is {url!r}: write the gateway's URL with its scheme, {_hint(url)}")
    if parts.query or parts.fragment:
        raise ValueError(
            f"url is {url!r}: leave out what begins with ? or #, and name pillows by pillows=[…]"
        )
    path = parts.path.rstrip("/")
    if parts.scheme in ("ws", "wss"):
        path = path.removesuffix("/ws")
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, f"{path}/ws", "", ""))


def without_credentials(url: str) -> str:
    """Return a URL that may be shown: without a name and a password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _hint(url: str) -> str:
    is_bare = "://" not in url and bool(url.strip("/ "))
    return f"as http://{url.strip('/ ')}/" if is_bare else "as https://host/"
