"""Each limit of sockets is a metric, and so is what counts against it."""

from gateway.metrics import GatewayMetrics
from gateway.transport.connection_limits import ConnectionLimits
from gateway.transport.connections import ConnectionRegistry, Stage
from gateway.transport.limit_use import observe_limits


class Socket:
    """A connection that nothing happens to."""

    def shutdown(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""


def test_a_scrape_has_the_use_of_that_moment() -> None:
    """A stalled response counts as a request, and every socket against the total."""
    metrics = GatewayMetrics()
    registry = ConnectionRegistry(metrics, ConnectionLimits(total=20, clients=10, requests=5))
    observe_limits(registry, metrics)

    def used(limit: str) -> float | None:
        name = "pillowcast_gateway_connection_limit_used"
        return metrics.registry.get_sample_value(name, {"limit": limit})

    sockets = [Socket() for _ in range(4)]
    for one in sockets:
        registry.accept(one)
    registry.move(sockets[0], Stage.PENDING, Stage.REQUEST)
    registry.move(sockets[1], Stage.PENDING, Stage.STALLED)
    registry.move(sockets[2], Stage.PENDING, Stage.IDLE)

    limits = ("total", "clients", "pending", "idle", "requests")
    assert [used(limit) for limit in limits] == [4, 0, 1, 1, 2]
    name, labels = "pillowcast_gateway_connection_limit", {"limit": "clients"}
    assert metrics.registry.get_sample_value(name, labels) == 10
