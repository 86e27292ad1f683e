"""The Azure SDK: its clients as we want them, and its errors as ours.

Its own retries are off: they would hide an outage for over a minute, longer than a lease.
Bodies are taken as they are: a body that cannot be decoded must not take its page with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.storage.queue.aio import QueueClient

from poller.azure.auth import KeySigner, Signer, TokenSigner, UrlSigner
from poller.azure.errors import API_VERSION, Answer, QueueGone, meaning, not_signed_in
from poller.azure.rest_client import MessageRequests, unanswered
from poller.queues import QueueDenied, QueueUnavailable
from poller.settings import PollerSettings

_OPTIONS: Final[dict[str, Any]] = {
    "api_version": API_VERSION,
    "retry_total": 0,
    "connection_timeout": 5,
    "read_timeout": 10,
    # Otherwise each request looks for a proxy and a netrc file, in a thread.
    "use_env_settings": False,
}


@dataclass(frozen=True, slots=True)
class Account:
    """Both queues of one storage account: the SDK's clients, and our own requests.

    `identity` is to be closed after the clients, where an identity signs in.
    """

    states: QueueClient
    poison: QueueClient
    state_requests: MessageRequests
    poison_requests: MessageRequests
    identity: AsyncTokenCredential | None


def account(settings: PollerSettings) -> Account:
    """Build what the settings say; nothing is sent. Raises QueueDenied when it cannot be built."""
    names = (settings.queue, settings.poison_queue)
    source = "AZURE_STORAGE_CONNECTION_STRING"
    try:
        if settings.endpoint:
            source = "AZURE_STORAGE_QUEUE_ENDPOINT"
            # Half a second to import, and most have no use for it.
            from azure.identity.aio import DefaultAzureCredential

            identity = DefaultAzureCredential()
            states, poison = (
                QueueClient(settings.endpoint, name, credential=identity, **_OPTIONS)
                for name in names
            )
            return _account(states, poison, TokenSigner(identity), identity)
        secret = settings.connection_string.get_secret_value()
        states, poison = (
            QueueClient.from_connection_string(secret, name, **_OPTIONS) for name in names
        )
        key: Any = states.credential
        signer: Signer = (
            KeySigner(key.account_name, key.account_key)
            if hasattr(key, "account_key")
            else UrlSigner()
        )
        return _account(states, poison, signer, None)
    except (ValueError, AzureError) as error:
        raise QueueDenied(f"{source} cannot be used: {error}") from None


def _account(
    states: QueueClient,
    poison: QueueClient,
    signer: Signer,
    identity: AsyncTokenCredential | None,
) -> Account:
    return Account(
        states,
        poison,
        MessageRequests(states.url, signer),
        MessageRequests(poison.url, signer),
        identity,
    )


@contextmanager
def our_errors(client: QueueClient) -> Iterator[None]:
    """Raise our exceptions for the SDK's."""
    try:
        yield
    except Exception as error:
        ours = our_error(client, error)
        if ours is error:
            raise
        raise ours from error


def our_error(client: QueueClient, error: BaseException) -> BaseException:
    """Return what to raise for one of the SDK's exceptions; any other is returned as it is."""
    if isinstance(error, HttpResponseError):
        if error.response is None and isinstance(error, ClientAuthenticationError):
            return not_signed_in(str(error.message))
        return meaning(_answer(error), datetime.now(UTC))
    if isinstance(error, (AzureError, OSError, TimeoutError)):
        return unanswered(client.url.partition("?")[0], error)
    return error


@contextmanager
def not_made(client: QueueClient, setting: str) -> Iterator[None]:
    """Say which setting to look at where a queue is not there that is not ours to make."""
    try:
        yield
    except QueueGone as error:
        raise QueueUnavailable(
            f"there is no queue {client.queue_name}; a poller makes it when it starts, unless "
            f"{setting} is wrong"
        ) from error


def _answer(error: HttpResponseError) -> Answer:
    code = getattr(error, "error_code", None) or ""
    response: Any = error.response
    headers = response.headers if response is not None else {}
    return Answer(
        error.status_code or 0,
        str(getattr(code, "value", code)),
        str(error.message),
        headers.get("Date", ""),
        headers.get("Retry-After", ""),
    )
