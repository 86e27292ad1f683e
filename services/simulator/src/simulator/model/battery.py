"""A pillow's battery: it discharges, and is charged when it is nearly empty."""

from typing import Final

from simulator.model.config import BatteryConfig
from simulator.model.rng import Rng

_LOW: Final = 0.12
"""The charge at which somebody puts the pillow on the charger."""

_REPORT_COST: Final = 5e-6
"""Share of a full battery that one report costs. At one report a second this adds a tenth to the
consumption of the computer itself."""


class Battery:
    """The charge of one battery, from 0 to 1."""

    __slots__ = ("_charge", "_config", "_is_charging", "_updated_s")

    def __init__(self, config: BatteryConfig, rng: Rng) -> None:
        self._config = config
        # Drawn in any case, so that an initial charge changes nothing else of the pillow.
        random_charge = rng.uniform(0.3, 1.0)
        self._charge = config.initial if config.initial is not None else random_charge
        self._updated_s = 0.0
        self._is_charging = False

    def report(self, now_s: float) -> float:
        """Account for a report and the time since the last one; return the charge."""
        elapsed_s, self._updated_s = now_s - self._updated_s, now_s
        charge = self._charge
        if self._is_charging:
            charge += elapsed_s / self._config.charges_s
            if charge >= 1:
                charge, self._is_charging = 1.0, False
        else:
            charge -= elapsed_s / self._config.lasts_s + _REPORT_COST
            if charge <= _LOW:
                charge, self._is_charging = max(0.0, charge), True
        self._charge = charge
        return charge
