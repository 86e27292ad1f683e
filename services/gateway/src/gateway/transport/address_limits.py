"""Address limits: how much the clients behind one address may use at once and a second. Pure.

What is counted for an IPv6 address is counted for its /64, which is what one household has, and for
its /48 and /32 with a multiple of the limit, because whoever has a large network has any number
of /64s. An address that uses nothing is forgotten, the one that was idle for longest first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final, NamedTuple

from gateway.transport.admission import RETRY_AFTER_S
from runtime.networks import Address

MAX_IDLE_ADDRESSES: Final = 32_768
"""How many networks are remembered that have no connection, only a rate; about 200 bytes each.
Those with connections are as many as connections at most."""

TOLD_PER_S: Final = 16
"""How many refused connections of one network are told why, a second; others are closed at once."""

CONNECTIONS, CONNECTS, REQUESTS = "connections", "connects", "requests"

_IPV6_PREFIXES: Final = ((64, 1), (48, 4), (32, 64))
"""Lengths of the prefixes that are counted, and the multiple of the limits for each."""

_BITS_OF_LENGTH: Final = 8
_IPV4: Final = 0x80
"""Marks the keys of IPv4 addresses, in the bits of the length."""


@dataclass(frozen=True, slots=True)
class AddressLimits:
    """What one address may have; 0 stands for no limit.

    `connections` are open at once, `connects` are new ones a second, and `requests` are ordinary
    requests a second.
    """

    connections: int = 0
    connects: int = 0
    requests: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing is limited."""
        return not (self.connections or self.connects or self.requests)


NO_LIMITS: Final = AddressLimits()


class Counted(NamedTuple):
    """A network that an address is counted for, and the multiple of the limits that it may use."""

    key: int
    factor: int


class Excess(NamedTuple):
    """What an address asked for above a limit: which limit, its size, and for whom.

    `is_told` says that the client is to be told so; else there are too many of these.
    """

    limit: str
    size: int
    key: int
    retry_after_s: int
    is_told: bool


def counted_for(address: Address) -> tuple[Counted, ...]:
    """Return the networks that an address is counted for, the smallest first."""
    number = int(address)
    if address.version == 4:
        return (Counted(number << _BITS_OF_LENGTH | _IPV4, 1),)
    return tuple(
        Counted((number >> (128 - length)) << _BITS_OF_LENGTH | length, factor)
        for length, factor in _IPV6_PREFIXES
    )


def network_of(key: int) -> str:
    """Return the network of a key as text."""
    number, length = key >> _BITS_OF_LENGTH, key & 0xFF
    if length == _IPV4:
        return str(IPv4Network(number).network_address)
    return str(IPv6Network((number << (128 - length), length)))


class _Usage:
    """What a network uses: its open connections, and its rates as levels that leak."""

    __slots__ = ("connections", "connects", "requests", "told", "updated_s")

    def __init__(self, now_s: float) -> None:
        self.connections = 0
        self.connects = self.requests = self.told = 0.0
        self.updated_s = now_s

    def leak(self, now_s: float, limits: AddressLimits, factor: int) -> None:
        """Let the levels sink to what they are now."""
        passed_s = max(0.0, now_s - self.updated_s)
        self.updated_s = now_s
        self.connects = max(0.0, self.connects - passed_s * limits.connects * factor)
        self.requests = max(0.0, self.requests - passed_s * limits.requests * factor)
        self.told = max(0.0, self.told - passed_s * TOLD_PER_S)

    def may_tell(self) -> bool:
        """Return whether one more refused client is told why, and count it if so."""
        is_told = self.told + 1 <= TOLD_PER_S
        self.told += is_told
        return is_told


class AddressTable:
    """What each network uses. Times are monotonic, in seconds."""

    def __init__(self, max_idle: int = MAX_IDLE_ADDRESSES) -> None:
        self._max_idle = max_idle
        self._busy: dict[int, _Usage] = {}
        self._idle: dict[int, _Usage] = {}  # the one that was used least recently first

    def __len__(self) -> int:
        """Return the number of networks that are remembered."""
        return len(self._busy) + len(self._idle)

    def connections(self, key: int) -> int:
        """Return the open connections of a network."""
        usage = self._busy.get(key)
        return 0 if usage is None else usage.connections

    def take(
        self,
        networks: Sequence[Counted],
        limits: AddressLimits,
        kinds: Sequence[str],
        now_s: float,
        *,
        may_be_silent: bool = False,
    ) -> Excess | None:
        """Charge each of `kinds` to all networks, or nothing and return what is above its limit.

        A connection is given back by `release`. `may_be_silent` says that not every client has to
        be told.
        """
        usages = [self._usage(key, now_s) for key, _ in networks]
        for (key, factor), usage in zip(networks, usages, strict=True):
            usage.leak(now_s, limits, factor)
            for kind in kinds:
                size = getattr(limits, kind) * factor
                used = getattr(usage, kind)
                if size and used + 1 > size:
                    is_told = not may_be_silent or usage.may_tell()
                    return Excess(kind, size, key, _retry_after_s(kind, size, used), is_told)
        for (key, _), usage in zip(networks, usages, strict=True):
            for kind in kinds:
                setattr(usage, kind, getattr(usage, kind) + 1)
            if usage.connections:
                self._idle.pop(key, None)
                self._busy[key] = usage
        return None

    def release(self, networks: Sequence[Counted]) -> None:
        """Give a connection back."""
        for key, _ in networks:
            usage = self._busy[key]
            usage.connections -= 1
            if not usage.connections:
                self._remember_idle(key, self._busy.pop(key))

    def _usage(self, key: int, now_s: float) -> _Usage:
        usage = self._busy.get(key)
        if usage is None:
            usage = self._idle.pop(key, None) or _Usage(now_s)
            self._remember_idle(key, usage)
        return usage

    def _remember_idle(self, key: int, usage: _Usage) -> None:
        self._idle[key] = usage
        if len(self._idle) > self._max_idle:
            del self._idle[next(iter(self._idle))]


def _retry_after_s(kind: str, size: int, used: float) -> int:
    """Return when a client may try again: when a rate's level has sunk by one, or somebody left."""
    return RETRY_AFTER_S if kind == CONNECTIONS else max(1, math.ceil((used + 1 - size) / size))
