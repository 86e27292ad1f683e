"""Limit reports: how near a gateway is to each of its limits."""

from typing import Final

import msgspec

from gateway.settings import GatewaySettings
from gateway.state.history import History
from gateway.state.state_store import StateStore
from gateway.transport.connection_limits import UNLIMITED
from gateway.transport.connections import ConnectionRegistry, Stage
from gateway.transport.context import TransportContext

NEAR: Final = 0.8
"""From this part of a limit on it is near."""


class LimitReport(msgspec.Struct, frozen=True):
    """How much of a limit is used, and the setting that raises it; `size` None is no limit."""

    what: str
    used: int
    size: int | None
    setting: str

    @property
    def share(self) -> float:
        """The part that is used, from 0 to 1."""
        return self.used / self.size if self.size else 0.0

    @property
    def is_near(self) -> bool:
        """Whether so much is used that an operator should know."""
        return self.share >= NEAR


def report_limits(
    settings: GatewaySettings, context: TransportContext, store: StateStore, history: History
) -> list[LimitReport]:
    """Return every limit with what is used of it."""
    registry, limits = context.registry, context.registry.limits
    found = [
        ("clients", len(registry.clients), limits.clients, "GATEWAY_MAX_BROWSERS"),
        ("sockets", len(registry), limits.total, "GATEWAY_MAX_CONNECTIONS"),
        *_stages(registry),
        ("pillows", len(store), settings.max_pillows, "GATEWAY_MAX_PILLOWS"),
        ("history, bytes", history.size_bytes, settings.history_bytes, "GATEWAY_HISTORY_BYTES"),
        (
            "followed names, bytes",
            context.dispatcher.subscription_bytes(),
            settings.subscription_bytes,
            "GATEWAY_SUBSCRIPTION_BYTES",
        ),
    ]
    return [
        LimitReport(what, used, None if size >= UNLIMITED else size, setting)
        for what, used, size, setting in found
    ]


def _stages(registry: ConnectionRegistry) -> list[tuple[str, int, int, str]]:
    limits = registry.limits
    requests = registry.count(Stage.REQUEST) + registry.count(Stage.STALLED)
    return [
        (
            "incomplete requests",
            registry.count(Stage.PENDING),
            limits.pending,
            "GATEWAY_MAX_PENDING",
        ),
        ("idle connections", registry.count(Stage.IDLE), limits.idle, "GATEWAY_MAX_IDLE"),
        ("requests at once", requests, limits.requests, "GATEWAY_MAX_REQUESTS"),
    ]
