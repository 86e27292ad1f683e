"""What the pillows of one group have in common, as numbers."""

from dataclasses import dataclass
from typing import Literal

from simulator.model.rng import random_unit
from simulator.model.visitors import Range, VisitorProfile


@dataclass(frozen=True, slots=True)
class WifiConfig:
    """A pillow's Wi-Fi: share of lost reports, mean time between outages, length of an outage."""

    loss: float = 0.0
    drops_every_s: float = float("inf")
    outage_s: Range = (5, 20)


@dataclass(frozen=True, slots=True)
class BatteryConfig:
    """A pillow's battery: its charge at the start (None: random), run time and charging time."""

    initial: float | None = None
    lasts_s: float = 5.5 * 3600
    charges_s: float = 1.5 * 3600


@dataclass(frozen=True, slots=True)
class ScheduledGesture:
    """A gesture that the scenario orders for the pillows `numbers` of a group; None means all.

    It begins up to `spread_s` after `at_s`, and again every `every_s`, `times` times in all.
    """

    numbers: frozenset[int] | None
    gesture: str
    at_s: float
    spread_s: float = 0.0
    duration_s: Range | None = None
    every_s: float | None = None
    times: int | None = None

    def begins_s(self, key: int, repetition: int) -> float:
        """Return when the given repetition, from 0, begins for the pillow with this key."""
        offset_s = repetition * (self.every_s or 0) + self.spread_s * random_unit(key, repetition)
        return round(self.at_s + offset_s, 3)


@dataclass(frozen=True, slots=True)
class GroupConfig:
    """Configuration of a group's pillows.

    `start_hour` is the hour of the day at the start, `fields` are additional fields of each report
    as JSON, `clock_s` is how far the pillows' clocks are ahead, in seconds.
    """

    name: str
    every_s: float = 1.0
    start_hour: float = 12.0
    visitors: VisitorProfile | None = None
    first_visit_s: Range | None = None
    sample_hz: int = 25
    motion: Literal["moving", "always", "never"] = "moving"
    wifi: WifiConfig = WifiConfig()
    battery: BatteryConfig = BatteryConfig()
    schedule: tuple[ScheduledGesture, ...] = ()
    dialect: Literal["json", "base64", "word", "tuple"] = "json"
    fields: tuple[tuple[str, bytes], ...] = ()
    clock_s: float = 0.0
