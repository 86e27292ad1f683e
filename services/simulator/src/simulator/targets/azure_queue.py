"""The Azure Storage Queue as a target, created when it is missing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.queue.aio import QueueClient

from runtime.settings import SettingsError
from simulator.settings import SimulatorSettings
from simulator.stream.faults import Item
from simulator.targets.target import Unavailable

IN_FLIGHT: Final = 32
"""How many messages are being put on the queue at once."""

TTL_S: Final = 3600
"""How long the queue keeps a made-up state: without a poller they must not pile up for days."""

_OPTIONS: Final[dict[str, Any]] = {
    "api_version": "2025-11-05",  # newer ones are refused by Azurite
    "retry_total": 0,  # the SDK's own retries hide an outage for more than a minute
    "connection_timeout": 5,
    "read_timeout": 10,
    "use_env_settings": False,  # spares two hops to a thread for every request
}


@asynccontextmanager
async def queue_target(settings: SimulatorSettings) -> AsyncIterator["QueueTarget"]:
    """Hold a client of the queue; raises SettingsError for what can be no queue's address."""
    async with AsyncExitStack() as stack:
        client, setting = await _client_of(settings, settings.queue, stack)
        yield QueueTarget(client, setting)


async def _client_of(
    settings: SimulatorSettings, name: str, stack: AsyncExitStack
) -> tuple[QueueClient, str]:
    """Open a client of a queue; return it and the setting that says where that is."""
    try:
        if settings.queue_endpoint is None:
            setting = "AZURE_STORAGE_CONNECTION_STRING"
            client = QueueClient.from_connection_string(
                settings.connection_string.get_secret_value(), name, **_OPTIONS
            )
        else:
            # Slow to load, and seldom needed.
            from azure.identity.aio import DefaultAzureCredential

            setting = "AZURE_STORAGE_QUEUE_ENDPOINT"
            credential = await stack.enter_async_context(DefaultAzureCredential())
            client = QueueClient(settings.queue_endpoint, name, credential, **_OPTIONS)
    except ValueError as error:
        raise SettingsError(f"{setting} cannot be used: {error}") from None
    return await stack.enter_async_context(client), setting


@dataclass(frozen=True, slots=True)
class Peeked:
    """A message that was looked at: its id, when the queue took it (Unix seconds), its text."""

    id: str
    inserted: float
    text: str


class QueueTarget:
    """Puts states on a queue; `setting` is the variable that says where that is."""

    unsaid = 0

    def __init__(self, client: QueueClient, setting: str) -> None:
        self._client = client
        self._setting = setting
        self._free = asyncio.Semaphore(IN_FLIGHT)

    def network(self, pillow: str, *, up: bool) -> None:
        """Do nothing: a pillow that puts messages on a queue holds no connection."""

    async def ready(self) -> None:
        """Return at once: whether a queue is there shows when something is put on it."""

    async def send(self, batch: Sequence[Item]) -> None:
        """Put each state on the queue: pillows side by side, one pillow's states in order."""
        lanes: dict[str, list[Item]] = {}
        for one in batch:
            lanes.setdefault(one.pillow, []).append(one)
        faults: list[AzureError] = []
        sent = sum(
            await asyncio.gather(*(self._send_in_order(lane, faults) for lane in lanes.values()))
        )
        if faults:
            raise Unavailable(sent, self._sentence(faults[0]))

    async def _send_in_order(self, lane: list[Item], faults: list[AzureError]) -> int:
        """Return how many were put; one lane's fault ends all, so that an outage costs one wait."""
        sent = 0
        for one in lane:
            async with self._free:
                if faults:
                    break
                try:
                    await self._put(one.body.decode())
                except AzureError as error:
                    faults.append(error)
                    break
            sent += 1
        return sent

    async def _put(self, text: str) -> None:
        try:
            await self._client.send_message(text, time_to_live=TTL_S)
        except ResourceNotFoundError:
            # Only now: whoever may add messages need not be allowed to create queues.
            try:
                await self._client.create_queue()
            except ResourceExistsError as error:
                if "BeingDeleted" in _code(error):
                    raise
            await self._client.send_message(text, time_to_live=TTL_S)

    def _sentence(self, error: AzureError) -> str:
        place = f"{self._client.scheme}://{self._client.primary_hostname}"
        if not isinstance(error, HttpResponseError) or error.status_code is None:
            said = str(error.message).partition("\n")[0].strip()
            return f"no answer from the queue service at {place} ({said}); check {self._setting}"
        if error.status_code in (401, 403):
            return (
                f"the queue service at {place} does not let us in ({_code(error)}); "
                f"check the key, token or role in {self._setting}"
            )
        return (
            f"the queue service at {place} takes no messages for {self._client.queue_name} "
            f"({error.status_code} {_code(error)}); check QUEUE_NAME and {self._setting}"
        )


def _code(error: HttpResponseError) -> str:
    code: Any = getattr(error, "error_code", None) or error.reason
    return str(getattr(code, "value", code))


@asynccontextmanager
async def queue_view(settings: SimulatorSettings) -> AsyncIterator["QueueView"]:
    """Look at queues without taking anything from them."""
    async with AsyncExitStack() as stack:
        yield QueueView(settings, stack)


class QueueView:
    """Counts what waits on a queue, and shows the first of it; nothing is hidden by that."""

    def __init__(self, settings: SimulatorSettings, stack: AsyncExitStack) -> None:
        self._settings, self._stack = settings, stack
        self._clients: dict[str, QueueClient] = {}

    async def _client(self, name: str) -> QueueClient:
        if name not in self._clients:
            client, _ = await _client_of(self._settings, name, self._stack)
            self._clients[name] = client
        return self._clients[name]

    async def count(self, name: str) -> int | None:
        """Return about how many messages a queue has, 0 if there is none; None: nobody knows."""
        client = await self._client(name)
        try:
            properties = await client.get_queue_properties()
        except ResourceNotFoundError:
            return 0
        except AzureError:
            return None
        return properties.approximate_message_count or 0

    async def peek(self, name: str) -> list[Peeked]:
        """Return the first 32 messages that wait; raises Unavailable."""
        client = await self._client(name)
        try:
            found = await client.peek_messages(max_messages=32)
        except ResourceNotFoundError:
            return []
        except AzureError as error:
            raise Unavailable(0, f"{client.queue_name} cannot be looked at: {error}") from None
        return [
            Peeked(
                str(one.id), one.inserted_on.timestamp() if one.inserted_on else 0.0, one.content
            )
            for one in found
        ]
