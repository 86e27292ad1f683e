"""Transport context: the parts of the gateway that every connection uses."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.fanout.dispatcher import Dispatcher
from gateway.transport.admission import AdmissionPolicy, Refusal, SubscriptionRequest, admit
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.traffic_limits import TrafficLimits


@dataclass(frozen=True, slots=True)
class TransportContext:
    """The parts, in one object because each connection then holds one reference instead of six."""

    registry: ConnectionRegistry
    dispatcher: Dispatcher
    inbound: InboundScheduler
    policy: AdmissionPolicy
    clock: Clock
    traffic: TrafficLimits

    def admit(
        self, query: bytes, fields: Mapping[bytes, bytes], peer: str | None
    ) -> SubscriptionRequest | Refusal:
        """Return what a request subscribes to, or why it is refused; see admission.admit."""
        return admit(self.policy, len(self.registry.clients), query, fields, peer)


def peer_address(transport: asyncio.Transport) -> str | None:
    """Return the address of a connection's peer; None where it has none, as on a Unix socket."""
    name = transport.get_extra_info("peername")
    return name[0] if isinstance(name, tuple) else None
