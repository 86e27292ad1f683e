"""States without motion, and samples of some pillows, of a real gateway process."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from contract.motion import MAX_MOTION
from devstack.broker import Broker
from tests.gateway import (
    TIMEOUT_S,
    Gateway,
    Publisher,
    WebSocketClient,
    connect_publisher,
    state,
)
from tests.integration.test_gateway_events import open_stream

pytestmark = pytest.mark.timeout(180)

PREFIX = "gwmotion"
SAMPLES = [[0.25, -1.5, 3], [0, 1, 0]]


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests; its log must have no error."""
    async with Gateway(broker, PREFIX, GATEWAY_EXPIRE_AFTER="86400") as started:
        yield started
        started.assert_log_is_clean()


@pytest.fixture
async def cloud(gateway: Gateway, broker: Broker) -> AsyncIterator[Publisher]:
    """A publisher; the pillows of a test are removed after it."""
    async with connect_publisher(broker, PREFIX) as publisher:
        yield publisher
        for pillow in ("one", "two", "last"):
            await publisher.remove(pillow)
        await gateway.wait_for_metric("pillows", 0)


def moving(pillow: str, name: str = "shaking") -> bytes:
    """Return a state with samples."""
    return state(pillow, name, seq=3, motion=SAMPLES, mood=1.5)


async def ask(client: WebSocketClient, *pillows: str) -> None:
    """Send a motion message, and wait until the gateway has read it."""
    await client.send({"type": "motion", "pillows": pillows})
    await client.send({"type": "ping", "sent": 1})
    assert (await client.receive())["type"] == "pong"


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_samples_come_behind_their_state_of_the_pillows_that_were_named(
    gateway: Gateway, cloud: Publisher, compression: str | None
) -> None:
    """Nobody else gets any, and others get the bytes of MQTT."""
    async with AsyncExitStack() as stack:
        open_one = gateway.connect
        without = await stack.enter_async_context(open_one("?motion=none", compression=compression))
        whole = await stack.enter_async_context(open_one("?motion=all", compression=compression))
        first = await without.receive()
        assert (first["motion"], first["pillows"]) == ("none", [])
        assert "motion" not in await whole.receive()
        await ask(without, "one")

        payload = await cloud.publish(moving("one"))
        update = await without.receive()
        sent = json.loads(payload)
        motion = {"pillow": "one", "at": sent["at"], "seq": 3, "motion": sent.pop("motion")}
        assert update["pillows"] == [sent]
        assert await without.receive() == {"type": "motion", "pillows": [motion]}
        await whole.receive()
        assert payload in whole.raw

        await cloud.publish(moving("two"))
        assert [one["pillow"] for one in (await without.receive())["pillows"]] == ["two"]
        await ask(without)
        await cloud.publish(moving("one", "hugging"))
        assert (await without.receive())["type"] == "update"
        await cloud.publish(state("last"))
        assert [one["pillow"] for one in (await without.receive())["pillows"]] == ["last"]


async def test_a_snapshot_has_no_motion_also_on_an_event_stream(
    gateway: Gateway, cloud: Publisher
) -> None:
    """Where nobody can ask for any."""
    await cloud.publish(moving("one"))
    async with gateway.connect() as client:
        await client.receive_until(lambda frame: bool(frame["pillows"]))
    async with open_stream(gateway, "?motion=none") as stream:
        frame = await stream.next()
        assert (frame["motion"], frame["pillows"][0]["mood"]) == ("none", 1.5)
        assert "motion" not in frame["pillows"][0]
        await cloud.publish(moving("one", "hugging"))
        update = await stream.next()
        assert "motion" not in update["pillows"][0]
        await cloud.publish(state("last"))
        assert (await stream.next())["type"] == "update"


BAD = {
    "a client whose states have it": ("", ["one"]),
    "no id": ("?motion=none", ["#"]),
    "too many": ("?motion=none", ["one"] * (MAX_MOTION + 1)),
    "all": ("?motion=none", "all"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_message_is_closed_with_4400(gateway: Gateway, case: str) -> None:
    """With why."""
    query, pillows = BAD[case]
    async with gateway.connect(query) as client:
        await client.receive()
        await client.send({"type": "motion", "pillows": pillows})
        frame = await client.receive()
        assert (frame["type"], frame["code"]) == ("error", 4400)
        assert await client.wait_closed() == 4400


async def test_another_value_of_the_parameter_is_refused(gateway: Gateway) -> None:
    """On both transports, with the values that it may have."""
    async with gateway.connect("?motion=some") as client:
        frame = await client.receive()
        assert frame["message"] == "motion is 'some'; it may be all or none"
        assert await client.wait_closed() == 4400
    answer = await gateway.get("/events?motion=some")
    assert (answer.status_code, answer.json()["detail"]) == (400, frame["message"])


async def test_messages_are_charged_as_subscriptions_are(broker: Broker, prefix: str) -> None:
    """A client that asks without end is closed with 4429, and may come again."""
    async with (
        Gateway(broker, prefix, GATEWAY_SUBSCRIBE_RATE="4096") as gateway,
        gateway.connect("?motion=none") as client,
    ):
        await client.receive()
        # The gateway may have closed it before all are sent, and forgives a little each second.
        with contextlib.suppress(ConnectionClosed):
            for _ in range(60):
                await client.send({"type": "motion", "pillows": ["one"]})
        assert (await client.receive())["code"] == 4429


async def test_above_the_memory_for_names_nobody_is_sent_away(broker: Broker, prefix: str) -> None:
    """Clouds rest instead; it is counted, and a few pillows always move."""
    async with (
        Gateway(broker, prefix, GATEWAY_SUBSCRIPTION_BYTES="30000") as gateway,
        connect_publisher(broker, prefix) as publisher,
        gateway.connect("?motion=none") as client,
    ):
        await client.receive()
        await ask(client, "one", *(f"other-{n}" for n in range(120)))
        assert await gateway.metric('connection_limit_reached_total{limit="subscriptions"}') == 1
        assert await gateway.metric("subscription_bytes") == 0
        await ask(client, "one")
        await publisher.publish(moving("one"))
        assert (await client.receive())["type"] == "update"
        assert (await client.receive())["type"] == "motion"
        assert await gateway.metric("subscription_bytes") == 150


async def test_a_client_that_does_not_read_gets_its_states_and_not_the_samples_it_missed(
    broker: Broker, prefix: str
) -> None:
    """It ends with the newest state, and is live again."""
    pad = "x" * 30_000
    async with (
        Gateway(broker, prefix, GATEWAY_EXPIRE_AFTER="86400") as gateway,
        connect_publisher(broker, prefix) as publisher,
        gateway.connect("?motion=none", max_queue=1) as client,
    ):
        await client.receive()
        await ask(client, "one")
        count = 400
        for number in range(count):
            await publisher.publish(state("one", seq=number, pad=pad, motion=SAMPLES))
        # While the client reads nothing, or it could keep up with a gateway that is slow.
        await gateway.wait_for_metric('received_total{outcome="taken"}', count)
        missed = 0
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                frame = await client.receive()
                if frame["type"] == "update":
                    assert "motion" not in frame["pillows"][-1]
                    if frame["pillows"][-1]["seq"] == count - 1:
                        break
                elif frame["type"] == "motion":
                    missed += 1
        assert missed < count
        await publisher.publish(state("one", "hugging", seq=count, motion=SAMPLES))
        await client.receive_until(lambda one: one["type"] == "motion")
