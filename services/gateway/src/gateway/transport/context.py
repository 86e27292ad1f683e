"""Transport context: the parts of the gateway that every connection uses."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.frames import BAD_MESSAGE, FULL, TOO_MANY
from gateway.fanout.dispatcher import Dispatcher
from gateway.fanout.subscriptions import NAME_BYTES, Filter, Subscriber, filter_bytes
from gateway.transport.access import NO_AUTHORIZATION, AccessControl, restricted
from gateway.transport.address_limiter import AddressLimiter
from gateway.transport.admission import (
    Admission,
    AdmissionPolicy,
    Refusal,
    admit,
    refusal_of_host,
)
from gateway.transport.closings import ClosingQueue
from gateway.transport.connections import ConnectionRegistry
from gateway.transport.inbound_scheduler import InboundScheduler
from gateway.transport.request_limits import Overrun, check_query
from gateway.transport.request_parser import RequestError
from gateway.transport.shown_reports import ShownReports
from gateway.transport.traffic_limits import TrafficLimits
from runtime.queue_aware_clock import Clock

FREE_NAMES: Final = 16
"""A filter with so many names is never refused, however much memory the others take."""


@dataclass(frozen=True, slots=True)
class TransportContext:
    """The parts, in one object because each connection then holds one reference only."""

    registry: ConnectionRegistry
    dispatcher: Dispatcher
    inbound: InboundScheduler
    requests: InboundScheduler
    policy: AdmissionPolicy
    clock: Clock
    traffic: TrafficLimits
    addresses: AddressLimiter
    access: AccessControl | None = None
    """The check of tokens; None if every client may see every pillow."""
    shown: ShownReports | None = None
    """What takes the reports of clients that they showed a state; None ignores them."""
    closings: ClosingQueue = field(default_factory=ClosingQueue)

    def admit(
        self,
        query: bytes,
        fields: Mapping[bytes, bytes],
        peer: str | None,
        *,
        may_send_token: bool = False,
    ) -> Admission | Refusal:
        """Return what a request asks for and may see, or why it is refused; see admission.admit.

        `may_send_token` says that the client can send its token later, in a message.
        """
        try:
            check_query(query, self.traffic.request)
        except Overrun as overrun:
            self.registry.count_above(overrun.limit, overrun.size)
            return Refusal(BAD_MESSAGE, str(overrun))
        foreign = refusal_of_host(self.policy, fields, peer)
        if foreign is not None:
            return foreign
        asked = admit(self.policy, len(self.registry.clients), query, fields, peer)
        if isinstance(asked, Refusal) and asked.code == FULL and self.registry.evict_silent():
            asked = admit(self.policy, len(self.registry.clients), query, fields, peer)
        if isinstance(asked, Refusal):
            return asked
        if self.access is None:
            return self.refusal_of_names(asked.filter) or Admission(asked, None, asked)
        grant = self.access.authenticate(fields)
        if isinstance(grant, Refusal):
            return grant
        if grant is None:
            return Admission(asked, None, asked) if may_send_token else NO_AUTHORIZATION
        permitted = restricted(asked, grant)
        if isinstance(permitted, Refusal):
            return permitted
        return self.refusal_of_names(permitted.filter) or Admission(asked, grant, permitted)

    def refusal_of_names(self, filter: Filter) -> Refusal | None:
        """Return why nobody may have one more filter now: the names in all take too much memory.

        A filter with few names is never refused.
        """
        limit = self.traffic.subscription_bytes
        is_small = filter_bytes(filter) <= FREE_NAMES * NAME_BYTES
        if is_small or self.dispatcher.subscription_bytes(filter) <= limit:
            return None
        self.registry.count_above("subscriptions", limit)
        return Refusal(
            TOO_MANY,
            f"the clients name more pillows than fit into {limit} bytes; name at most "
            f"{FREE_NAMES}, or none for all, or try again later",
        )

    def has_room_for_motion(self, subscriber: Subscriber, pillows: frozenset[str]) -> bool:
        """Return whether a subscriber may want so much motion; count it if not.

        Motion may take half of the memory for names, so that it keeps no subscription out.
        """
        limit = self.traffic.subscription_bytes // 2
        is_small = len(pillows) <= FREE_NAMES
        if is_small or self.dispatcher.motion_bytes(subscriber, pillows) <= limit:
            return True
        self.registry.count_above("subscriptions", limit, "gets no motion")
        return False

    def error_of_host(self, fields: Mapping[bytes, bytes], peer: str | None) -> RequestError | None:
        """Return why a request is not answered under the host that it names, and count it."""
        foreign = refusal_of_host(self.policy, fields, peer)
        if foreign is None:
            return None
        self.registry.count_refused(foreign)
        return RequestError(foreign.reason, 421)

    @property
    def is_full(self) -> bool:
        """Whether no further client may be let in; a silent one is evicted for it."""
        clients = len(self.registry.clients)
        return clients >= self.policy.max_clients and not self.registry.evict_silent()


def peer_address(transport: asyncio.Transport) -> str | None:
    """Return the address of a connection's peer; None where it has none, as on a Unix socket."""
    name = transport.get_extra_info("peername")
    return name[0] if isinstance(name, tuple) else None
