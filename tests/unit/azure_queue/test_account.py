"""The account that the settings name: how it signs in, and settings that name none."""

import time

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from pydantic import SecretStr

from azure_queue.account import StorageAccount
from azure_queue.errors import QueueDenied, QueueUnavailable
from azure_queue.settings import QueueSettings
from devstack import ports
from runtime.settings import SettingsError


@pytest.mark.parametrize(
    "connection_string",
    [
        "nonsense",
        "AccountName=a",
        "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1",
    ],
)
def test_a_malformed_connection_string_is_an_error_of_its_setting(
    connection_string: str,
) -> None:
    """Before a request is sent."""
    with pytest.raises(SettingsError, match="AZURE_STORAGE_CONNECTION_STRING"):
        QueueSettings.load(AZURE_STORAGE_CONNECTION_STRING=SecretStr(connection_string))


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


def test_an_invalid_variable_of_the_identity_is_denied_with_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK reads it when the credential is made."""
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "http://plain.example")
    settings = QueueSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT="https://a.queue.core.windows.net")

    with pytest.raises(QueueDenied, match=r"_ENDPOINT cannot be used: 'http://plain\.example' is"):
        StorageAccount(settings)


class CountingIdentity(AsyncTokenCredential):
    """Counts how often it is asked for a token."""

    def __init__(self) -> None:
        self.requests = 0

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        self.requests += 1
        return AccessToken("token", int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aexit__(self, *_error: object) -> None:
        pass


async def test_the_queues_of_an_account_share_one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command-line credential starts a process for each token."""
    identity = CountingIdentity()
    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", lambda: identity)
    endpoint = f"https://{ports.HOST}:{ports.free()}/account"
    settings = QueueSettings.load(AZURE_STORAGE_QUEUE_ENDPOINT=endpoint)
    async with StorageAccount(settings) as account:
        for name in ("states", "poison"):
            async with account.queue(name) as queue:
                with pytest.raises(QueueUnavailable):
                    await queue.receive(1, 30)

    assert identity.requests == 1
