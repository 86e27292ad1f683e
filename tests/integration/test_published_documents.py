"""What real services send is what the published documents say: every topic, frame and port."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomqtt
import httpx
import pytest
from conformance.gateway.streams import Address, open_events, open_websocket
from conformance.gateway.tokens import signed
from conformance.patterns import Received
from conformance.published import MqttMessage, Published
from paho.mqtt.subscribeoptions import SubscribeOptions

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.commands import run_to_end
from tests.gateway import COMMAND, TIMEOUT_S, Gateway
from tests.mqtt_client import mqtt_client
from tests.poller import Poller, payload, put, subscribed
from tests.waiting import eventually

SECRET, SHARE_KEY = "secret-of-the-tokens-0123456789abcdef", "key-of-share-links-0123456789abcdefgh"
PUBLISHED = Published(strict=True)


class Recorder:
    """Every message below a prefix, as it was published."""

    def __init__(self, received: list[aiomqtt.Message]) -> None:
        self._received = received

    @property
    def messages(self) -> list[MqttMessage]:
        """The messages until now."""
        return [
            MqttMessage(one.topic.value, payload(one), one.qos, bool(one.retain))
            for one in self._received
        ]

    def channels(self, prefix: str) -> set[str | None]:
        """Return the channels that had a message."""
        return {PUBLISHED.channel_of(one.topic, prefix) for one in self.messages}


@asynccontextmanager
async def recorder(broker: Broker, prefix: str) -> AsyncIterator[Recorder]:
    """Subscribe to everything below a prefix, with the QoS and the retain flag of its publisher."""
    options = SubscribeOptions(qos=2, retainAsPublished=True)
    async with subscribed(broker, f"{prefix}/#", options) as received:
        yield Recorder(received)


def gateway_of(broker: Broker, prefix: str) -> Gateway:
    """Return a gateway that has everything which has a topic or a frame."""
    return Gateway(
        broker,
        prefix,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        GATEWAY_SHARE_KEY=SHARE_KEY,
        GATEWAY_PUBLIC_URL="https://clouds.example",
    )


async def play_a_pillow(broker: Broker, prefix: str) -> None:
    """Let the simulator play a pillow that speaks MQTT itself, with availability."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MQTT_")}
    command = Path(COMMAND).parent / "simulator"
    _, err, status = await run_to_end(
        command,
        *("run", "--target", "mqtt", "--pillows", "1", "--for", "1s"),
        env={**env, "MQTT_URL": broker.url_for("simulator"), "TOPIC_PREFIX": prefix},
        within_s=TIMEOUT_S,
    )
    assert status == 0, err


async def make_and_revoke_a_link(gateway: Gateway) -> None:
    """As an operator does."""
    env = {**os.environ, **{name: value for name, value in gateway.env.items() if value}}
    _, err, status = await run_to_end(COMMAND, "share", "cloud-1", env=env, within_s=TIMEOUT_S)
    assert status == 0, err
    share_id = err.decode().partition(":")[0]
    _, err, status = await run_to_end(COMMAND, "unshare", share_id, env=env, within_s=TIMEOUT_S)
    assert status == 0, err


@pytest.mark.timeout(120)
async def test_every_topic_and_port_has_what_the_documents_say(
    broker: Broker, azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """Every MQTT topic has had a message, and every path for operators a response."""
    message = {
        "pillow": "cloud-1",
        "state": "hug",
        "at": "2026-11-22T06:00:00Z",
        "seq": 7,
        "confidence": 0.93,
        "battery": 0.81,
        "motion": [[0.01, -0.98, 0.12]],
        "note": "kept",
    }
    poller = Poller(
        queue_name, prefix, broker, AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string
    )
    async with (
        recorder(broker, prefix) as recorded,
        gateway_of(broker, prefix) as gateway,
        poller,
    ):
        messages = [json.dumps(message), '{"pillow":"#","state":"hug"}']
        await put(azurite, queue_name, messages, concurrency=1)
        await check_ports_for_operators(gateway, poller)
        await send_wake_hint(broker, prefix)
        await play_a_pillow(broker, prefix)
        await make_and_revoke_a_link(gateway)
        every = set(PUBLISHED.asyncapi["channels"]) - {"storage_queue", "stream", "events"}

        async def has_all() -> bool:
            return every <= recorded.channels(prefix)

        await eventually(has_all, f"messages on {sorted(every)}")

    faults = {
        f"{one.topic}: {error}"
        for one in recorded.messages
        for error in PUBLISHED.mqtt_errors(one, prefix)
    }
    assert faults == set()
    assert recorded.channels(prefix) == every


async def send_wake_hint(broker: Broker, prefix: str) -> None:
    """As a device does that put something on the queue."""
    async with mqtt_client(broker, "simulator") as client:
        await client.publish(f"{prefix}/bridge/poller/wake", b"", qos=1)


async def check_ports_for_operators(gateway: Gateway, poller: Poller) -> None:
    """Ask for every path on each of the servers that the document names for it."""
    urls = {"8080": gateway.url, "8082": gateway.ops_url}
    urls["8081"] = f"http://{ports.HOST}:{poller.port}"
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as client:
        for path, item in PUBLISHED.openapi["paths"].items():
            for server in item.get("servers", ()):
                url = urls.get(server["variables"]["port"]["default"])
                if url is None:
                    continue  # the notifier has no path of its own
                for method in {"get", "post"} & set(item):
                    await check_ops(client, url, path, method.upper())


async def check_ops(client: httpx.AsyncClient, url: str, path: str, method: str) -> None:
    """Check a response of a port for operators; a client that is not there has one too."""
    named = path.replace("{pillow}", "cloud-1").replace("{client}", "nobody")
    response = await client.request(method, f"{url}{named}")
    assert response.is_success or "{client}" in path, f"{path}: {response.text}"
    errors = PUBLISHED.response_errors(
        method, named, response.status_code, response.headers, response.content
    )
    assert errors == [], path


async def test_every_frame_is_as_the_document_says(broker: Broker, prefix: str) -> None:
    """Of both streams, but for the heartbeat, which the golden sessions wait for."""
    token = signed({"exp": 300}, SECRET, int(asyncio.get_running_loop().time()) + 2**31)
    seen: dict[str, set[str]] = {"stream": set(), "events": set()}
    async with gateway_of(broker, prefix) as gateway:
        address = Address(gateway.url, headers={"Authorization": f"Bearer {token}"})
        choosing = replace(address, motion="none")
        streams: list[Any] = [await open_websocket(choosing), await open_events(address, PUBLISHED)]
        for stream in streams:
            await collect(stream, seen, until="snapshot")  # it could have what is published now
        pillow = f"p{uuid4().hex[:8]}"
        await streams[0].send(json.dumps({"type": "motion", "pillows": [pillow]}))
        await streams[0].send('{"type":"ping","sent":5}')
        await collect(streams[0], seen, until="pong")  # it has read whose motion is wanted
        hugged = {"state": "hugging", "at": "2026-11-22T06:00:00Z", "motion": [[0, 1, 0.5]]}
        await publish(broker, prefix, pillow, hugged)
        for stream in streams:
            await collect(stream, seen, until="update")
        await collect(streams[0], seen, until="motion")
        await publish(broker, prefix, pillow, None)
        bad = await open_websocket(address)
        await bad.send("nonsense")
        await collect(bad, seen, until="error")
        for stream in streams:
            await collect(stream, seen, until="removed")
        await gateway.stop()
        for stream in streams:
            await collect(stream, seen, until="goodbye")
            await stream.close()
        await bad.close()

    left = {name: set(PUBLISHED.frame_types(name)) - seen[name] for name in seen}
    assert left["stream"] <= {"heartbeat", "status"}  # one may come, but nothing waits for it
    assert left["events"] <= {"heartbeat", "status", "error"}


async def publish(broker: Broker, prefix: str, pillow: str, state: dict[str, Any] | None) -> None:
    """Publish a state, or take it back."""
    payload = b"" if state is None else json.dumps({"pillow": pillow, **state}).encode()
    async with mqtt_client(broker, "simulator") as client:
        await client.publish(f"{prefix}/{pillow}/state", payload, qos=1, retain=True)


async def collect(stream: Any, seen: dict[str, set[str]], *, until: str) -> None:
    """Check each frame until one of a type, and note the types."""
    async with asyncio.timeout(TIMEOUT_S):
        while until not in seen[stream.channel]:
            received = await stream.receive()
            assert isinstance(received, Received), received
            assert PUBLISHED.frame_errors(received.value, channel=stream.channel) == []
            seen[stream.channel].add(received.value["type"])
