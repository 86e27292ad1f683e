"""A gateway process whose broker is unreachable, restarts, holds much, or has invalid messages."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import aiomqtt
import pytest

from devstack import ports
from devstack.broker import Broker
from tests.gateway import TIMEOUT_S, Gateway, connect_publisher, mosquitto_pub, state
from tests.machine import need_mosquitto

pytestmark = pytest.mark.timeout(180)

# More than the 1,000 above which mosquitto drops retained messages by default.
MANY = 2_500

PROTOCOLS = ["5", "3.1.1"]


@pytest.fixture
async def own_broker() -> AsyncIterator[Broker]:
    """A broker of one test, which may end it."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as started:
        yield started


def lines(gateway: Gateway, pattern: str) -> int:
    """Return how many log lines match."""
    return sum(re.search(pattern, line) is not None for line in gateway.log.lines)


async def refuse_connections(port: int, count: int) -> None:
    """Listen instead of a broker that is stopped, and close `count` connections at once."""
    refused = asyncio.Semaphore(0)

    def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        refused.release()

    async with (
        await asyncio.start_server(refuse, ports.HOST, port),
        asyncio.timeout(2 * TIMEOUT_S),  # up to five seconds are between two attempts
    ):
        for _ in range(count):
            await refused.acquire()


@pytest.fixture(scope="module")
async def crowded(broker: Broker) -> str:
    """A prefix with more than a thousand retained states."""
    prefix = f"t{uuid4().hex[:12]}"
    async with connect_publisher(broker, prefix) as cloud:
        await cloud.publish_all([state(f"cloud-{n}", seq=n) for n in range(MANY)])
    return prefix


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_ready_gateway_has_the_whole_retained_set(
    broker: Broker, crowded: str, protocol: str
) -> None:
    """With MQTT 5 and 3.1.1."""
    async with Gateway(broker, crowded, MQTT_PROTOCOL=protocol) as gateway:
        async with gateway.connect() as client:
            pillows = await client.receive_snapshot()

        assert {update["pillow"] for update in pillows} == {f"cloud-{n}" for n in range(MANY)}
        assert await gateway.metric("pillows") == MANY
        gateway.assert_log_is_clean()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_broker_outage_is_announced_and_no_change_is_missed(
    own_broker: Broker, prefix: str, protocol: str
) -> None:
    """Clients stay connected, readyz names the broker, and each event is logged once."""
    async with (
        connect_publisher(own_broker, prefix) as cloud,
        Gateway(own_broker, prefix, MQTT_PROTOCOL=protocol) as gateway,
        gateway.connect() as client,
    ):
        assert (await client.receive())["broker"] == "online"
        await cloud.publish(state("kept"))
        await client.receive_state("kept", "hugging")
        await cloud.publish(state("changed"))
        await client.receive_state("changed", "hugging")

        # Terminated, not killed, so that it saves its retained messages.
        await own_broker.stop()
        assert await client.receive() == {"type": "status", "broker": "offline"}
        unready = await gateway.get_ops("/readyz")
        assert unready.status_code == 503
        assert str(own_broker.port) in unready.json()["dependencies"]["mqtt"]
        assert (await gateway.get("/healthz")).status_code == 200
        assert (await gateway.get("/api/pillows")).json()["broker"] == "offline"
        async with gateway.connect() as late:
            snapshot = await late.receive()
            assert snapshot["broker"] == "offline"
            assert len(snapshot["pillows"]) == 2

        await own_broker.start()
        await mosquitto_pub(own_broker, f"{prefix}/changed/state", state("changed", "spinning"))
        back = await client.receive_until(lambda frame: frame["type"] in ("status", "update"))
        if back["type"] == "update":
            status = await client.receive()
            assert status == {"type": "status", "broker": "online"}
            assert back["pillows"][0]["state"] == "spinning"
        else:
            assert back["broker"] == "online"
            await client.receive_state("changed", "spinning")
        await gateway.until_ready()

        # And it receives updates again.
        async with connect_publisher(own_broker, prefix) as again:
            await again.publish(state("kept", "spinning"))
            await client.receive_state("kept", "spinning")
        assert lines(gateway, "broker lost") == 1
        assert lines(gateway, "broker ready") == 2
        assert lines(gateway, "broker unavailable") == 0
        gateway.assert_log_is_clean()


async def test_changes_during_a_gateway_outage_are_sent_afterwards(
    own_broker: Broker, prefix: str
) -> None:
    """Its process was stopped for longer than the keep-alive, while others published."""
    async with (
        Gateway(own_broker, prefix, without_broker=True) as gateway,
        gateway.connect() as client,
    ):
        await gateway.wait_for_metric("broker_up", 1)
        gateway.pause()
        async with connect_publisher(own_broker, prefix) as cloud:
            for n in range(5):
                await cloud.publish(state("cloud-1", "spinning" if n < 4 else "hugging", seq=n))
        gateway.resume()
        await client.receive_state("cloud-1", "hugging")
        gateway.assert_log_is_clean()


async def test_a_gateway_without_a_broker_serves_the_page_and_retries(
    own_broker: Broker, prefix: str
) -> None:
    """It logs the outage once, however many attempts fail, and is ready when the broker is."""
    await own_broker.stop()
    async with Gateway(own_broker, prefix, without_broker=True) as gateway:
        async with gateway.connect() as client:
            assert (await client.receive())["broker"] == "offline"
            unready = await gateway.get_ops("/readyz")
            assert unready.status_code == 503
            assert (
                f"mqtt://{ports.HOST}:{own_broker.port}" in unready.json()["dependencies"]["mqtt"]
            )
            assert (await gateway.get("/")).status_code == 200
            await gateway.log.wait_for("broker unavailable", within_s=TIMEOUT_S)
            await refuse_connections(own_broker.port, 3)
            await own_broker.start()
            assert (await client.receive())["broker"] == "online"
        assert (await gateway.get_ops("/readyz")).status_code == 200
        assert lines(gateway, "broker unavailable") == 1
        gateway.assert_log_is_clean()


async def test_a_gateway_without_a_broker_ends_with_status_0(
    own_broker: Broker, prefix: str
) -> None:
    """And its client receives the goodbye frame."""
    async with Gateway(own_broker, prefix) as gateway, gateway.connect() as client:
        await client.receive()
        own_broker.kill()
        assert (await client.receive())["broker"] == "offline"
        gateway.terminate()
        assert (await client.receive())["type"] == "goodbye"
        assert await client.wait_closed() == 1012
        async with asyncio.timeout(TIMEOUT_S):
            assert await gateway.wait() == 0
        gateway.assert_log_is_clean()


async def test_a_wrong_password_is_reported_with_the_setting(broker: Broker, prefix: str) -> None:
    """In the log and in readyz, without the password."""
    url = f"mqtt://gateway:sesame@{ports.HOST}:{broker.port}"
    async with Gateway(broker, prefix, without_broker=True, MQTT_URL=url) as gateway:
        await gateway.log.wait_for("MQTT_URL", within_s=TIMEOUT_S)
        report = (await gateway.get_ops("/readyz")).text
        assert "MQTT_URL" in report
        assert "sesame" not in gateway.log.text + report
        gateway.assert_log_is_clean()


NONSENSE = {
    "not JSON": b"hugging",
    "a list": b"[]",
    "null": b"null",
    "another's id": state("somebody-else"),
    "an unknown state": state("bad", "dancing"),
    "a state that is a number": b'{"pillow":"bad","state":7,"at":"2026-11-22T06:00:00Z"}',
    "no time": b'{"pillow":"bad","state":"hugging"}',
    "a time that is none": b'{"pillow":"bad","state":"hugging","at":"yesterday"}',
    "invalid UTF-8": b'{"pillow":"bad","state":"hugging\xff"}',
    "a lone surrogate": state("bad", x="X").replace(b"X", rb"\ud800"),
    "100 KB": state("bad", pad="x" * 100_000),
    "deep nesting": b"[" * 20_000,
    "a number of 20,000 digits": b"9" * 20_000,
}


async def test_invalid_mqtt_messages_are_counted_and_dropped(broker: Broker, prefix: str) -> None:
    """With one log line a topic; other pillows are sent as before."""
    async with (
        connect_publisher(broker, prefix) as cloud,
        Gateway(broker, prefix) as gateway,
        gateway.connect() as client,
    ):
        await client.receive()
        for payload in NONSENSE.values():
            await cloud.publish(payload, pillow="bad", retain=False)
        await cloud.publish(b"nonsense", pillow="worse")
        await cloud.publish_availability("bad", b"perhaps")
        # Invalid pillow ids on topics of the form of a state's.
        for pillow in ("bridge", "Cloud", "x" * 64, "a_b"):
            await cloud.publish(state("cloud-1"), pillow=pillow)
        await cloud.publish(state("good"))

        update = await client.receive()
        assert [one["pillow"] for one in update["pillows"]] == ["good"]
        await gateway.wait_for_metric('received_total{outcome="invalid"}', len(NONSENSE) + 2)
        assert await gateway.metric('received_total{outcome="unknown-topic"}') == 4
        assert await gateway.metric("pillows") == 1
        assert lines(gateway, "refused an MQTT message") == 3
        for topic in ("bad/state", "worse/state", "bad/availability"):
            assert lines(gateway, f'"{prefix}/{topic}".*refused') == 1
        gateway.assert_log_is_clean()


async def test_the_gateway_publishes_its_status_on_mqtt(broker: Broker, prefix: str) -> None:
    """Retained; a killed gateway's last will is offline."""
    gateway = Gateway(broker, prefix)
    topic = f"{prefix}/bridge/gateway/{gateway.env['INSTANCE']}/status"
    async with aiomqtt.Client(ports.HOST, broker.port) as reader:
        await reader.subscribe(topic)
        messages = aiter(reader.messages)

        async def said() -> object:
            async with asyncio.timeout(TIMEOUT_S):
                return (await anext(messages)).payload

        async with gateway:
            assert await said() == b"online"
            gateway.kill()
            assert await said() == b"offline"
            await gateway.start()
            assert await said() == b"online"
            await gateway.stop()
            assert await said() == b"offline"
