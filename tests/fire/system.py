"""Starts the servers, the proxies and the recorder of a fire run, and ends all of them."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from azure.storage.queue.aio import QueueClient

from devstack.broker import Broker
from tests.fire.durable_azurite import DurableAzurite
from tests.fire.messages import PlannedMessage
from tests.fire.mqtt_proxy import MqttProxy
from tests.fire.producer import Producer
from tests.fire.queue_proxy import QueueProxy
from tests.fire.recorder import Recorder
from tests.fire.world import World
from tests.gateway import Gateway
from tests.poller import created_queue


@asynccontextmanager
async def system_under_fire(
    folder: Path,
    prefix: str,
    queue: str,
    seed: int,
    messages: Sequence[PlannedMessage],
    journal: Path | None = None,
) -> AsyncIterator[tuple[World, QueueClient]]:
    """Run everything but the pollers until the context ends; with a journal a gateway too."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(Broker(kind="mosquitto", topic_prefix=prefix))
        azurite = await stack.enter_async_context(DurableAzurite(folder))
        client = await stack.enter_async_context(created_queue(azurite, queue))
        markers = await stack.enter_async_context(created_queue(azurite, f"{queue}-markers"))
        queue_proxy = await stack.enter_async_context(
            QueueProxy(azurite.port, random.Random(f"{seed} queue"))
        )
        mqtt_proxy = await stack.enter_async_context(
            MqttProxy(broker.port, random.Random(f"{seed} mqtt"))
        )
        recorder = Recorder(broker.port, prefix)
        await recorder.connect()
        stack.callback(recorder.close)
        mqtt_proxy.opened = True
        world = World(
            broker,
            azurite,
            queue_proxy,
            mqtt_proxy,
            recorder,
            Producer(client, messages),
            markers,
            random.Random(f"{seed} acts"),
            prefix,
            queue,
            journal,
        )
        if journal is not None:
            world.gateway = await stack.enter_async_context(Gateway(broker, prefix))
        try:
            yield world, client
        finally:
            azurite.resume()
            for poller in world.pollers.values():
                poller.kill()
                await poller.wait()
        assert queue_proxy.errors == mqtt_proxy.errors == []
