"""The settings that say which queues a service uses, and how it signs in to them."""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from azure_queue.connection_string import normalize_connection_string
from azure_queue.development_account import connection_string
from runtime.settings import CommonSettings, log_unused_proxies

_QUEUE_NAME: Final = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_DEFAULT_QUEUE: Final = "pillow-state"


def _checked_queue_name(name: str) -> str:
    if not _QUEUE_NAME.fullmatch(name):
        raise ValueError("is no queue name: 3 to 63 of a-z, 0-9 and single hyphens")
    return name


QueueName = Annotated[str, AfterValidator(_checked_queue_name)]
"""A queue name that Azure Queue Storage accepts."""


def _normalized_connection_string(text: SecretStr) -> SecretStr:
    return SecretStr(normalize_connection_string(text.get_secret_value()))


def _checked_endpoint(url: str | None) -> str | None:
    if url is None:
        return None
    if not url.lower().startswith("https://"):
        raise ValueError("is no https:// address; a token must not be sent unencrypted")
    if any(map(str.isspace, url)):
        raise ValueError("contains a blank or a line break")
    if "?" in url or "#" in url or "@" in url:
        raise ValueError(
            "has more than an address; a shared access signature belongs to "
            "AZURE_STORAGE_CONNECTION_STRING"
        )
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError("is no address like https://ACCOUNT.queue.core.windows.net")
    return url.rstrip("/")


class QueueSettings(CommonSettings):
    """The settings of a service that uses the queues."""

    connection_string: Annotated[SecretStr, AfterValidator(_normalized_connection_string)] = Field(
        SecretStr(connection_string()),
        alias="AZURE_STORAGE_CONNECTION_STRING",
        description="The storage account: with a key, or with a shared access signature.",
    )
    endpoint: Annotated[str | None, AfterValidator(_checked_endpoint)] = Field(
        None,
        alias="AZURE_STORAGE_QUEUE_ENDPOINT",
        description="https://ACCOUNT.queue.core.windows.net; when set, DefaultAzureCredential "
        "signs in and the connection string is not used.",
    )
    queue: QueueName = Field(
        _DEFAULT_QUEUE,
        alias="QUEUE_NAME",
        description="The queue pillows put their state on.",
    )
    poison_queue: QueueName = Field(
        "",
        alias="POISON_QUEUE_NAME",
        description="The queue that keeps dead letters; <QUEUE_NAME>-poison unless set.",
    )

    @model_validator(mode="before")
    @classmethod
    def _name_the_poison_queue(cls, given: dict[str, object]) -> dict[str, object]:
        if not given.get("POISON_QUEUE_NAME"):
            queue = given.get("QUEUE_NAME") or _DEFAULT_QUEUE
            given = {**given, "POISON_QUEUE_NAME": f"{queue}-poison"}
        return given

    @model_validator(mode="after")
    def _check_that_the_queues_differ(self) -> "QueueSettings":
        if self.queue == self.poison_queue:
            raise ValueError(f"POISON_QUEUE_NAME = {self.poison_queue!r} is QUEUE_NAME; change one")
        return self

    @classmethod
    def log_ignored(cls) -> None:
        """Log also the variables for a proxy to the internet, which requests do not use."""
        super().log_ignored()
        log_unused_proxies("queue")
