"""The settings of the poller."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from azure_queue.settings import QueueSettings
from contract.topics import is_pillow_id, is_topic_prefix
from runtime.tracing.settings import TracingSettings

UNKNOWN_POLL_MAX_S: Final = 2.0
"""POLLER_POLL_MAX where no gateway says how many clients it has, unless it is set: somebody may
look whom nobody counts, with mosquitto_sub or through an older gateway."""


def _checked_pillow(name: str) -> str:
    if not is_pillow_id(name):
        raise ValueError(
            "is no pillow id: use a-z, 0-9 and hyphens, at most 63 characters, and not 'bridge'"
        )
    return name


def _checked_prefix(text: str) -> str:
    if not is_topic_prefix(text):
        raise ValueError("is no topic prefix: use levels without + and #, like homeassistant")
    return text


class PollerSettings(QueueSettings, TracingSettings):
    """The poller's settings, beside those of every service and of the queues."""

    max_attempts: int = Field(
        5,
        alias="POLLER_MAX_ATTEMPTS",
        ge=1,
        le=1000,
        description="How often a message may be received; after that it is a dead letter.",
    )
    visibility_timeout: int = Field(
        30,
        alias="POLLER_VISIBILITY_TIMEOUT",
        ge=2,
        le=604800,
        description="The length of a message's lease in seconds; renewed at half its length.",
    )
    poll_min: float = Field(
        0.01,
        alias="POLLER_POLL_MIN",
        ge=0.01,
        le=60,
        description="Seconds until the next poll after an empty one; doubled after each, up to "
        "POLLER_POLL_MAX.",
    )
    poll_watched: float = Field(
        0.1,
        alias="POLLER_POLL_WATCHED",
        ge=0.01,
        le=60,
        description="The most seconds between two polls of an empty queue while a gateway has "
        "clients (or POLLER_POLL_MIN, if that is more).",
    )
    poll_max: float = Field(
        10,
        alias="POLLER_POLL_MAX",
        ge=0.01,
        le=600,
        description="The most seconds between two polls while no gateway has clients. Unless it "
        "is set, it is 2 where no gateway says how many it has.",
    )
    poll_hot: float = Field(
        5,
        alias="POLLER_POLL_HOT",
        ge=0,
        le=3600,
        description="Seconds after a message during which polls are at most 0.1 s apart (or "
        "POLLER_POLL_MIN, if that is more), unless it is known that no gateway has clients.",
    )
    newest_only: bool = Field(
        False,
        alias="POLLER_NEWEST_ONLY",
        description="Whether only the newest of a pillow's waiting states is published; the "
        "others count as superseded.",
    )
    takeover_after: float = Field(
        3,
        alias="POLLER_TAKEOVER_AFTER",
        ge=0,
        le=60,
        description="Seconds without a sign of the poller that receives, after which another one "
        "of the queue does; 1 at least, or 0: every poller receives, and a pillow's states may be "
        "superseded. Not with POLLER_NEWEST_ONLY, where every poller receives.",
    )
    default_pillow: Annotated[str, AfterValidator(_checked_pillow)] = Field(
        "cloud",
        alias="POLLER_DEFAULT_PILLOW",
        description="The pillow id for messages without one.",
    )
    journal: Path | None = Field(
        None,
        alias="POLLER_JOURNAL",
        description="The folder of the journal, which keeps the last state of each pillow on disk "
        "so that a power cut loses none; several pollers can share it. Without it there is none.",
    )
    max_pillows: int = Field(
        100000,
        alias="POLLER_MAX_PILLOWS",
        ge=1,
        description="The limit of pillows whose newest states are remembered; above it the one "
        "that has been silent for longest is forgotten.",
    )
    offline_after: float = Field(
        60,
        alias="POLLER_OFFLINE_AFTER",
        ge=0,
        le=604800,
        description="Seconds of silence after which a pillow that comes by the queue is `offline` "
        "on MQTT: at least POLLER_POLL_MAX, and twice that unless it is set. 0: nothing is said.",
    )
    home_assistant_prefix: Annotated[str, AfterValidator(_checked_prefix)] | None = Field(
        None,
        alias="POLLER_HOME_ASSISTANT_PREFIX",
        description="Home Assistant's discovery prefix, which is `homeassistant` unless it was "
        "changed there: each pillow appears there as a device. Unless it is set, none does.",
    )
    home_assistant_max_pillows: int = Field(
        1000,
        alias="POLLER_HOME_ASSISTANT_MAX_PILLOWS",
        ge=1,
        description="The limit of pillows that appear in Home Assistant.",
    )
    host: str = Field(
        "127.0.0.1", alias="POLLER_HOST", description="The address of health and metrics."
    )
    port: int = Field(
        8081,
        alias="POLLER_PORT",
        ge=0,
        le=65535,
        description="The port of health and metrics; 0 for any free one.",
    )

    @property
    def silence_s(self) -> float:
        """POLLER_OFFLINE_AFTER, or more where a message may wait for long before it is polled."""
        if "offline_after" in self.model_fields_set:
            return self.offline_after
        return max(self.offline_after, 2 * self.poll_max)

    @property
    def poll_unknown(self) -> float:
        """The most seconds between two polls where no gateway says how many clients it has."""
        if "poll_max" in self.model_fields_set:
            return self.poll_max
        return min(self.poll_max, UNKNOWN_POLL_MAX_S)

    @property
    def is_coordinated(self) -> bool:
        """Whether one of the queue's pollers receives, and the others stand by."""
        return bool(self.takeover_after) and not self.newest_only

    @model_validator(mode="after")
    def _check_combinations(self) -> "PollerSettings":
        if self.poll_min > self.poll_max:
            raise ValueError(
                f"POLLER_POLL_MIN = {self.poll_min:g} is above POLLER_POLL_MAX = {self.poll_max:g}"
            )
        if 0 < self.takeover_after < 1:
            raise ValueError(
                f"POLLER_TAKEOVER_AFTER = {self.takeover_after:g} is neither 0 nor 1 at least"
            )
        if 0 < self.silence_s < self.poll_max:
            raise ValueError(
                f"POLLER_OFFLINE_AFTER = {self.offline_after:g} is below POLLER_POLL_MAX = "
                f"{self.poll_max:g}: messages may wait for longer than that on the queue"
            )
        return self
