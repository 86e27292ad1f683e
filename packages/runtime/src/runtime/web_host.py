"""Hosts: the names by which a server may be addressed. Pure.

A page can have its own site's name resolved to another server's address after it was loaded (DNS
rebinding); its browser then takes that server for the page's own site. Such a request has the name
of the page's site in `Host`, so a server that answers to its own names alone is safe from it. An
address in `Host` is safe too, because it cannot be resolved to another one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from runtime.networks import address_of
from runtime.web_origin import ascii_host

_MAX_CHARACTERS: Final = 262
"""The length of a host: 253 characters of a name, the final dot, and a port."""

_HOST: Final = re.compile(r"(\[[0-9a-z:.%_-]+\]|[0-9a-z._-]+)(?::[0-9]{0,5})?", re.ASCII)
_LOOPBACK: Final = "localhost"
_FORM: Final = "is no host: like clouds.example.org, .example.org for all names below it, or *"


def parse_host(text: str) -> str | None:
    """Return the name or the address in a `Host` header; None if it has another form.

    A name is in lower case and without a final dot, an address as Python's `ipaddress` writes it;
    both are without a port. Numbers that only some programs take for an address are names.
    """
    return _parse_host(text) if len(text) <= _MAX_CHARACTERS and text.isascii() else None


@lru_cache(maxsize=256)
def _parse_host(text: str) -> str | None:
    match = _HOST.fullmatch(text.lower())
    if match is None:
        return None
    name = match[1].removesuffix(".")
    if name.startswith("["):
        return _address(name[1:-1]) if ":" in name else None
    if "" in name.split("."):
        return None
    return _address(name) or name if name[-1].isdigit() else name


@lru_cache(maxsize=256)
def is_loopback(name: str) -> bool:
    """Return whether a name or an address stands for the machine itself (RFC 6761 §6.3)."""
    if name == _LOOPBACK or name.endswith(f".{_LOOPBACK}"):
        return True
    address = address_of(name)
    return address is not None and address.is_loopback


@lru_cache(maxsize=256)
def is_address(name: str) -> bool:
    """Return whether the result of `parse_host` is an address."""
    return ":" in name or (name[-1].isdigit() and _address(name) is not None)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts that are answered: these names, those that end so, or everything.

    Addresses and the names of loopback always are: nobody can have them resolved to another
    machine, and health checks of load balancers name an address.
    """

    names: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    everything: bool = False

    def allow(self, host: str) -> bool:
        """Return whether a request with this `Host` is answered."""
        if self.everything:
            return True
        name = parse_host(host)
        if name is None:
            return False
        if name in self.names or name.endswith(self.endings):
            return True
        return is_address(name) or is_loopback(name)


EVERY_HOST: Final = AllowedHosts(everything=True)


def allowed_hosts(
    listed: Sequence[str], bound_to: str, machine: Iterable[str], also: Iterable[str] = ()
) -> AllowedHosts:
    """Return the hosts that a server answers.

    They are those `listed`, which `normalize_host` has normalised. Where none is, a server that is
    bound to loopback answers to its `machine`'s names, another one to everything.
    Names in `also` are answered in any case.
    """
    if "*" in listed or not (listed or is_loopback(parse_host(bound_to) or bound_to)):
        return EVERY_HOST
    names = frozenset(one for one in (*listed, *also) if not one.startswith("."))
    endings = tuple(one for one in listed if one.startswith("."))
    if listed:
        return AllowedHosts(names, endings)
    return AllowedHosts(names | {one.lower() for one in machine})


def normalize_host(text: str) -> str:
    """Return an allowed host of a setting, so that it can be compared as text.

    A port is dropped, because a name is not another one on another port; `*.` becomes a dot.
    Raises ValueError.
    """
    if text == "*":
        return text
    if "://" in text or "/" in text:
        raise ValueError(f"{text!r} {_FORM}; without a scheme and a path")
    bare = text.removeprefix("*") if text.startswith("*.") else text
    address = _address(bare)  # an IPv6 address may be without brackets here
    if address is not None:
        return address
    name = parse_host(ascii_host(bare.removeprefix(".")))
    is_ending = bare.startswith(".")
    if name is None or "*" in bare or (is_ending and is_address(name)):
        raise ValueError(f"{text!r} {_FORM}; several are separated by commas")
    return f".{name}" if is_ending else name


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
