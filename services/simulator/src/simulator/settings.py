"""The simulator's settings."""

import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from azure_queue.settings import QueueSettings
from runtime.broker_url import BrokerAddress
from simulator.scenario.library import built_in_names, is_path

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_USER: Final = "simulator"

TargetName = Literal["queue", "mqtt", "stdout"]


def _checked_scenario(name: str) -> str:
    if is_path(name):
        if not Path(name).is_file():
            raise ValueError("is not a file")
    elif name not in built_in_names():
        near = get_close_matches(name, built_in_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(built_in_names())}"
        raise ValueError(f"is not a scenario; {hint}, or the path of a .toml file")
    return name


def _development_password() -> str | None:
    """Return the password that this repository's broker has made for the simulator, if it has."""
    path = Path(sys.prefix).parent / ".devstack" / "credentials" / _USER / "password"
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


class SimulatorSettings(QueueSettings):
    """The simulator's own settings and those of every service."""

    target: TargetName | None = Field(
        None,
        alias="SIMULATOR_TARGET",
        description="Where the states are sent: queue (Azure Storage Queue), mqtt or stdout; "
        "unless set, the scenario's target, else queue.",
    )
    pillows: int | None = Field(
        None,
        alias="SIMULATOR_PILLOWS",
        ge=1,
        le=1_000_000,
        description="Number of pillows; unless set, that of the scenario: 3 in day, named cloud-1, "
        "cloud-2 and cloud-3.",
    )
    seed: int | None = Field(
        None,
        alias="SIMULATOR_SEED",
        ge=0,
        lt=2**63,
        description="An integer; the same seed gives the same states on every machine. Unless "
        "set, the scenario's seed, else a random one, which is logged.",
    )
    rate: float | None = Field(
        None,
        alias="SIMULATOR_RATE",
        gt=0,
        le=1000,
        description="Reports per second of each pillow; unless set, that of the scenario: 1 in "
        "day.",
    )
    scenario: Annotated[str, AfterValidator(_checked_scenario)] = Field(
        "day",
        alias="SIMULATOR_SCENARIO",
        description="The scenario: a name that `simulator list` shows, or the path of a .toml "
        "file.",
    )
    host: str = Field(
        "127.0.0.1",
        alias="SIMULATOR_HOST",
        description="The address of health and metrics, where SIMULATOR_PORT is set.",
    )
    port: int | None = Field(
        None,
        alias="SIMULATOR_PORT",
        ge=0,
        le=65535,
        description="The port of health and metrics of `simulator run`; 0 for any free one. Unless "
        "set, there is none.",
    )

    @property
    def broker(self) -> BrokerAddress:
        """The broker's address.

        On loopback, without a user in it, with the user of `scripts/dev` where that has run.
        """
        address = super().broker
        if address.user is not None or address.host not in _LOOPBACK:
            return address
        password = _development_password()
        return replace(address, user=_USER, password=password) if password else address
