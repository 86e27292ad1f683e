"""Forwarded requests: the host and the scheme a browser asked for, as a proxy tells them. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from runtime.networks import Network, address_of, is_in, parse_network

_VALUE: Final = r'=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s;,"]+))'
_FORWARDED_HOST: Final = re.compile(rf"(?:^|[;,])\s*host{_VALUE}", re.IGNORECASE)
_SECURE: Final = ("https", "wss")
_FORWARDED_PROTO: Final = re.compile(rf"(?:^|[;,])\s*proto{_VALUE}", re.IGNORECASE)

_LISTS: Final = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"}
)


def joined_lists(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return what proxies told, by name; a repeated header is one list (RFC 9110 §5.2)."""
    told: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in _LISTS:
            told.setdefault(name, []).append(value)
    return {name: b",".join(values) for name, values in told.items()}


def parse_networks(names: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks that addresses and networks like 10.0.0.0/8 name.

    Raises ValueError for a name that is neither.
    """
    return tuple(map(parse_network, names))


def is_trusted(peer: str | None, trusted: Sequence[Network]) -> bool:
    """Return whether a peer's address is in one of the networks; a name or None never is."""
    if peer is None or not trusted:
        return False
    address = address_of(peer)
    return address is not None and is_in(address, trusted)


def forwarded_host(fields: Mapping[bytes, bytes]) -> str | None:
    """Return the host that the first proxy was addressed as; None if no header tells it.

    `Forwarded` (RFC 7239) is preferred to `X-Forwarded-Host`.
    """
    return next(iter(forwarded_hosts(fields)), None)


def forwarded_hosts(fields: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """Return every host that the headers name; in each header, that of the first proxy is first.

    A proxy may add its own to what its client sent, and one that writes `X-Forwarded-Host` passes
    its client's `Forwarded` on. So none of them is left out.
    """
    listed = fields.get(b"x-forwarded-host", b"").decode("latin-1").split(",")
    return (*_values(_FORWARDED_HOST, fields), *filter(None, map(str.strip, listed)))


def is_forwarded_https(fields: Mapping[bytes, bytes]) -> bool:
    """Return whether a header tells that a browser asked by https, or by wss as some proxies say.

    One header that says so is enough, because a client can send another that does not.
    """
    listed = fields.get(b"x-forwarded-proto", b"").decode("latin-1").split(",")
    told = (*_values(_FORWARDED_PROTO, fields), listed[0].strip())
    return any(one.lower() in _SECURE for one in told)


def _values(pattern: re.Pattern[str], fields: Mapping[bytes, bytes]) -> Iterator[str]:
    """Yield the values of a parameter of `Forwarded`, unquoted."""
    for found in pattern.finditer(fields.get(b"forwarded", b"").decode("latin-1")):
        yield found["token"] or re.sub(r"\\(.)", r"\1", found["quoted"])
