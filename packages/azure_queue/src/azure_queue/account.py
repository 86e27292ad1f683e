"""Opens the queues of the storage account that the settings name."""

from typing import Any, Final, Self

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.storage.queue.aio import QueueClient

from azure_queue.auth import Auth, SasAuth, SharedKeyAuth, TokenAuth
from azure_queue.errors import bad_setting
from azure_queue.rest_client import RestClient
from azure_queue.service import API_VERSION
from azure_queue.settings import QueueSettings
from azure_queue.storage_queue import StorageQueue

CLIENT_OPTIONS: Final[dict[str, Any]] = {
    "api_version": API_VERSION,
    # The SDK's retries would hide an outage for over a minute, which is longer than a lease.
    "retry_total": 0,
    "connection_timeout": 5,
    "read_timeout": 10,
    # Otherwise each request looks for a proxy and a netrc file, in a thread.
    "use_env_settings": False,
}
"""The options of every client of the SDK."""

_CONNECTION_STRING_SETTING: Final = "AZURE_STORAGE_CONNECTION_STRING"
_ENDPOINT_SETTING: Final = "AZURE_STORAGE_QUEUE_ENDPOINT"


class StorageAccount:
    """The storage account that the settings name; nothing is sent before a queue is used.

    An async context manager; leaving it closes the identity's credential, so the queues are closed
    before.
    """

    def __init__(self, settings: QueueSettings) -> None:
        """Raises QueueDenied if the identity's own environment variables cannot be used."""
        self._connection_string = settings.connection_string.get_secret_value()
        self._endpoint = settings.endpoint or ""
        self._identity: AsyncTokenCredential | None = None
        self._token_auth: TokenAuth | None = None
        if settings.endpoint:
            self._identity = _default_identity()
            # One for all queues, so that they share its token.
            self._token_auth = TokenAuth(self._identity)

    async def __aenter__(self) -> Self:
        if self._identity is not None:
            await self._identity.__aenter__()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._identity is not None:
            await self._identity.__aexit__()

    def queue(self, name: str) -> StorageQueue:
        """Return a queue, which need not exist.

        Raises QueueDenied if the settings name no account.
        """
        setting = _CONNECTION_STRING_SETTING
        try:
            if self._identity is not None and self._token_auth is not None:
                setting = _ENDPOINT_SETTING
                sdk = QueueClient(self._endpoint, name, self._identity, **CLIENT_OPTIONS)
                return StorageQueue(sdk, RestClient(sdk.url, self._token_auth))
            sdk = QueueClient.from_connection_string(
                self._connection_string, name, **CLIENT_OPTIONS
            )
            return StorageQueue(sdk, RestClient(sdk.url, _auth_of(sdk.credential)))
        except (ValueError, AzureError) as error:
            raise bad_setting(setting, error) from None


def _default_identity() -> AsyncTokenCredential:
    # Imported here, because the import takes half a second and few deployments need it.
    from azure.identity.aio import DefaultAzureCredential

    try:
        return DefaultAzureCredential()
    except ValueError as error:  # the SDK's sentence names the variable or its value
        raise bad_setting(_ENDPOINT_SETTING, error) from None


def _auth_of(credential: Any) -> Auth:
    """Return the authorization for the credential that the SDK read from a connection string."""
    if hasattr(credential, "account_key"):
        return SharedKeyAuth(credential.account_name, credential.account_key)
    return SasAuth()
