"""The poller between real Azurite and real mosquitto: every state of a backlog, in order."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contract.updates import Update
from devstack.azurite import Azurite
from devstack.broker import Broker
from poller.publish.mqtt_state_publisher import MqttStatePublisher
from poller.settings import PollerSettings
from tests.poller import Poller, payload, put, subscribed, wait_empty
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

MESSAGES = 600
PILLOWS = 20


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_every_state_that_waits_at_the_start_is_published_in_order(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str, protocol: str
) -> None:
    """Several pages are requested at once, and Azurite answers in any order."""
    texts = [
        f'{{"pillow":"p{number % PILLOWS}","state":"hugging","seq":{number},'
        f'"at":"2026-01-01T00:00:{number // 1000:02}.{number % 1000:03}Z"}}'
        for number in range(MESSAGES)
    ]
    await put(azurite, queue_name, texts)
    poller = Poller(
        queue_name,
        prefix,
        broker,
        MQTT_PROTOCOL=protocol,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
    )
    async with subscribed(broker, f"{prefix}/+/state") as messages, poller:

        async def all_there() -> bool:
            return len(messages) >= MESSAGES

        await wait_empty(azurite, queue_name, poller)
        counts = await poller.check_counts()
        assert (counts["published"], counts["superseded"]) == (MESSAGES, 0)
        await eventually(all_there, f"{MESSAGES} states")

    seen: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        state = json.loads(payload(message))
        seen[state["pillow"]].append(state["seq"])
    assert seen == {f"p{first}": [*range(first, MESSAGES, PILLOWS)] for first in range(PILLOWS)}


class Listener:
    """A BrokerEventHandler that counts the states, and a GatewayListener."""

    def __init__(self) -> None:
        self.states = 0

    def on_state(self, update: Update) -> None:
        self.states += 1

    def on_removed(self, pillow: str) -> None:
        pass

    def on_mark(self, payload: bytes) -> None:
        pass

    def on_connecting(self) -> None:
        pass

    def on_ready(self) -> None:
        pass

    def on_lost(self) -> None:
        pass

    def on_watching(self, instance: str, payload: bytes) -> None:
        pass

    def on_gateway_status(self, instance: str, payload: bytes) -> None:
        pass

    def on_wake(self) -> None:
        pass


@asynccontextmanager
async def publisher(
    broker: Broker, prefix: str, protocol: str, instance: str
) -> AsyncIterator[MqttStatePublisher]:
    """Run the publisher of a poller."""
    variables = {
        "MQTT_URL": broker.url_for("poller"),
        "MQTT_PROTOCOL": protocol,
        "TOPIC_PREFIX": prefix,
        "INSTANCE": instance,
    }
    one = MqttStatePublisher(PollerSettings.load(**variables), "poller")
    one.listener = one.gateways = Listener()
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(one.run(stopping))
        try:
            await one.wait_ready()
            yield one
        finally:
            stopping.set()


def update(number: int) -> Update:
    """Return a state as a poller publishes it."""
    payload = (
        f'{{"pillow":"a","state":"hugging","at":"2026-01-01T00:00:00.{number:03}Z",'
        '"hops":{"queued":1790000000000,"polled":1790000000001,"published":1790000000002}}'
    )
    return Update("a", "hugging", (number, 0), payload.encode())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_poller_knows_another_one_by_its_states(
    broker: Broker, prefix: str, protocol: str
) -> None:
    """Neither its own states nor retained ones are those of another."""
    async with publisher(broker, prefix, protocol, "one") as one:
        for number in range(10):
            await one.publish_state(update(number), None)
        async with publisher(broker, prefix, protocol, "two") as two:
            assert (one.shares_queue, two.shares_queue) == (False, False)
            await two.publish_state(update(10), None)

            async def is_known() -> bool:
                return one.shares_queue

            await eventually(is_known, "the state of the other poller")
            assert not two.shares_queue
