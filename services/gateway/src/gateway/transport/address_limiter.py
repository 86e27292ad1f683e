"""Address limiter: counts connections and requests for the addresses that they come from.

A connection of a client is counted from its acceptance to its end. One of a trusted proxy carries
requests of many clients: there each request is counted for the address that the proxy names until
it is answered, and what it is upgraded to until that ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import structlog

from contract.frames import TOO_MANY
from gateway.metrics import GatewayMetrics
from gateway.transport.address_limits import (
    CONNECTIONS,
    CONNECTS,
    NO_LIMITS,
    REQUESTS,
    AddressLimits,
    AddressTable,
    Counted,
    Excess,
    counted_for,
    network_of,
)
from gateway.transport.admission import Refusal
from gateway.transport.client_address import client_address, is_nearby, parse_address
from gateway.transport.limit_reports import REPEAT_S
from runtime.clocks import monotonic_s
from runtime.log_repeats import LogRepeats
from runtime.networks import Address, Network, is_in

log = structlog.get_logger()

_UNITS: Final = {
    CONNECTIONS: "connections at once",
    CONNECTS: "new connections a second",
    REQUESTS: "requests a second",
}


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The limits of one address.

    `nearby` holds for loopback, private networks and `trusted` proxies: one address may bring every
    client there, so only limits that somebody has set hold for it.
    """

    limits: AddressLimits = NO_LIMITS
    nearby: AddressLimits = NO_LIMITS
    trusted: Sequence[Network] = ()

    def limits_of(self, address: Address) -> AddressLimits:
        """Return the limits that hold for an address."""
        is_shared = is_nearby(address) or is_in(address, self.trusted)
        return self.nearby if is_shared else self.limits


class _Peer(NamedTuple):
    """What the address of a peer means."""

    address: Address
    limits: AddressLimits
    is_proxy: bool


class AddressLimiter:
    """Counts what each address uses, refuses what is above its limits, and reports it."""

    def __init__(self, policy: AddressPolicy, metrics: GatewayMetrics) -> None:
        self._policy = policy
        self._table = AddressTable()
        self._limited = metrics.address_limited
        self._repeats = LogRepeats(REPEAT_S)
        self._peer = lru_cache(maxsize=1024)(self._look_up)
        metrics.addresses.set_function(self._table.__len__)
        for kind in _UNITS:
            metrics.address_limit.labels(kind).set(getattr(policy.limits, kind))

    def accept(self, peer: str | None) -> "ConnectionQuota":
        """Count a new connection, if it is of a client whose address has a limit."""
        known = None if peer is None else self._peer(peer)
        if known is None or (known.limits.is_none and not known.is_proxy):
            return NOT_COUNTED
        return _CountedQuota(self, known)

    def client_of(
        self, peer: Address, fields: Mapping[bytes, bytes]
    ) -> tuple[Sequence[Counted], AddressLimits]:
        """Return what a request of a trusted proxy is counted for, and its limits."""
        address = client_address(peer, fields, self._policy.trusted) or peer
        return counted_for(address), self._policy.limits_of(address)

    def take(
        self,
        networks: Sequence[Counted],
        limits: AddressLimits,
        kinds: Sequence[str],
        *,
        may_be_silent: bool = False,
    ) -> Excess | None:
        """Charge networks, and report what is above a limit."""
        excess = self._table.take(
            networks, limits, kinds, monotonic_s(), may_be_silent=may_be_silent
        )
        if excess is not None:
            effect = "refused" if excess.is_told else "closed"
            self._limited.labels(excess.limit, effect).inc()
            if (repeats := self._repeats.due(excess.limit)) is not None:
                log.warning(
                    "address limit reached; raise it, or name the address in "
                    "GATEWAY_TRUSTED_PROXIES if it is a proxy's",
                    limit=excess.limit,
                    size=excess.size,
                    address=network_of(excess.key),
                    effect=effect,
                    setting=_setting(excess.limit),
                    **repeats,
                )
        return excess

    def release(self, networks: Sequence[Counted]) -> None:
        """Give the connection of networks back."""
        self._table.release(networks)

    def _look_up(self, peer: str) -> _Peer | None:
        address = parse_address(peer)
        if address is None:
            return None
        policy = self._policy
        has_limits = not (policy.limits.is_none and policy.nearby.is_none)
        is_proxy = has_limits and is_in(address, policy.trusted)
        return _Peer(address, policy.limits_of(address), is_proxy)


class ConnectionQuota:
    """What one connection takes of its address's limits; this one's address has none."""

    __slots__ = ()

    @property
    def is_exceeded(self) -> bool:
        """Whether the connection is to be closed at once: its address was told why often enough."""
        return False

    def request(self, fields: Mapping[bytes, bytes], *, is_upgrade: bool) -> Refusal | None:
        """Count a request, which has these headers; return why it is refused."""
        return None

    def answered(self) -> None:
        """Note that no request is being answered, so that the next one may be another client's."""

    def release(self) -> None:
        """Stop counting it."""

    @property
    def address(self) -> str | None:
        """The address, or the network, that it counts for; None where it counts for none."""
        return None


NOT_COUNTED: Final = ConnectionQuota()


class _CountedQuota(ConnectionQuota):
    """That of a client's connection, or of a trusted proxy's."""

    __slots__ = ("_excess", "_held", "_limiter", "_peer")

    def __init__(self, limiter: AddressLimiter, peer: _Peer) -> None:
        self._limiter = limiter
        self._peer = peer
        self._held: Sequence[Counted] = ()  # what has a connection more because of it
        self._excess: Excess | None = None
        if not peer.is_proxy:
            kinds = (CONNECTIONS, CONNECTS)
            networks = counted_for(peer.address)
            self._excess = self._take(networks, peer.limits, kinds, may_be_silent=True)

    @property
    def is_exceeded(self) -> bool:
        return self._excess is not None and not self._excess.is_told

    def request(self, fields: Mapping[bytes, bytes], *, is_upgrade: bool) -> Refusal | None:
        excess, peer = self._excess, self._peer
        if excess is None and peer.is_proxy:
            networks, limits = self._limiter.client_of(peer.address, fields)
            kinds = (CONNECTS,) if is_upgrade else (REQUESTS,)
            excess = self._take(networks, limits, kinds if self._held else (CONNECTIONS, *kinds))
        elif excess is None and not is_upgrade:
            excess = self._take(counted_for(peer.address), peer.limits, (REQUESTS,))
        return None if excess is None else _refusal(excess)

    def answered(self) -> None:
        if self._peer.is_proxy:
            self.release()

    def release(self) -> None:
        held, self._held = self._held, ()
        if held:
            self._limiter.release(held)

    @property
    def address(self) -> str | None:
        return network_of(self._held[0].key) if self._held else None

    def _take(
        self,
        networks: Sequence[Counted],
        limits: AddressLimits,
        kinds: Sequence[str],
        *,
        may_be_silent: bool = False,
    ) -> Excess | None:
        excess = self._limiter.take(networks, limits, kinds, may_be_silent=may_be_silent)
        if excess is None and CONNECTIONS in kinds:
            self._held = networks
        return excess


def _setting(limit: str) -> str:
    return f"GATEWAY_MAX_{limit.upper()}_PER_ADDRESS"


def _refusal(excess: Excess) -> Refusal:
    return Refusal(
        TOO_MANY,
        f"{excess.size} {_UNITS[excess.limit]} are allowed from {network_of(excess.key)} "
        f"({_setting(excess.limit)}); try again later",
        retry_after_s=excess.retry_after_s,
    )
