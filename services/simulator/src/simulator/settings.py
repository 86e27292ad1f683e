"""What the simulator can be told."""

import secrets
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from runtime.storage import StorageSettings
from simulator.scenario import SCENARIOS

TargetName = Literal["queue", "mqtt", "stdout"]


def _checked_scenario(name: str) -> str:
    if name not in SCENARIOS:
        raise ValueError(f"is no scenario; there are {', '.join(SCENARIOS)}")
    return name


def _random_seed() -> int:
    # Short enough to be read out and typed again.
    return secrets.randbelow(1_000_000)


class SimulatorSettings(StorageSettings):
    """The simulator's own settings and those of every service."""

    target: TargetName = Field(
        "queue",
        alias="SIMULATOR_TARGET",
        description="Where the states go: queue (Azure Storage Queue), mqtt or stdout.",
    )
    pillows: int = Field(
        3,
        alias="SIMULATOR_PILLOWS",
        ge=1,
        le=10_000,
        description="How many pillows there are; they are called cloud-1, cloud-2 and so on.",
    )
    seed: int = Field(
        default_factory=_random_seed,
        alias="SIMULATOR_SEED",
        ge=0,
        lt=2**63,
        description="A whole number; the same seed gives the same states on every machine. "
        "Random and printed unless set.",
    )
    rate: float = Field(
        1.0,
        alias="SIMULATOR_RATE",
        gt=0,
        le=1000,
        description="How many states a second each pillow reports.",
    )
    scenario: Annotated[str, AfterValidator(_checked_scenario)] = Field(
        "day",
        alias="SIMULATOR_SCENARIO",
        description=f"What happens to the pillows: {' or '.join(SCENARIOS)}.",
    )
    queue_endpoint: str | None = Field(
        None,
        alias="AZURE_STORAGE_QUEUE_ENDPOINT",
        pattern=r"^https://",
        description="The account's queue endpoint, https://…; when set, DefaultAzureCredential "
        "signs in and the connection string is not used.",
    )
