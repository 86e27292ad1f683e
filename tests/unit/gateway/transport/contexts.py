"""A transport context for tests."""

from collections.abc import Sequence

from gateway.transport.access import AccessControl
from gateway.transport.address_limiter import AddressLimiter, AddressPolicy
from gateway.transport.admission import AdmissionPolicy
from gateway.transport.connection_limits import ConnectionLimits
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.context import TransportContext
from gateway.transport.cpu_budget import (
    BURST_S,
    CPU_SHARE,
    REQUEST_BURST_S,
    REQUEST_SLICE_S,
    SLICE_S,
)
from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.loop_budget import LoopBudget
from gateway.transport.traffic_limits import TrafficLimits
from tests.unit.gateway.core import GatewayCore


def make_context(
    core: GatewayCore,
    allowed_origins: Sequence[str] = (),
    *,
    max_clients: int = 1000,
    limits: ConnectionLimits | None = None,
    traffic: TrafficLimits | None = None,
    access: AccessControl | None = None,
    message_s: float = 30.0,
    request_s: float = 10.0,
    addresses: AddressPolicy | None = None,
    requests: InboundScheduler | None = None,
) -> TransportContext:
    """Return a context that adds clients to the core."""
    return TransportContext(
        ConnectionRegistry(
            core.metrics, limits or ConnectionLimits(total=1000), message_s, request_s
        ),
        core.dispatcher,
        InboundScheduler(LoopBudget(CPU_SHARE, BURST_S, SLICE_S)),
        requests or InboundScheduler(LoopBudget(0.5, REQUEST_BURST_S, REQUEST_SLICE_S)),
        AdmissionPolicy(allowed_origins, max_clients),
        core.clock,
        traffic or TrafficLimits(),
        AddressLimiter(addresses or AddressPolicy(), core.metrics),
        access,
    )
