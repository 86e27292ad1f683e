"""The setting of the names that people give to pillows."""

from pathlib import Path

from pydantic import Field

from runtime.settings import CommonSettings


class LabelsSettings(CommonSettings):
    """Where the names are."""

    labels_file: Path | None = Field(
        None,
        alias="GATEWAY_LABELS_FILE",
        description="A file with names for pillows, TOML or JSON, that the page shows beside "
        'their ids: cloud-1 = "Grandma\'s cloud". It is read again when it changes.',
    )
