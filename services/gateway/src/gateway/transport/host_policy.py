"""Host policy: under which host a request is answered. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.transport.forwarded import forwarded_hosts, is_trusted
from runtime.networks import Network
from runtime.web_host import AllowedHosts, is_address, is_loopback, parse_host

_NONE: Final = "''"


def foreign_host(
    allowed: AllowedHosts,
    fields: Mapping[bytes, bytes],
    peer: str | None,
    proxies: Sequence[Network],
) -> str | None:
    """Return the host of a request under which it is not answered; None if it is answered.

    `fields` are its headers by name, `peer` the address that it came from, and `proxies` are those
    whose headers are believed.
    """
    if allowed.everything:
        return None
    for host in asked_hosts(fields, peer, proxies):
        if not allowed.allow(host):
            return host or _NONE
    return None


def asked_hosts(
    fields: Mapping[bytes, bytes], peer: str | None, proxies: Sequence[Network]
) -> tuple[str, ...]:
    """Return the hosts that a request asks for: those that a trusted proxy tells, else `Host`.

    There is none in a request of HTTP/1.0 without it, which no browser sends.
    """
    host = fields.get(b"host")
    named = () if host is None else (host.decode("latin-1"),)
    if not is_trusted(peer, proxies):
        return named
    told = forwarded_hosts(fields)
    if not told:
        return named
    # A browser on the machine of a trusted proxy has its address, and the script of a page can set
    # every header but Host. So that counts too, unless it is how a proxy names the gateway.
    if peer is not None and is_loopback(peer) and not all(map(_is_inner_name, named)):
        return (*told, *named)
    return told


def _is_inner_name(host: str) -> bool:
    """Return whether a host is no name that a site on the internet can have."""
    name = parse_host(host)
    return name is not None and ("." not in name or is_address(name))
