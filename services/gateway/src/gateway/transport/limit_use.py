"""Limit use: each limit of accepted sockets as a metric, beside what counts against it."""

from gateway.metrics import GatewayMetrics
from gateway.transport.connections import ConnectionRegistry, Stage


def observe_limits(registry: ConnectionRegistry, metrics: GatewayMetrics) -> None:
    """Show the limits, and what counts against them at the time of a scrape."""
    answering = (Stage.REQUEST, Stage.STALLED)
    for name, used in {
        "total": registry.__len__,
        "clients": registry.clients.__len__,
        "pending": lambda: registry.count(Stage.PENDING),
        "idle": lambda: registry.count(Stage.IDLE),
        "requests": lambda: sum(map(registry.count, answering)),
    }.items():
        metrics.connection_limit.labels(name).set(getattr(registry.limits, name))
        metrics.connection_limit_used.labels(name).set_function(used)
