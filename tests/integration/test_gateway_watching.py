"""A gateway says on MQTT how many clients look, and its frames say it as well."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import aiomqtt
import pytest

from devstack.broker import Broker
from runtime.mqtt.own_status import STATUS_EXPIRY_S
from tests.gateway import Gateway, handshake, request
from tests.machine import need_mosquitto
from tests.mqtt_client import mqtt_client
from tests.poller import payload, subscribed
from tests.waiting import eventually, until

pytestmark = pytest.mark.timeout(180)

PREFIX = "gwwatch"


@pytest.fixture
async def own_broker() -> AsyncIterator[Broker]:
    """A broker that a test may kill."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as started:
        yield started


@pytest.fixture
async def gateway(own_broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway without clients."""
    async with Gateway(own_broker, PREFIX) as started:
        yield started


def topic(gateway: Gateway, kind: str = "watching") -> str:
    """Return a topic of the gateway's instance."""
    return f"{PREFIX}/bridge/gateway/{gateway.env['INSTANCE']}/{kind}"


async def said(
    gateway: Gateway, wanted: bytes, *, within_s: float = 40.0, kind: str = "watching"
) -> None:
    """Wait until the retained number is the wanted one."""
    async with subscribed(gateway.broker, topic(gateway, kind)) as messages:

        async def is_said() -> bool:
            return bool(messages) and payload(messages[-1]) == wanted

        await eventually(is_said, f"{wanted!r} on {topic(gateway, kind)}", within_s=within_s)


async def test_the_first_client_and_the_last_one_are_said_at_once(gateway: Gateway) -> None:
    """A WebSocket or an event stream, scoped to a pillow or not; retained with QoS 1."""
    await said(gateway, b"0")
    async with subscribed(gateway.broker, topic(gateway)) as messages:

        async def have(number: int) -> None:
            async def are_there() -> bool:
                return len(messages) >= number

            await eventually(are_there, f"{number} messages")

        await have(1)
        assert messages[0].retain
        expiry_s = getattr(messages[0].properties, "MessageExpiryInterval", 0)
        assert 0 < expiry_s <= STATUS_EXPIRY_S  # a number alone would count as clients for good
        for sent in (handshake("/ws?pillow=cloud-1"), request("/events")):
            before = len(messages)
            client = await gateway.open_raw(sent)
            await have(before + 1)
            client.reset()
            await have(before + 2)
            assert [payload(one) for one in messages[before:]] == [b"1", b"0"]
            assert {one.qos for one in messages[before:]} == {1}


async def test_a_second_client_is_said_within_ten_seconds(gateway: Gateway) -> None:
    """Pollers only need to know whether there are any."""
    numbers: list[tuple[bytes, float]] = []

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            numbers.append((payload(message), time.monotonic()))  # noqa: PERF401 - as they come

    async with mqtt_client(gateway.broker, "operator") as listener, gateway.connect() as first:
        await listener.subscribe(topic(gateway), qos=1)
        listening = asyncio.ensure_future(listen(listener))
        await first.receive()
        await said(gateway, b"1")
        async with gateway.connect() as second:
            snapshot = await second.receive()
            await said(gateway, b"2")
            await until(lambda: numbers[-1][0] == b"2", "the same number here")
        listening.cancel()
    assert snapshot["watching"] == 2
    # Not at once: the number before it is older, however late this process looks.
    (_, before_s), (_, said_s) = numbers[-2:]
    assert said_s - before_s > 2
    await said(gateway, b"0")


async def test_a_client_that_is_refused_does_not_count(own_broker: Broker) -> None:
    """Nor one that waits until its token is checked."""
    async with Gateway(
        own_broker, PREFIX, GATEWAY_AUTH="jwt", GATEWAY_JWT_SECRET="x" * 32
    ) as gateway:
        client = await gateway.open_raw(handshake())
        await client.read_until(lambda data: b"\r\n\r\n" in data)
        await said(gateway, b"0")
        assert (await gateway.get("/healthz")).status_code == 200
        await said(gateway, b"0")
        client.close()


async def test_the_number_is_said_again_on_each_connection_to_the_broker(
    gateway: Gateway, own_broker: Broker
) -> None:
    """A broker that was killed may have lost it."""
    async with gateway.connect() as client:
        await client.receive()
        await said(gateway, b"1")
        own_broker.kill()
        await own_broker.wait()
        await own_broker.start()
        await said(gateway, b"1")


async def test_an_orderly_stop_leaves_no_watcher_and_a_kill_the_last_will(
    gateway: Gateway,
) -> None:
    """A number beside the status `offline` means nothing."""
    client = await gateway.open_raw(handshake())
    await said(gateway, b"1")
    await gateway.stop()
    await said(gateway, b"0")
    client.close()

    await gateway.start()
    client = await gateway.open_raw(handshake())
    await said(gateway, b"1")
    gateway.kill()
    await gateway.wait()
    await said(gateway, b"offline", kind="status")
    await said(gateway, b"1")
    client.close()


async def test_a_heartbeat_has_the_number_of_clients(gateway: Gateway) -> None:
    """It is the same frame for all of them."""
    async with gateway.connect() as client:
        await client.receive()
        while (frame := json.loads(await client.connection.recv()))["type"] != "heartbeat":
            pass
    assert frame["watching"] == 1
