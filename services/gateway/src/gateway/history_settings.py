"""The setting of the recorder's database."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from gateway.auth.settings import AuthSettings
from history.database import HistoryUrl


def _checked_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None:
        HistoryUrl.parse(url.get_secret_value())
    return url


class HistorySettings(AuthSettings):
    """Where past states are read, beside who may look."""

    history_url: Annotated[SecretStr | None, AfterValidator(_checked_url)] = Field(
        None,
        alias="HISTORY_URL",
        description="The database of the history: sqlite:////folder/history.db, or "
        "postgresql://user:password@host/database. The recorder needs it, and writes it. The "
        "gateway only reads it; without it, the history is what is still in memory.",
    )

    @property
    def history(self) -> HistoryUrl | None:
        """The database's checked URL."""
        url = self.history_url
        return None if url is None else HistoryUrl.parse(url.get_secret_value())
