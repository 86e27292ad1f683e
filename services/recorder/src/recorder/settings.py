"""The settings of the recorder."""

from pydantic import Field

from history.database import HistoryUrl
from history.settings import HistorySettings
from runtime.settings import SettingsError


class RecorderSettings(HistorySettings):
    """The recorder's settings, beside those of every service."""

    keep_days: float = Field(
        30,
        alias="RECORDER_KEEP_DAYS",
        gt=0,
        le=36500,
        description="How many days states are kept.",
    )
    keep_bytes: int = Field(
        4_294_967_296,
        alias="RECORDER_KEEP_BYTES",
        ge=1_048_576,
        description="The most bytes of the database, about; the oldest states are deleted above "
        "it.",
    )
    buffer_bytes: int = Field(
        67_108_864,
        alias="RECORDER_BUFFER_BYTES",
        ge=65_536,
        description="The most bytes of states that wait while the database is away or slow; those "
        "that come above it are not recorded, and counted.",
    )
    max_pillows: int = Field(
        100_000,
        alias="RECORDER_MAX_PILLOWS",
        ge=1,
        description="The limit of pillows in the database; further ones are not recorded, and "
        "counted.",
    )
    host: str = Field(
        "127.0.0.1", alias="RECORDER_HOST", description="The address of health and metrics."
    )
    port: int = Field(
        8084,
        alias="RECORDER_PORT",
        ge=0,
        le=65535,
        description="The port of health and metrics; 0 for any free one.",
    )

    @property
    def database(self) -> HistoryUrl:
        """The database's checked URL; raises SettingsError where there is none."""
        history = self.history
        if history is None:
            raise SettingsError(
                "HISTORY_URL is not set: it names the database, such as "
                "sqlite:////var/lib/pillowcast/history.db"
            )
        return history


def load_settings(**given: object) -> RecorderSettings:
    """Read the environment as `load` does; raises SettingsError also where there is no database."""
    settings = RecorderSettings.load(**given)
    _ = settings.database
    return settings
