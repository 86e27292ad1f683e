"""Sightings: one state at each place that it passes, put together to a row. Pure.

Hops are in the queue's time; arrivals are of this machine's monotonic clock, and become comparable
by `offset_ms`, the queue's time minus that clock, where it is known.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

import msgspec

MAX_OPEN: Final = 10_000
"""How many states may wait for their WebSocket copy."""


class Hops(msgspec.Struct, frozen=True):
    """When a state was queued, polled and published, in Unix milliseconds of the queue's time."""

    queued: int | None = None
    polled: int | None = None
    published: int | None = None


class Seen(msgspec.Struct, frozen=True):
    """What a row needs of a state."""

    pillow: str
    state: str
    at: str = ""
    seq: int = 0
    hops: Hops = Hops()

    @property
    def key(self) -> tuple[str, str, int, int | None]:
        """What tells it from every other state, and a repeated one from itself."""
        return self.pillow, self.at, self.seq, self.hops.published


class Row(msgspec.Struct, frozen=True):
    """One state, and how long each hop took in milliseconds; None where it is not known.

    `waited` is on the queue, `published` from the poll to the publication, `mqtt` from there to
    this machine, `websocket` from its arrival by MQTT to that by the gateway (it may be negative).
    """

    pillow: str
    state: str
    at: str
    waited_ms: int | None
    published_ms: int | None
    mqtt_ms: int | None
    websocket_ms: int | None


class _Open:
    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.mqtt_ms: float | None = None
        self.web_ms: float | None = None

    @property
    def first_ms(self) -> float:
        return min(one for one in (self.mqtt_ms, self.web_ms) if one is not None)


class Sightings:
    """The states that were seen at one place and are awaited at the other."""

    def __init__(self, wait_ms: float = 1500) -> None:
        self._wait_ms = wait_ms
        self._open: OrderedDict[tuple[str, str, int, int | None], _Open] = OrderedDict()

    def by_mqtt(self, seen: Seen, now_ms: float, offset_ms: float | None) -> Row | None:
        """Note an arrival by MQTT; return the row if it is complete with it."""
        found = self._find(seen)
        found.mqtt_ms = now_ms if found.mqtt_ms is None else found.mqtt_ms
        return self._row_if_complete(found, offset_ms)

    def by_web(self, seen: Seen, now_ms: float, offset_ms: float | None) -> Row | None:
        """Note an arrival by the gateway; return the row if it is complete with it."""
        found = self._find(seen)
        found.web_ms = now_ms if found.web_ms is None else found.web_ms
        return self._row_if_complete(found, offset_ms)

    def overdue(self, now_ms: float, offset_ms: float | None) -> Iterator[Row]:
        """Yield the rows that are not waited for any longer."""
        for found in list(self._open.values()):
            if found.first_ms + self._wait_ms <= now_ms or len(self._open) > MAX_OPEN:
                del self._open[found.seen.key]
                yield _row(found, offset_ms)

    def _find(self, seen: Seen) -> _Open:
        found = self._open.get(seen.key)
        if found is None:
            found = self._open[seen.key] = _Open(seen)
        return found

    def _row_if_complete(self, found: _Open, offset_ms: float | None) -> Row | None:
        if found.mqtt_ms is None or found.web_ms is None:
            return None
        del self._open[found.seen.key]
        return _row(found, offset_ms)


def _row(found: _Open, offset_ms: float | None) -> Row:
    hops, mqtt_ms, web_ms = found.seen.hops, found.mqtt_ms, found.web_ms
    travelled = None
    if mqtt_ms is not None and offset_ms is not None and hops.published is not None:
        travelled = max(0, round(mqtt_ms + offset_ms - hops.published))
    return Row(
        found.seen.pillow,
        found.seen.state,
        found.seen.at,
        _difference(hops.polled, hops.queued),
        _difference(hops.published, hops.polled),
        travelled,
        None if mqtt_ms is None or web_ms is None else round(web_ms - mqtt_ms),
    )


def _difference(later: int | None, earlier: int | None) -> int | None:
    return None if later is None or earlier is None else max(0, later - earlier)


_SEEN: Final = msgspec.json.Decoder(Seen)


def decode_seen(payload: bytes) -> Seen | None:
    """Return what a row needs of a state's JSON; None if it is none."""
    try:
        return _SEEN.decode(payload)
    except msgspec.MsgspecError:
        return None
