"""Where the queue of states is: what the poller and the simulator are both told."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from runtime.settings import CommonSettings

DEVELOPMENT_ACCOUNT: Final = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)
"""Azurite's account on this machine; its key is public, the same everywhere, and documented."""

_QUEUE_NAME: Final = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")


def _checked_queue_name(name: str) -> str:
    if not _QUEUE_NAME.fullmatch(name):
        raise ValueError("is no queue name: 3 to 63 of a-z, 0-9 and single hyphens")
    return name


QueueName = Annotated[str, AfterValidator(_checked_queue_name)]
"""The name of a queue, as Azure Queue Storage takes it."""


class StorageSettings(CommonSettings):
    """The settings of a service that talks to the queue."""

    connection_string: SecretStr = Field(
        SecretStr(DEVELOPMENT_ACCOUNT),
        alias="AZURE_STORAGE_CONNECTION_STRING",
        description="The storage account: with a key, or with a shared access signature.",
    )
    queue: QueueName = Field(
        "pillow-state", alias="QUEUE_NAME", description="The queue pillows put their state on."
    )
