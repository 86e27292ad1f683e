"""Public address: under which URL people open the gateway, as far as it knows. Pure."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from gateway.transport.forwarded import is_forwarded_https, is_trusted, joined_lists
from gateway.transport.host_policy import asked_hosts
from runtime.networks import Network
from runtime.web_host import is_loopback, parse_host


def public_address(
    configured: str,
    headers: Iterable[tuple[bytes, bytes]],
    peer: str | None,
    proxies: Sequence[Network],
) -> str | None:
    """Return the URL of the folder that a request is for; None if it names no host.

    `configured` is GATEWAY_PUBLIC_URL, `peer` the address that the request came from, and `proxies`
    are those whose headers are believed. A path that a proxy takes away is known from the setting
    alone. A setting for this machine only does not hold for a request by another name.
    """
    if configured and not is_loopback(urlsplit(configured).hostname or ""):
        return configured
    given = tuple(headers)
    fields = {**{name: value for name, value in given if name == b"host"}, **joined_lists(given)}
    host = next(iter(asked_hosts(fields, peer, proxies)), "")
    name = parse_host(host)
    if name is None:
        return None
    if configured and is_loopback(name):
        return configured
    is_https = is_trusted(peer, proxies) and is_forwarded_https(fields)
    return f"{'https' if is_https else 'http'}://{host}/"
