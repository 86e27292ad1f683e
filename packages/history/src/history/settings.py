"""The setting of the database, which the recorder and the gateway have in common."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, SecretStr

from runtime.settings import CommonSettings

if TYPE_CHECKING:
    from history.database import HistoryUrl


def _parsed(url: SecretStr) -> "HistoryUrl":
    # Imported here, because a gateway without a database does not need the library.
    from history.database import HistoryUrl

    return HistoryUrl.parse(url.get_secret_value())


def _checked(url: SecretStr | None) -> SecretStr | None:
    if url is not None:
        _parsed(url)
    return url


class HistorySettings(CommonSettings):
    """The settings of a service that uses the history."""

    history_url: Annotated[SecretStr | None, AfterValidator(_checked)] = Field(
        None,
        alias="HISTORY_URL",
        description="The database of the history: sqlite:////folder/history.db, or "
        "postgresql://user:password@host/database. The recorder needs it, and writes it. The "
        "gateway only reads it; without it, the history is what is still in memory.",
    )

    @cached_property
    def history(self) -> "HistoryUrl | None":
        """The database's checked URL."""
        return None if self.history_url is None else _parsed(self.history_url)
