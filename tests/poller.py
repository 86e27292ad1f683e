"""The poller as a process, and clients of the queue and the broker beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient
from paho.mqtt.subscribeoptions import SubscribeOptions
from prometheus_client.parser import text_string_to_metric_families

from contract.updates import Update, decode_state
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.mqtt_client import mqtt_client
from tests.queue_client import queue_client
from tests.service_process import WITHIN_S, ServiceProcess
from tests.waiting import eventually


class Poller(ServiceProcess):
    """The command with its settings."""

    service = "poller"

    def __init__(self, queue: str, prefix: str, broker: Broker, **given: str) -> None:
        self.instance = given.get("INSTANCE", "one")
        self.prefix = prefix
        settings: dict[str, str | None] = {
            "INSTANCE": self.instance,
            "AZURE_STORAGE_QUEUE_ENDPOINT": None,
            "QUEUE_NAME": queue,
            "POISON_QUEUE_NAME": None,
            "POLLER_HOST": ports.HOST,
        }
        super().__init__(prefix, broker, settings | given, name=f"poller {self.instance}")

    async def count(self, name: str, **labels: str) -> int:
        """Return the value of a counter, summed over the labels that are not given."""
        families = text_string_to_metric_families((await self.get("/metrics")).text)
        return sum(
            int(sample.value)
            for family in families
            for sample in family.samples
            if sample.name == f"pillowcast_poller_{name}_total"
            and labels.items() <= sample.labels.items()
        )

    async def check_counts(self) -> dict[str, int]:
        """Assert that, at rest, every delivery is counted as one outcome; returns the counters."""
        names = ("received", "published", "superseded", "dead_lettered", "retried")
        counts = {name: await self.count(name) for name in names}
        assert counts["received"] == sum(counts.values()) - counts["received"], counts
        return counts

    async def exit_status(self) -> int:
        """Wait until it has ended; returns its exit status."""
        async with asyncio.timeout(WITHIN_S):
            return await self.wait()


@asynccontextmanager
async def spawned(poller: Poller) -> AsyncIterator[Poller]:
    """Start a poller that need not become ready; it is killed at the end."""
    await poller.spawn()
    try:
        yield poller
    finally:
        poller.kill()
        await poller.wait()


@asynccontextmanager
async def created_queue(azurite: Azurite, queue: str) -> AsyncIterator[QueueClient]:
    """Yield a client of the SDK for a queue, which is created if it does not exist."""
    async with queue_client(azurite.connection_string, queue) as client:
        try:
            await client.get_queue_properties()
        except ResourceNotFoundError:
            await client.create_queue()
        yield client


async def put(azurite: Azurite, queue: str, texts: list[str], *, concurrency: int = 8) -> None:
    """Put messages on a queue, a few at a time."""
    async with created_queue(azurite, queue) as client:
        for start in range(0, len(texts), concurrency):
            await asyncio.gather(*map(client.send_message, texts[start : start + concurrency]))


async def receive_poison(azurite: Azurite, queue: str) -> list[str]:
    """Receive every message of the poison queue."""
    async with created_queue(azurite, f"{queue}-poison") as client:
        return [message.content async for message in client.receive_messages(messages_per_page=32)]


async def wait_count(azurite: Azurite, queue: str, count: int, *pollers: Poller) -> None:
    """Wait until the queue has so many messages, leased ones included, and none is in flight.

    A message is published before it is deleted: what `published_total` counts may be on the queue.
    """

    async def is_reached() -> bool:
        if (await client.get_queue_properties()).approximate_message_count != count:
            return False
        metrics = [(await poller.get("/metrics")).text for poller in pollers]
        return all("pillowcast_poller_in_flight 0.0" in text for text in metrics)

    async with created_queue(azurite, queue) as client:
        await eventually(is_reached, f"{queue} has {count} messages")


async def wait_empty(azurite: Azurite, queue: str, *pollers: Poller) -> None:
    """Wait until the queue has no message, leased ones included, and none is in flight."""
    await wait_count(azurite, queue, 0, *pollers)


@asynccontextmanager
async def subscribed(
    broker: Broker, topic: str, options: SubscribeOptions | None = None
) -> AsyncIterator[list[aiomqtt.Message]]:
    """Yield the messages of a topic: the retained ones, and those published from now on."""
    messages: list[aiomqtt.Message] = []

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            messages.append(message)  # noqa: PERF401 - the caller reads the list meanwhile

    async with mqtt_client(broker, "operator", protocol=aiomqtt.ProtocolVersion.V5) as one:
        await one.subscribe(topic, options=options or SubscribeOptions(qos=1))
        listening = asyncio.create_task(listen(one))
        try:
            yield messages
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def retained_states(
    broker: Broker, prefix: str, count: int, *, within_s: float = WITHIN_S
) -> dict[str, Update]:
    """Return the retained states by pillow, once there are `count` of them."""
    found: dict[str, Update] = {}
    async with subscribed(broker, f"{prefix}/+/state") as messages:

        async def all_there() -> bool:
            for message in messages:
                pillow = str(message.topic).split("/")[-2]
                update = decode_state(pillow, payload(message))
                assert isinstance(update, Update), update
                found[pillow] = update
            return len(found) >= count

        await eventually(all_there, f"{count} states", within_s=within_s)
    return found


def payload(message: aiomqtt.Message) -> bytes:
    """Return the payload of a message, which is always bytes here."""
    assert isinstance(message.payload, bytes)
    return message.payload


def numbered(number: int) -> str:
    """Return a message that differs from others by its number and its pillow."""
    return f'{{"pillow":"n-{number}","state":"hugging","seq":{number}}}'
