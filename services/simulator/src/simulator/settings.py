"""What the simulator can be told."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from azure_queue.settings import QueueSettings
from runtime.broker_url import BrokerAddress
from simulator.scenario.library import is_file, shipped

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")

TargetName = Literal["queue", "mqtt", "stdout"]


def _checked_scenario(name: str) -> str:
    if is_file(name):
        if not Path(name).is_file():
            raise ValueError("is no file")
    elif name not in shipped():
        near = get_close_matches(name, shipped(), n=1)
        meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(shipped())}"
        raise ValueError(f"is no scenario{meant}, or the path of a .toml file")
    return name


class SimulatorSettings(QueueSettings):
    """The simulator's own settings and those of every service."""

    target: TargetName | None = Field(
        None,
        alias="SIMULATOR_TARGET",
        description="Where the states go: queue (Azure Storage Queue), mqtt or stdout. Unless set, "
        "where the scenario says, or else to the queue.",
    )
    pillows: int | None = Field(
        None,
        alias="SIMULATOR_PILLOWS",
        ge=1,
        le=1_000_000,
        description="How many pillows there are; unless set, as many as the scenario says: 3 in "
        "day, called cloud-1, cloud-2 and cloud-3.",
    )
    seed: int | None = Field(
        None,
        alias="SIMULATOR_SEED",
        ge=0,
        lt=2**63,
        description="A whole number; the same seed gives the same states on every machine. "
        "Unless set, the scenario's own, or else drawn and printed.",
    )
    rate: float | None = Field(
        None,
        alias="SIMULATOR_RATE",
        gt=0,
        le=1000,
        description="How many states a second each pillow reports; unless set, as the scenario "
        "says: 1 in day.",
    )
    scenario: Annotated[str, AfterValidator(_checked_scenario)] = Field(
        "day",
        alias="SIMULATOR_SCENARIO",
        description="What happens: a name that `simulator list` shows, or the path of a .toml "
        "file.",
    )

    @property
    def broker(self) -> BrokerAddress:
        """The broker's address; on this machine, without a user in it, the development user's."""
        address = super().broker
        if address.user is None and address.host in _THIS_MACHINE:
            return replace(address, user="simulator", password="simulator")  # noqa: S106 - public
        return address
