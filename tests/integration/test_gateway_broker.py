"""The gateway when its broker is away, comes back, holds much, or hands on nonsense."""

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

# More than the 1,000 above which mosquitto, unless told otherwise, cuts the retained set short.
MANY = 2_500

PROTOCOLS = ["5", "3.1.1"]


@pytest.fixture
async def mortal() -> AsyncIterator[Broker]:
    """A broker that may be killed."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as started:
        yield started


def lines(gateway: Gateway, pattern: str) -> int:
    """How often the log says something."""
    return sum(re.search(pattern, line) is not None for line in gateway.log.lines)


@pytest.fixture(scope="module")
async def crowded(broker: Broker) -> str:
    """A prefix with many retained states."""
    prefix = f"t{uuid4().hex[:12]}"
    async with connect_publisher(broker, prefix) as cloud:
        await cloud.publish_all([state(f"cloud-{n}", seq=n) for n in range(MANY)])
    return prefix


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_whole_retained_set_is_there_when_the_gateway_is_ready(
    broker: Broker, crowded: str, protocol: str
) -> None:
    """However large; by either version of MQTT."""
    async with Gateway(broker, crowded, MQTT_PROTOCOL=protocol) as gateway:
        async with gateway.connect() as browser:
            snapshot = await browser.receive()

        assert {shown["pillow"] for shown in snapshot["pillows"]} == {
            f"cloud-{n}" for n in range(MANY)
        }
        assert await gateway.metric("pillows") == MANY
        gateway.assert_log_is_clean()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_broker_that_goes_and_comes_back_is_told_and_nothing_is_missed(
    mortal: Broker, prefix: str, protocol: str
) -> None:
    """Connections stay; readiness names it; what changed meanwhile goes out; one line each."""
    async with (
        connect_publisher(mortal, prefix) as cloud,
        Gateway(mortal, prefix, MQTT_PROTOCOL=protocol) as gateway,
        gateway.connect() as browser,
    ):
        assert (await browser.receive())["broker"] == "online"
        await cloud.publish(state("kept"))
        await browser.receive_state("kept", "hugging")
        await cloud.publish(state("changed"))
        await browser.receive_state("changed", "hugging")

        # Asked to end, so that it keeps what it holds.
        await mortal.stop()
        assert await browser.receive() == {"type": "status", "broker": "offline"}
        unready = await gateway.get("/readyz")
        assert unready.status_code == 503
        assert str(mortal.port) in unready.json()["dependencies"]["mqtt"]
        assert (await gateway.get("/healthz")).status_code == 200
        assert (await gateway.get("/api/pillows")).json()["broker"] == "offline"
        async with gateway.connect() as late:
            snapshot = await late.receive()
            assert snapshot["broker"] == "offline"
            assert len(snapshot["pillows"]) == 2

        await mortal.start()
        await mosquitto_pub(mortal, f"{prefix}/changed/state", state("changed", "spinning"))
        back = await browser.receive_until(lambda frame: frame["type"] in ("status", "update"))
        if back["type"] == "update":
            status = await browser.receive()
            assert status == {"type": "status", "broker": "online"}
            assert back["pillows"][0]["state"] == "spinning"
        else:
            assert back["broker"] == "online"
            await browser.receive_state("changed", "spinning")
        await gateway.until_ready()

        # And it hears again.
        async with connect_publisher(mortal, prefix) as again:
            await again.publish(state("kept", "spinning"))
            await browser.receive_state("kept", "spinning")
        assert lines(gateway, "broker lost") == 1
        assert lines(gateway, "broker ready") == 2
        assert lines(gateway, "broker unavailable") == 0
        gateway.assert_log_is_clean()


async def test_what_changed_while_only_the_gateway_was_cut_off_goes_out(
    mortal: Broker, prefix: str
) -> None:
    """Its process stood still for as long as a broker waits, and others published meanwhile."""
    async with (
        Gateway(mortal, prefix, without_broker=True) as gateway,
        gateway.connect() as browser,
    ):
        await gateway.wait_for_metric("broker_up", 1)
        gateway.pause()
        async with connect_publisher(mortal, prefix) as cloud:
            for n in range(5):
                await cloud.publish(state("cloud-1", "spinning" if n < 4 else "hugging", seq=n))
        gateway.resume()
        await browser.receive_state("cloud-1", "hugging")
        gateway.assert_log_is_clean()


async def test_a_gateway_without_a_broker_waits_for_it(mortal: Broker, prefix: str) -> None:
    """It serves its page, says what it lacks, once, and goes on by itself when that is there."""
    await mortal.stop()
    async with Gateway(mortal, prefix, without_broker=True) as gateway:
        async with gateway.connect() as browser:
            assert (await browser.receive())["broker"] == "offline"
            unready = await gateway.get("/readyz")
            assert unready.status_code == 503
            assert f"mqtt://{ports.HOST}:{mortal.port}" in unready.json()["dependencies"]["mqtt"]
            assert (await gateway.get("/")).status_code == 200
            await gateway.log.wait_for("broker unavailable")
            await asyncio.sleep(1.5)  # several attempts: none of them may say it again
            await mortal.start()
            assert (await browser.receive())["broker"] == "online"
        assert (await gateway.get("/readyz")).status_code == 200
        assert lines(gateway, "broker unavailable") == 1
        gateway.assert_log_is_clean()


async def test_a_gateway_stops_in_order_while_its_broker_is_away(
    mortal: Broker, prefix: str
) -> None:
    """With a browser on it, which hears goodbye."""
    async with Gateway(mortal, prefix) as gateway, gateway.connect() as browser:
        await browser.receive()
        mortal.kill()
        assert (await browser.receive())["broker"] == "offline"
        gateway.terminate()
        assert (await browser.receive())["type"] == "goodbye"
        assert await browser.wait_closed() == 1012
        async with asyncio.timeout(8):
            assert await gateway.wait() == 0
        gateway.assert_log_is_clean()


async def test_the_wrong_password_is_a_sentence_naming_the_setting(
    broker: Broker, prefix: str
) -> None:
    """In the log and in readiness; the password is in neither."""
    url = f"mqtt://gateway:sesame@{ports.HOST}:{broker.port}"
    async with Gateway(broker, prefix, without_broker=True, MQTT_URL=url) as gateway:
        await gateway.log.wait_for("MQTT_URL")
        said = (await gateway.get("/readyz")).text
        assert "MQTT_URL" in said
        assert "sesame" not in gateway.log.text + said
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


async def test_nonsense_on_mqtt_is_counted_and_harms_nothing(broker: Broker, prefix: str) -> None:
    """One line a topic in the log, whatever comes on it; others are shown as before."""
    async with (
        connect_publisher(broker, prefix) as cloud,
        Gateway(broker, prefix) as gateway,
        gateway.connect() as browser,
    ):
        await browser.receive()
        for payload in NONSENSE.values():
            await cloud.publish(payload, pillow="bad", retain=False)
        await cloud.publish(b"nonsense", pillow="worse")
        await cloud.publish_availability("bad", b"perhaps")
        # Names that are no pillow's, on topics that look like one's.
        for pillow in ("bridge", "Cloud", "x" * 64, "a_b"):
            await cloud.publish(state("cloud-1"), pillow=pillow)
        await cloud.publish(state("good"))

        shown = await browser.receive()
        assert [one["pillow"] for one in shown["pillows"]] == ["good"]
        await gateway.wait_for_metric('received_total{outcome="invalid"}', len(NONSENSE) + 2)
        assert await gateway.metric('received_total{outcome="unknown-topic"}') == 4
        assert await gateway.metric("pillows") == 1
        assert lines(gateway, "refused an MQTT message") == 3
        for topic in ("bad/state", "worse/state", "bad/availability"):
            assert lines(gateway, f'"{prefix}/{topic}".*refused') == 1
        gateway.assert_log_is_clean()


async def test_the_gateway_says_on_mqtt_whether_it_is_there(broker: Broker, prefix: str) -> None:
    """Retained; and when it is killed its last will says so."""
    gateway = Gateway(broker, prefix)
    topic = f"{prefix}/bridge/gateway/{gateway.env['INSTANCE']}/status"
    async with aiomqtt.Client(ports.HOST, broker.port) as reader:
        await reader.subscribe(topic)
        messages = aiter(reader.messages)
        async with asyncio.timeout(TIMEOUT_S), gateway:
            assert (await anext(messages)).payload == b"online"
            gateway.kill()
            assert (await anext(messages)).payload == b"offline"
            await gateway.start()
            assert (await anext(messages)).payload == b"online"
            await gateway.stop()
            assert (await anext(messages)).payload == b"offline"
