"""One queue of a storage account, with the operations that this project needs.

`RestClient` sends the operations that every message costs, and the SDK sends the rare ones.
Both raise the exceptions of `errors`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)
from azure.storage.queue import QueueMessage as SdkMessage
from azure.storage.queue.aio import QueueClient

from azure_queue.errors import ErrorResponse, no_credential, no_response, to_exception
from azure_queue.rest_client import ReceivedPage, RestClient
from azure_queue.service import PAGE_SIZE
from azure_queue.xml_codec import QueueMessage, parse_http_date_us

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class QueueProperties(NamedTuple):
    """The approximate number of messages, leased ones included, and the service's time.

    `service_time_us` is in Unix microseconds; the service rounds it to seconds.
    It is this machine's time where the service does not send its own.
    """

    message_count: int
    service_time_us: int


class StorageQueue:
    """One queue. Every method raises the exceptions of `errors`.

    An async context manager; leaving it closes the connections.
    """

    def __init__(self, sdk: QueueClient, rest: RestClient) -> None:
        self._sdk = sdk
        self._rest = rest
        self.name = sdk.queue_name
        self.account = str(sdk.account_name or sdk.primary_hostname)
        """The account's name; where its address does not tell it, the name of its host."""

    async def __aenter__(self) -> Self:
        await self._sdk.__aenter__()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._rest.close()
        await self._sdk.close()

    async def create(self) -> None:
        """Create the queue, unless it exists."""
        with self._translated_errors():
            try:
                await self._sdk.create_queue()
            except ResourceExistsError as error:
                if _error_code(error) == "QueueBeingDeleted":
                    raise

    async def put(self, text: str, ttl_s: int) -> str | None:
        """Put a message on the queue; returns its id, where the service reports it."""
        return await self._rest.put(text, ttl_s)

    async def receive(self, limit: int, lease_s: int) -> ReceivedPage:
        """Return up to `limit` messages, each leased for `lease_s`, and the service's time."""
        return await self._rest.receive(limit, lease_s)

    async def peek(self) -> list[QueueMessage]:
        """Return the first messages that are not leased, at most 32, without leasing them."""
        with self._translated_errors():
            return [_to_message(one) for one in await self._sdk.peek_messages(PAGE_SIZE)]

    async def update_visibility(self, message_id: str, pop_receipt: str, hidden_s: int) -> str:
        """Hide a received message for `hidden_s` from now on; returns its new pop receipt."""
        with self._translated_errors():
            updated = await self._sdk.update_message(
                message_id, pop_receipt, visibility_timeout=hidden_s
            )
        return updated.pop_receipt or pop_receipt

    async def delete(self, message_id: str, pop_receipt: str) -> None:
        """Delete a message for good."""
        await self._rest.delete(message_id, pop_receipt)

    async def properties(self) -> QueueProperties:
        """Return the number of messages, and the service's time."""
        dates: list[str] = []
        with self._translated_errors():
            properties = await self._sdk.get_queue_properties(
                raw_response_hook=lambda response: dates.append(
                    response.http_response.headers.get("Date", "")
                )
            )
        time_us = parse_http_date_us(dates[-1])
        if time_us is None:
            time_us = _microseconds(datetime.now(UTC))
        return QueueProperties(properties.approximate_message_count or 0, time_us)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except HttpResponseError as error:
            if error.response is None and isinstance(error, ClientAuthenticationError):
                raise no_credential(str(error.message)) from error
            raise to_exception(_to_error_response(error), datetime.now(UTC)) from error
        except (AzureError, OSError) as error:
            raise no_response(self._sdk.url.partition("?")[0], error) from error


def _to_message(message: SdkMessage) -> QueueMessage:
    return QueueMessage(
        message.id,
        message.pop_receipt or "",
        message.content,
        _microseconds(message.inserted_on or datetime.now(UTC)),
        message.dequeue_count or 0,
    )


def _to_error_response(error: HttpResponseError) -> ErrorResponse:
    response: Any = error.response
    headers = response.headers if response is not None else {}
    return ErrorResponse(
        error.status_code or 0,
        _error_code(error),
        str(error.message),
        headers.get("Date", ""),
        headers.get("Retry-After", ""),
    )


def _error_code(error: HttpResponseError) -> str:
    code: Any = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
