"""The settings of the notifier."""

from pathlib import Path

from pydantic import Field

from runtime.settings import CommonSettings


class NotifierSettings(CommonSettings):
    """The notifier's settings, beside those of every service."""

    rules: Path = Field(
        Path("notifier.toml"),
        alias="NOTIFIER_RULES",
        description="The file with the rules and the destinations (TOML); docs/webhooks.md "
        "describes it.",
    )
    outbox: Path = Field(
        Path("notifier.db"),
        alias="NOTIFIER_OUTBOX",
        description="The file (SQLite) that keeps events until they are delivered, and dead "
        "letters; its folder has to exist.",
    )
    max_waiting: int = Field(
        1000,
        alias="NOTIFIER_MAX_WAITING",
        ge=1,
        le=100_000,
        description="The limit of events that wait for one destination; above it the oldest "
        "becomes a dead letter.",
    )
    max_dead_letters: int = Field(
        1000,
        alias="NOTIFIER_MAX_DEAD_LETTERS",
        ge=0,
        le=1_000_000,
        description="The limit of dead letters; above it the oldest is deleted.",
    )
    max_pillows: int = Field(
        100000,
        alias="NOTIFIER_MAX_PILLOWS",
        ge=1,
        description="The limit of pillows that are known; above it the one that has been silent "
        "for longest is forgotten.",
    )
    host: str = Field(
        "127.0.0.1", alias="NOTIFIER_HOST", description="The address of health and metrics."
    )
    port: int = Field(
        8083,
        alias="NOTIFIER_PORT",
        ge=0,
        le=65535,
        description="The port of health and metrics; 0 for any free one.",
    )
