"""Transport context: the parts of the gateway that every connection uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.fanout.dispatcher import Dispatcher
from gateway.transport.admission import AdmissionPolicy, Refusal, SubscriptionRequest, admit
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.inbound_scheduler import InboundScheduler


@dataclass(frozen=True, slots=True)
class TransportContext:
    """The parts, in one object because each connection then holds one reference instead of five."""

    registry: ConnectionRegistry
    dispatcher: Dispatcher
    inbound: InboundScheduler
    policy: AdmissionPolicy
    clock: Clock

    def admit(self, query: bytes, fields: Mapping[bytes, bytes]) -> SubscriptionRequest | Refusal:
        """Return what a request subscribes to, or why it is refused; see admission.admit."""
        return admit(self.policy, len(self.registry.clients), query, fields)
