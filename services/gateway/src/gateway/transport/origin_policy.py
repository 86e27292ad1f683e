"""Origin policy: which web pages may subscribe. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from runtime.web_host import is_loopback, parse_host

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_BROWSERS: Final = b"mozilla/"
"""What the `User-Agent` of every browser has."""


def origin_allowed(
    origin: str, hosts: Sequence[str], allowed: Sequence[str], *, is_https: bool = False
) -> bool:
    """Return whether a page of `origin` may subscribe at a gateway that is addressed as `hosts`.

    A request without an Origin header does not come from a browser and needs no check, because
    the data is public to any program that can reach the gateway.
    A page of http:// is none of a gateway that is reached by https://, because anybody between the
    two machines can write one. The reverse is usual, where TLS ends at a proxy that says nothing.
    """
    if "*" in allowed or origin.lower() in (one.lower() for one in allowed):
        return True
    if is_https and not origin.lower().startswith("https://"):
        return False
    return any(_is_same_site(origin, host) for host in hosts)


def browser_says_same_origin(fields: Mapping[bytes, bytes]) -> bool:
    """Return whether a browser sent the request to the origin of its page, whatever Host says now.

    No page can set this header, and a proxy that names another Host leaves it as it is.
    """
    return fields.get(b"sec-fetch-site") == b"same-origin"


def is_local_program(
    origin: str, host: str, fields: Mapping[bytes, bytes], peer: str | None
) -> bool:
    """Return whether a program of this machine asks, with an origin of another port than the host.

    So it is behind nginx without a line about Host, which then is the gateway's own address. A
    program may name any origin, so that a refusal would protect nobody. A browser is none: it sends
    `Sec-Fetch-Site`, or at least its `User-Agent`, which no page can change for a WebSocket.
    """
    if peer is None or not is_loopback(peer):
        return False
    if b"sec-fetch-site" in fields or _BROWSERS in fields.get(b"user-agent", b"").lower():
        return False
    scheme, _, site = origin.lower().partition("://")
    name = parse_host(site)
    return (
        scheme in _DEFAULT_PORTS
        and name is not None
        and is_loopback(name)
        and name == parse_host(host)
    )


def _is_same_site(origin: str, host: str) -> bool:
    """Return whether an origin has the name and port of a host.

    A host without a port stands for every port of its name, because proxies remove it: nginx's
    `$host` has none.
    """
    scheme, _, site = origin.lower().partition("://")
    if scheme in _DEFAULT_PORTS and site and site == host.lower():
        return True  # without a proxy; ten thousand pages may connect at once
    try:
        page, own = urlsplit(origin), urlsplit(f"//{host}")
        if not page.hostname or page.username is not None or page.scheme not in _DEFAULT_PORTS:
            return False
        if page.path or page.query or page.fragment or page.hostname != own.hostname:
            return False
        # A browser omits the default port of a scheme; some proxies add it to Host.
        return own.port is None or own.port == (page.port or _DEFAULT_PORTS[page.scheme])
    except ValueError:
        return False
