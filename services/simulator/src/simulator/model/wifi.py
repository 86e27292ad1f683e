"""A pillow's Wi-Fi: outages at random times, and reports lost on the air."""

from typing import Final

from simulator.model.config import WifiConfig
from simulator.model.rng import random_unit

# Combined with a pillow's key by XOR, they name other random streams.
_LOSS_STREAM: Final = int.from_bytes(b"radio", "big")
_OUTAGE_STREAM: Final = int.from_bytes(b"links", "big")


class Wifi:
    """The network of one pillow; `next_change_s` is when it becomes available or unavailable."""

    __slots__ = ("_changes", "_config", "_key", "is_up", "next_change_s")

    def __init__(self, config: WifiConfig, key: int) -> None:
        self._config, self._key = config, key
        self._changes = 0
        self.is_up = True
        self.next_change_s = self._next_outage_s(0.0)

    def change(self, now_s: float) -> bool:
        """Change the availability; return the new one."""
        self.is_up = not self.is_up
        self.next_change_s = self._next_outage_s(now_s) if self.is_up else self._recovery_s(now_s)
        return self.is_up

    def loses(self, seq: int) -> bool:
        """Return whether the report with this number is lost on the air."""
        return random_unit(self._key ^ _LOSS_STREAM, seq) < self._config.loss

    def _next_outage_s(self, now_s: float) -> float:
        every_s = self._config.drops_every_s
        if every_s == float("inf"):
            return every_s
        return round(now_s + every_s * (0.3 + 1.4 * self._random()), 3)

    def _recovery_s(self, now_s: float) -> float:
        low, high = self._config.outage_s
        return round(now_s + low + (high - low) * self._random(), 3)

    def _random(self) -> float:
        self._changes += 1
        return random_unit(self._key ^ _OUTAGE_STREAM, self._changes)
