"""A gateway, a poller and a notifier as users of NATS and RabbitMQ, with the rights that they need.

docs/operating.md lists these rights.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from contract.topics import Topics
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.gateway import Gateway, state
from tests.integration.test_mqtt_session import Session
from tests.mqtt_brokers import NatsBroker, RabbitMqBroker, Rights, need_nats, need_rabbitmq
from tests.notifier import Notifier, hugs_to, receiving
from tests.poller import Poller, numbered, put, spawned, wait_empty
from tests.waiting import eventually

PREFIX = "rights"

RIGHTS = {
    "gateway": Rights(
        write=[
            f"{PREFIX}/bridge/gateway/+/status",
            f"{PREFIX}/bridge/gateway/+/watching",
            f"{PREFIX}/bridge/gateway/+/mark",
        ],
        read=[
            f"{PREFIX}/+/state",
            f"{PREFIX}/+/availability",
            f"{PREFIX}/bridge/gateway/+/status",
            f"{PREFIX}/+/gateway/+/mark",
        ],
    ),
    "notifier": Rights(
        write=[
            f"{PREFIX}/bridge/notifier/+/status",
            f"{PREFIX}/bridge/notifier/+/mark",
        ],
        read=[
            f"{PREFIX}/+/state",
            f"{PREFIX}/+/availability",
            f"{PREFIX}/bridge/notifier/+/status",
            f"{PREFIX}/+/notifier/+/mark",
            f"{PREFIX}/bridge/poller/+/status",
            f"{PREFIX}/bridge/poller/+/queue",
            f"{PREFIX}/bridge/poller/+/dead-letter",
        ],
    ),
    "poller": Rights(
        write=[
            f"{PREFIX}/+/state",
            f"{PREFIX}/+/availability",
            f"{PREFIX}/bridge/poller/+/status",
            f"{PREFIX}/bridge/poller/+/mark",
            f"{PREFIX}/bridge/poller/+/saved/+",
            f"{PREFIX}/bridge/poller/active/+",
            f"{PREFIX}/bridge/poller/+/dead-letter",
            f"{PREFIX}/bridge/poller/+/queue",
        ],
        read=[
            f"{PREFIX}/+/state",
            f"{PREFIX}/+/availability",
            f"{PREFIX}/bridge/poller/+/status",
            f"{PREFIX}/+/poller/+/mark",
            f"{PREFIX}/bridge/poller/+/saved/+",
            f"{PREFIX}/bridge/poller/active/+",
            f"{PREFIX}/bridge/poller/wake",
            f"{PREFIX}/bridge/gateway/+/status",
            f"{PREFIX}/bridge/gateway/+/watching",
        ],
    ),
}


@pytest.fixture(params=["nats", "rabbitmq"])
async def guarded(request: pytest.FixtureRequest) -> AsyncIterator[NatsBroker | RabbitMqBroker]:
    """A broker with these users only."""
    broker: NatsBroker | RabbitMqBroker
    if request.param == "nats":
        need_nats()
        broker = NatsBroker(RIGHTS)
    else:
        need_rabbitmq()
        broker = RabbitMqBroker(RIGHTS)
    async with broker:
        yield broker


@pytest.mark.timeout(240)
async def test_a_state_goes_from_the_queue_to_the_gateway_and_nobody_writes_more(
    guarded: NatsBroker | RabbitMqBroker, azurite: Azurite, queue_name: str, tmp_path: Path
) -> None:
    """A state that the gateway's user publishes does not arrive; each hug is posted once."""
    broker, topics = cast("Broker", guarded), Topics(PREFIX)
    gateway = Gateway(broker, PREFIX, MQTT_PROTOCOL="3.1.1")
    poller = Poller(
        queue_name,
        PREFIX,
        broker,
        MQTT_PROTOCOL="3.1.1",
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string,
    )

    async def shows(pillow: str) -> bool:
        return (await gateway.get(f"/api/pillows/{pillow}")).status_code == 200

    async def publish(number: int) -> None:
        await put(azurite, queue_name, [numbered(number)])
        await eventually(partial(shows, f"n-{number}"), "the state at the gateway")
        await wait_empty(azurite, queue_name, poller)

    async def is_watched() -> bool:
        return await poller.metric("watching") == 1

    async with receiving() as receiver, gateway, spawned(poller):
        notifier = Notifier(tmp_path, hugs_to(receiver), PREFIX, broker, MQTT_PROTOCOL="3.1.1")
        await poller.until_ready()
        await notifier.start()
        await publish(1)
        async with gateway.connect() as client:
            await client.receive()
            await eventually(is_watched, "a client that the poller knows")
        forger = Session(
            guarded.url_for("gateway"), topics, protocol="3.1.1", user="gateway", instance="forger"
        )
        async with forger:
            await forger.ready()
            forged = forger.session.publish(topics.state("forged"), state("forged"), retain=True)
            await asyncio.wait((forged,), timeout=3)  # one broker drops it, the other the session
        await publish(2)
        assert not await shows("forged")
        await receiver.received(2)
        await notifier.close()

    assert [one.event["subject"] for one in receiver.requests] == ["n-1", "n-2"]
