"""The account that the settings name: how it signs in, and settings that name none."""

import pytest
from pydantic import SecretStr

from azure_queue.account import StorageAccount
from azure_queue.errors import QueueDenied
from azure_queue.settings import QueueSettings


@pytest.mark.parametrize(
    "connection_string",
    [
        "nonsense",
        "AccountName=a",
        "UseDevelopmentStorage=True",
        "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1",
    ],
)
def test_a_malformed_connection_string_is_denied_with_the_setting_to_check(
    connection_string: str,
) -> None:
    """Before a request is sent."""
    settings = QueueSettings.load(AZURE_STORAGE_CONNECTION_STRING=SecretStr(connection_string))

    with pytest.raises(QueueDenied, match="AZURE_STORAGE_CONNECTION_STRING cannot be used"):
        StorageAccount(settings).queue("some-queue")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {
            "AZURE_STORAGE_CONNECTION_STRING": SecretStr(
                "QueueEndpoint=https://a.example;SharedAccessSignature=sv=2&sig=x"
            )
        },
        {"AZURE_STORAGE_QUEUE_ENDPOINT": "https://a.queue.core.windows.net"},
    ],
    ids=["key", "shared access signature", "identity"],
)
async def test_a_key_a_signature_and_an_identity_each_open_a_queue(
    settings: dict[str, object],
) -> None:
    """No request is sent to open one."""
    async with (
        StorageAccount(QueueSettings.load(**settings)) as account,
        account.queue("some-queue") as queue,
    ):
        assert queue.name == "some-queue"
