"""Lanes: the deliveries that wait, in order, a lane a destination. Pure."""

from collections import OrderedDict
from collections.abc import Iterable

from notifier.outbox.delivery import Delivery


class Lanes:
    """At most `limit` deliveries a lane, each once."""

    def __init__(self, destinations: Iterable[str], limit: int) -> None:
        self._limit = limit
        self._lanes: dict[str, OrderedDict[str, Delivery]] = {
            name: OrderedDict() for name in destinations
        }

    def __contains__(self, key: tuple[str, str]) -> bool:
        destination, event_id = key
        return event_id in self._lanes.get(destination, ())

    def count(self, destination: str) -> int:
        """Return how many wait for a destination."""
        return len(self._lanes[destination])

    def add(self, delivery: Delivery) -> Delivery | None:
        """Add a delivery behind the others; returns the one that has no place any more."""
        lane = self._lanes[delivery.destination]
        assert delivery.event.id not in lane, f"{delivery.key} waits already"
        lane[delivery.event.id] = delivery
        return lane.popitem(last=False)[1] if len(lane) > self._limit else None

    def first(self, destination: str) -> Delivery | None:
        """Return the delivery that is next; it stays where it is."""
        lane = self._lanes[destination]
        return next(iter(lane.values())) if lane else None

    def remove(self, delivery: Delivery) -> bool:
        """Remove a delivery; returns whether it was there still."""
        lane = self._lanes[delivery.destination]
        if lane.get(delivery.event.id) is not delivery:
            return False
        del lane[delivery.event.id]
        return True
