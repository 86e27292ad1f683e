"""What the poller can be told."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from contract.topics import is_pillow_id
from runtime.queue_settings import QueueName, StorageSettings


def _checked_pillow(name: str) -> str:
    if not is_pillow_id(name):
        raise ValueError("is no pillow id: a-z, 0-9 and hyphens, at most 63, not 'bridge'")
    return name


class PollerSettings(StorageSettings):
    """The poller's settings."""

    endpoint: str | None = Field(
        None,
        alias="AZURE_STORAGE_QUEUE_ENDPOINT",
        description="https://ACCOUNT.queue.core.windows.net; when set, DefaultAzureCredential "
        "signs in and the connection string is not used.",
    )
    poison_queue: QueueName = Field(
        "",
        alias="POISON_QUEUE_NAME",
        description="The queue that keeps dead letters; <QUEUE_NAME>-poison unless set.",
    )
    max_attempts: int = Field(
        5,
        alias="POLLER_MAX_ATTEMPTS",
        ge=1,
        le=1000,
        description="How often a message may be received before it is a dead letter.",
    )
    visibility_timeout: int = Field(
        30,
        alias="POLLER_VISIBILITY_TIMEOUT",
        ge=2,
        le=604800,
        description="Seconds a received message stays hidden; renewed at half time while in hand.",
    )
    poll_min: float = Field(
        0.01,
        alias="POLLER_POLL_MIN",
        ge=0.01,
        le=60,
        description="Seconds to the next poll when a queue that had messages has none; then twice "
        "as many each time.",
    )
    poll_max: float = Field(
        2,
        alias="POLLER_POLL_MAX",
        ge=0.01,
        le=600,
        description="Seconds between polls of a queue that has been empty for long.",
    )
    poll_hot: float = Field(
        5,
        alias="POLLER_POLL_HOT",
        ge=0,
        le=3600,
        description="Seconds after a message for which the pause stays at most 0.1 s (or "
        "POLLER_POLL_MIN, if that is more).",
    )
    newest_only: bool = Field(
        False,
        alias="POLLER_NEWEST_ONLY",
        description="Whether, of a pillow's states that wait together, only the newest is "
        "published; the others count as superseded.",
    )
    default_pillow: Annotated[str, AfterValidator(_checked_pillow)] = Field(
        "cloud",
        alias="POLLER_DEFAULT_PILLOW",
        description="Whose state a message is that carries no id.",
    )
    host: str = Field(
        "127.0.0.1", alias="POLLER_HOST", description="The address for health and metrics."
    )
    port: int = Field(8081, alias="POLLER_PORT", ge=0, le=65535, description="Its port; 0 for any.")

    @model_validator(mode="before")
    @classmethod
    def _poison_beside_queue(cls, given: dict[str, object]) -> dict[str, object]:
        if not given.get("POISON_QUEUE_NAME"):
            queue = given.get("QUEUE_NAME") or "pillow-state"
            given = {**given, "POISON_QUEUE_NAME": f"{queue}-poison"}
        return given

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> "PollerSettings":
        if self.poll_min > self.poll_max:
            raise ValueError(
                f"POLLER_POLL_MIN = {self.poll_min:g} is above POLLER_POLL_MAX = {self.poll_max:g}"
            )
        if self.queue == self.poison_queue:
            raise ValueError(f"POISON_QUEUE_NAME = {self.poison_queue!r} is QUEUE_NAME; change one")
        return self
