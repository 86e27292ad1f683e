"""Azure Storage Queue. The only module that knows the Azure SDK.

The SDK's own retries are off: they would hide an outage for over a minute, longer than a lease.
Bodies are taken as they are: a body that cannot be decoded must not take its page with it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    contextmanager,
    nullcontext,
    suppress,
)
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from poller.dead_letters import PAGE, Letter, Survey
from poller.queues import Finish, QueueDenied, QueueUnavailable, Received
from poller.routing import Body
from poller.settings import PollerSettings

API_VERSION: Final = "2025-11-05"
"""The newest service version that Azurite 3.35 speaks; Azure speaks every version since 2011."""

_CLIENT: Final[dict[str, Any]] = {
    "api_version": API_VERSION,
    "retry_total": 0,
    "connection_timeout": 5,
    "read_timeout": 10,
    # Otherwise each request looks for a proxy and a netrc file, in a thread.
    "use_env_settings": False,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SKEW_S: Final = 15 * 60
_FOREVER: Final = -1
_WHERE: Final = (
    "look at AZURE_STORAGE_CONNECTION_STRING (AccountName, AccountKey or SharedAccessSignature) "
    "or, where AZURE_STORAGE_QUEUE_ENDPOINT is set, at the identity this process runs as"
)


class AzureQueue:
    """The state queue and its poison queue in one storage account; both are made when missing."""

    def __init__(
        self,
        states: QueueClient,
        poison: QueueClient,
        *,
        visibility_s: int,
        credential: AbstractAsyncContextManager[Any] | None = None,
    ) -> None:
        self._states = states
        self._poison = poison
        self._credential = credential or nullcontext()
        self._visibility_s = visibility_s
        self._open = AsyncExitStack()
        self._made = False

    @classmethod
    def from_settings(cls, settings: PollerSettings) -> Self:
        """Build the clients; nothing is sent. Raises QueueDenied when they cannot be built."""
        credential: Any = None
        source = "AZURE_STORAGE_CONNECTION_STRING"
        try:
            if settings.endpoint:
                source = "AZURE_STORAGE_QUEUE_ENDPOINT"
                from azure.identity.aio import DefaultAzureCredential

                credential = DefaultAzureCredential()
                states, poison = (
                    QueueClient(settings.endpoint, name, credential=credential, **_CLIENT)
                    for name in (settings.queue, settings.poison_queue)
                )
            else:
                secret = settings.connection_string.get_secret_value()
                states, poison = (
                    QueueClient.from_connection_string(secret, name, **_CLIENT)
                    for name in (settings.queue, settings.poison_queue)
                )
        except (ValueError, AzureError) as error:
            raise QueueDenied(f"{source} cannot be used: {error}") from None
        return cls(states, poison, visibility_s=settings.visibility_timeout, credential=credential)

    async def __aenter__(self) -> Self:
        for resource in (self._credential, self._states, self._poison):
            await self._open.enter_async_context(resource)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._open.aclose()

    async def receive(self, limit: int) -> list[Received]:
        if not self._made:
            await self._make()
        asked = asyncio.get_running_loop().time()
        with self._translated():
            # One page is one request; going on would ask again until the queue is empty.
            pages = self._states.receive_messages(
                messages_per_page=limit, visibility_timeout=self._visibility_s
            ).by_page()
            page = await anext(pages, None)
            if page is None:
                return []
            # Counted from before the request: the lease began somewhere on its way.
            return [_received(message, asked + self._visibility_s) async for message in page]

    async def delete(self, message: Received) -> Finish:
        try:
            with self._translated():
                await self._states.delete_message(message.id, message.receipt)
        except _Gone:
            return Finish.GONE
        except _LeaseLost:
            return Finish.LEASE_LOST
        return Finish.DELETED

    async def renew(self, message: Received) -> bool:
        asked = asyncio.get_running_loop().time()
        try:
            with self._translated():
                renewed = await self._states.update_message(
                    message.id, message.receipt, visibility_timeout=self._visibility_s
                )
        except (_Gone, _LeaseLost):
            return False
        message.receipt = renewed.pop_receipt or message.receipt
        message.leased_until = asked + self._visibility_s
        return True

    async def release(self, message: Received) -> None:
        try:
            with self._translated():
                await self._states.update_message(message.id, message.receipt, visibility_timeout=0)
        except (_Gone, _LeaseLost):
            pass  # it is somebody else's already, which is all that was wanted

    async def put_poison(self, message: Received) -> str | None:
        if not self._made:
            await self._make()
        with self._translated():
            copy = await self._poison.send_message(message.body.text, time_to_live=_FOREVER)
        return copy.id

    async def _make(self) -> None:
        for client in (self._states, self._poison):
            # Who may not make queues may use those that somebody else has made: the first use
            # says what is wrong, if anything.
            with suppress(QueueDenied), self._translated(), suppress(ResourceExistsError):
                await client.create_queue()
        self._made = True

    def dead_letters(self) -> "AzurePoisonQueue":
        """Return the poison queue for people's tools; it works while this one is open."""
        return AzurePoisonQueue(self._states, self._poison)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the SDK's exceptions into ours."""
        try:
            with _our_errors(self._states):
                yield
        except _QueueGone as error:
            self._made = False
            raise QueueUnavailable(
                "the queue is gone; it is made again (see QUEUE_NAME, POISON_QUEUE_NAME)"
            ) from error


class AzurePoisonQueue:
    """The poison queue, and the state queue that letters go back to; neither is made here.

    A wrong name would otherwise make a queue that no poller reads, and fill it.
    """

    def __init__(self, states: QueueClient, poison: QueueClient) -> None:
        self._states = states
        self._poison = poison

    async def survey(self) -> Survey | None:
        dates: list[str] = []
        try:
            with _our_errors(self._poison):
                properties = await self._poison.get_queue_properties(
                    raw_response_hook=lambda response: dates.append(
                        response.http_response.headers["Date"]
                    )
                )
        except _QueueGone:
            return None
        # By the clock that also stamps the letters, in whole seconds as it does.
        now = parsedate_to_datetime(dates[-1])
        return Survey(properties.approximate_message_count or 0, _microseconds(now))

    async def peek(self) -> list[Letter]:
        with _not_made(self._poison, "POISON_QUEUE_NAME"), _our_errors(self._poison):
            return [_letter(one, 0.0) for one in await self._poison.peek_messages(PAGE)]

    async def receive(self, lease_s: int) -> list[Letter]:
        asked = asyncio.get_running_loop().time()
        with _not_made(self._poison, "POISON_QUEUE_NAME"), _our_errors(self._poison):
            pages = self._poison.receive_messages(
                messages_per_page=PAGE, visibility_timeout=lease_s
            ).by_page()
            page = await anext(pages, None)
            if page is None:
                return []
            return [_letter(one, asked + lease_s) async for one in page]

    async def release(self, letter: Letter) -> None:
        with suppress(_Gone, _LeaseLost, _QueueGone), _our_errors(self._poison):
            await self._poison.update_message(letter.id, letter.receipt, visibility_timeout=0)

    async def put_back(self, letter: Letter) -> None:
        # For ever, as it was kept: it must not vanish because no poller came within a week.
        with _not_made(self._states, "QUEUE_NAME"), _our_errors(self._states):
            await self._states.send_message(letter.text, time_to_live=_FOREVER)

    async def delete(self, letter: Letter) -> Finish:
        try:
            with _our_errors(self._poison):
                await self._poison.delete_message(letter.id, letter.receipt)
        except (_Gone, _QueueGone):
            return Finish.GONE
        except _LeaseLost:
            return Finish.LEASE_LOST
        return Finish.DELETED


@contextmanager
def _our_errors(client: QueueClient) -> Iterator[None]:
    """Turn the SDK's exceptions into QueueUnavailable, QueueDenied, and what is caught here."""
    try:
        yield
    except ResourceNotFoundError as error:
        if _code(error) == "QueueNotFound":
            raise _QueueGone from error
        if _code(error) == "MessageNotFound":
            raise _Gone from error
        raise QueueDenied(
            f"the queue answered 404 {_code(error)}: there is no such account; look at "
            "AZURE_STORAGE_CONNECTION_STRING (AccountName, QueueEndpoint) or at "
            "AZURE_STORAGE_QUEUE_ENDPOINT"
        ) from error
    except ClientAuthenticationError as error:
        raise QueueDenied(_why_not_signed_in(error)) from error
    except HttpResponseError as error:
        raise _http_error(error) from error
    except (AzureError, OSError, TimeoutError) as error:
        raise QueueUnavailable(
            f"{client.url.partition('?')[0]}: {error}; if the address is wrong, look at "
            "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_QUEUE_ENDPOINT"
        ) from error


@contextmanager
def _not_made(client: QueueClient, setting: str) -> Iterator[None]:
    try:
        yield
    except _QueueGone as error:
        raise QueueUnavailable(
            f"there is no queue {client.queue_name}; a poller makes it when it starts, unless "
            f"{setting} is wrong"
        ) from error


class _QueueGone(Exception):
    """The whole queue is not there."""


class _Gone(Exception):
    """The message is not in the queue."""


class _LeaseLost(Exception):
    """The receipt is out of date."""


def _received(message: QueueMessage, leased_until: float) -> Received:
    inserted = message.inserted_on or datetime.now(UTC)
    return Received(
        message.id,
        message.pop_receipt or "",
        Body(
            message.content,
            (inserted - _EPOCH) // timedelta(microseconds=1),
            message.dequeue_count or 1,
        ),
        leased_until,
    )


def _letter(message: QueueMessage, leased_until: float) -> Letter:
    return Letter(
        message.id,
        _microseconds(message.inserted_on or datetime.now(UTC)),
        message.dequeue_count or 0,
        message.content,
        message.pop_receipt or "",
        leased_until,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


def _http_error(error: HttpResponseError) -> Exception:
    code, status = _code(error), error.status_code or 0
    if code == "PopReceiptMismatch":
        return _LeaseLost()
    # 409 is a queue that is being deleted.
    if status >= 500 or status in (408, 409, 429):
        return QueueUnavailable(f"the queue answered {status} {code}".strip())
    if status in (401, 403):
        return QueueDenied(_why_not_signed_in(error))
    if code == "InvalidHeaderValue":
        return QueueDenied(
            f"the queue does not speak service version {API_VERSION}; an Azurite this old needs "
            "--skipApiVersionCheck"
        )
    return QueueDenied(f"the queue answered {status} {code}: {error.message}".strip())


def _why_not_signed_in(error: HttpResponseError) -> str:
    """Say which setting to look at."""
    code = _code(error)
    if code in (
        "AuthorizationPermissionMismatch",
        "AuthorizationResourceTypeMismatch",
        "AuthorizationServiceMismatch",
        "InsufficientAccountPermissions",
    ):
        return (
            f"{code}: the credential lacks a right; a SAS needs process and add on both queues "
            "(create too, to make them, and read, for the tool dead-letters), an identity the role "
            "Storage Queue Data Contributor"
        )
    response: Any = error.response
    if response is None:
        first, _, _ = str(error.message).partition("\n")
        return f"cannot sign in: {first} {_WHERE}"
    date = response.headers.get("Date")
    if date:
        skew_s = abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
        if skew_s > _MOST_SKEW_S:
            return (
                f"{code}: this machine's clock is {skew_s:.0f} s off the queue's, and signed "
                "requests may be 900 s off; set the clock"
            )
    return f"{code or error.status_code}: the queue does not accept the credential; {_WHERE}"
