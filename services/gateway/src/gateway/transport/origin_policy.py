"""Origin policy: which web pages may subscribe. Pure."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def origin_allowed(origin: str, host: str | None, allowed: Sequence[str]) -> bool:
    """Return whether a page of `origin` may subscribe at a gateway that is addressed as `host`.

    A request without an Origin header does not come from a browser and needs no check, because
    the data is public to any program that can reach the gateway.
    The scheme is not compared, because TLS often ends at a proxy.
    """
    if "*" in allowed or origin.lower() in (one.lower() for one in allowed):
        return True
    try:
        parsed = urlsplit(origin)
    except ValueError:
        return False
    site, own = parsed.netloc.lower(), (host or "").lower()
    # A browser omits the default port of a scheme; some proxies add it to Host.
    return bool(site) and site in (own, own.removesuffix(_DEFAULT_PORTS.get(parsed.scheme, "")))
