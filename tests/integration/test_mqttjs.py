"""MQTT.js, the client of browsers and Node-RED, as a publisher and as a subscriber."""

import asyncio
import json

import msgspec
import pytest

from devstack import ports
from devstack.broker import Broker
from devstack.errors import CannotStart
from devstack.node import find_node
from devstack.processes import ROOT
from tests.gateway import Gateway, connect_publisher, state
from tests.machine import need
from tests.service_process import WITHIN_S

pytestmark = pytest.mark.timeout(180)

PUBLISH = """
import mqtt from "mqtt";
const [url, version, prefix, messages] = process.argv.slice(2);
const client = await mqtt.connectAsync(url, {
  protocolVersion: Number(version),
  will: { topic: `${prefix}/cloud-js/availability`, payload: "offline", qos: 1, retain: true },
});
await client.publishAsync(`${prefix}/cloud-js/availability`, "online", { qos: 1, retain: true });
for (const [topic, payload] of JSON.parse(messages)) {
  await client.publishAsync(`${prefix}/${topic}`, payload, { qos: 1, retain: true });
}
if (process.argv[6] === "crash") client.stream.destroy(), process.exit(0);
await client.endAsync();
"""

SUBSCRIBE = """
import mqtt from "mqtt";
const [url, version, prefix, count] = process.argv.slice(2);
const client = mqtt.connect(url, { protocolVersion: Number(version) });
let left = Number(count);
client.on("message", (topic, payload, packet) => {
  console.log(JSON.stringify([topic, payload.toString(), packet.retain]));
  if (--left === 0) client.end();
});
client.subscribe(`${prefix}/+/state`, { qos: 1 });
"""


async def node(script: str, *arguments: str) -> list[str]:
    """Run a JavaScript module that imports MQTT.js; return the lines of its output."""
    try:
        program = find_node()
    except CannotStart as refusal:
        need(False, str(refusal))
        raise
    need((ROOT / "node_modules" / "mqtt").is_dir(), "MQTT.js not installed: run scripts/setup")
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--input-type=module", "-", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    async with asyncio.timeout(WITHIN_S):
        out, err = await process.communicate(script.encode())
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


def address(broker: Broker) -> str:
    """Return the URL of a broker."""
    return f"mqtt://{ports.HOST}:{broker.port}"


@pytest.mark.parametrize("version", ["4", "5"])
async def test_states_last_will_and_removal_of_an_mqtt_pillow_reach_the_gateway(
    broker: Broker, prefix: str, version: str
) -> None:
    """Byte for byte; a crash makes it `notconnected`, and an empty retained state removes it."""
    payload = '{"pillow":"cloud-js", "state":"punching" ,"at":"2023-11-22T06:00:00.000Z","von":"☁"}'
    async with Gateway(broker, prefix) as gateway, gateway.connect() as browser:
        await browser.receive()
        await node(
            PUBLISH,
            broker.url_for("simulator"),
            version,
            prefix,
            json.dumps([["cloud-js/state", payload]]),
        )
        await browser.receive_state("cloud-js", "punching")
        assert payload.encode() in browser.raw

        later = state("cloud-js", "hugging", seq=1).decode()
        messages = json.dumps([["cloud-js/state", later]])
        await node(PUBLISH, broker.url_for("simulator"), version, prefix, messages, "crash")
        await browser.receive_state("cloud-js", "hugging")
        shown = await browser.receive_state("cloud-js", "notconnected")
        assert shown["last"] == "hugging"

        messages = json.dumps([["cloud-js/state", ""]])
        await node(PUBLISH, broker.url_for("simulator"), version, prefix, messages)
        removed = await browser.receive_until(lambda frame: frame["type"] == "removed")
        assert removed["pillows"] == ["cloud-js"]
        gateway.assert_log_is_clean()


@pytest.mark.parametrize("version", ["4", "5"])
async def test_an_anonymous_client_reads_retained_states_byte_for_byte(
    broker: Broker, prefix: str, version: str
) -> None:
    """Without a password, as the gateway does."""
    async with connect_publisher(broker, prefix) as cloud:
        published = {
            f"{prefix}/cloud-{n}/state": (await cloud.publish(state(f"cloud-{n}"))).decode()
            for n in range(3)
        }

    lines = await node(SUBSCRIBE, address(broker), version, prefix, "3")

    received = [msgspec.json.decode(line) for line in lines]
    assert {topic: payload for topic, payload, _ in received} == published
    assert all(retained for _, _, retained in received)
