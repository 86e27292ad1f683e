"""The programs and recipes of docs/integrations.md and docs/coming-from-mqttjs.md."""

import asyncio
import difflib
import gzip
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract.availability import KEPT_BY, POLLER
from devstack import ports
from devstack.broker import SEARCH, Broker
from devstack.node import find_node
from devstack.processes import ROOT
from docsite.blocks import code_blocks
from tests import running_program
from tests.gateway import Gateway, state
from tests.machine import need, need_mosquitto
from tests.running_program import Running

WITHIN_S = 30.0


def blocks(page: str, chapter: str, language: str) -> list[str]:
    """Return the code blocks of a chapter, in one language."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    _, _, rest = text.partition(f"\n## {chapter}\n")
    assert rest, f"docs/{page} has no chapter {chapter!r}"
    found = code_blocks(page, rest.partition("\n## ")[0])
    return [block.text for block in found if block.language == language]


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """A broker with the prefix of the documents, and a pillow's own user."""
    need_mosquitto()
    started = Broker(
        kind="mosquitto", credentials=tmp_path_factory.mktemp("credentials"), topic_prefix="pillow"
    )
    started.credentials_command("add", "cloud-7")
    async with started:
        yield started


@asynccontextmanager
async def user(broker: Broker, name: str) -> AsyncIterator[aiomqtt.Client]:
    """Yield a client that is signed in."""
    async with aiomqtt.Client(
        ports.HOST,
        broker.port,
        username=name,
        password=broker.credentials_command("show", name),
        protocol=aiomqtt.ProtocolVersion.V5,
    ) as client:
        yield client


@pytest.fixture
async def pillow(broker: Broker) -> AsyncIterator[aiomqtt.Client]:
    """A publisher; cloud-1 is known, and a poller has said that it is there."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = (KEPT_BY, POLLER)
    async with user(broker, "simulator") as client:
        await client.publish("pillow/cloud-1/state", state("cloud-1", "hugging"), 1, True)
        await client.publish("pillow/cloud-1/availability", "online", 1, True, properties)
        yield client


@pytest.fixture
def tools(broker: Broker, tmp_path: Path) -> dict[str, str]:
    """An environment in which mosquitto's clients find this broker, as on its own machine."""
    for name in ("mosquitto_sub", "mosquitto_pub"):
        program = shutil.which(name, path=SEARCH)
        need(program is not None, f"{name} is not installed")
        shim = tmp_path / name
        shim.write_text(f'#!/bin/sh\nexec {program} -h {ports.HOST} -p {broker.port} "$@"\n')
        shim.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{SEARCH}"}


@asynccontextmanager
async def running(
    *words: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT
) -> AsyncIterator[Running]:
    """Run a program; it is killed at the end."""
    async with running_program.running(*words, env=env, cwd=cwd, within_s=WITHIN_S) as program:
        yield program


async def shell(text: str, env: dict[str, str]) -> str:
    """Return the output of a block of shell."""
    async with running("sh", "-c", text, env=env) as program:
        return await program.output()


async def shell_until(wanted: str, text: str, env: dict[str, str]) -> None:
    """Run a block of shell that ends after two seconds, until the broker answers within them."""
    async with asyncio.timeout(WITHIN_S):
        while wanted not in await shell(text, env):
            pass


async def test_the_recipes_of_mosquitto_sub(
    broker: Broker, pillow: aiomqtt.Client, tools: dict[str, str]
) -> None:
    """Each block of the chapter, with what it is said to show."""
    everything, known, there, following, services, remove = blocks(
        "integrations.md", "mosquitto_sub", "sh"
    )
    async with user(broker, "gateway") as gateway:
        await gateway.publish("pillow/bridge/gateway/g/status", "online", 1, True)

    shown = {
        '"state": "hugging"': known,
        f"pillow/cloud-1/availability online {KEPT_BY}:{POLLER}\n": there,
        "pillow/bridge/gateway/g/status online": services,
    }
    await asyncio.gather(*(shell_until(wanted, text, tools) for wanted, text in shown.items()))
    async with (
        running("sh", "-c", everything, env=tools) as all_topics,
        running("sh", "-c", following, env=tools) as next_one,
    ):
        await all_topics.read_until(lambda line: line.startswith("pillow/cloud-1/availability"))
        output = asyncio.ensure_future(next_one.output())
        while not output.done():
            await pillow.publish("pillow/cloud-1/state", state("cloud-1", "punching"), 1, True)
            await asyncio.wait((output,), timeout=0.2)
        assert '"state": "punching"' in output.result()
        operator = {**tools, "PASSWORD": broker.password("operator")}
        assert await shell(remove, operator) == ""
        removed = await all_topics.read_until(lambda line: line == "pillow/cloud-1/state (null)")
        assert removed


async def test_the_python_program_reads_states_availability_and_removals(
    broker: Broker, pillow: aiomqtt.Client, tmp_path: Path
) -> None:
    """With paho-mqtt, as it stands but for the port."""
    (text,) = blocks("integrations.md", "Python", "python")
    program = tmp_path / "reader.py"
    program.write_text(at_port(text, broker))
    async with running(sys.executable, program) as reader:
        known = await reader.read_until(lambda line: line == "cloud-1 is online")
        assert any(line.startswith("cloud-1: hugging at 20") for line in known)
        await pillow.publish("pillow/cloud-1/state", "", 1, True)
        await reader.read_until(lambda line: line == "cloud-1: state removed")


async def test_a_pillow_with_its_own_user_writes_its_own_topics_only(
    broker: Broker, tools: dict[str, str], tmp_path: Path
) -> None:
    """The command and the program of the chapter; another pillow's topics are refused."""
    chapter = "A pillow that speaks MQTT itself"
    (command,) = blocks("integrations.md", chapter, "sh")
    (text,) = blocks("integrations.md", chapter, "python")
    env = {**tools, "PASSWORD": broker.credentials_command("show", "cloud-7")}

    assert await shell(command, env) == ""
    for topic in ("cloud-1/state", "cloud-1/availability", "bridge/gateway/x/status"):
        refused = f'mosquitto_pub -V 5 -u cloud-7 -P "$PASSWORD" -q 1 -t pillow/{topic} -m x'
        assert "Not authorized" in await shell(refused, env), topic

    program = tmp_path / "pillow.py"
    program.write_text(at_port(text, broker))
    received: dict[str, list[str]] = {}
    async with user(broker, "operator") as reader:
        await reader.subscribe("pillow/cloud-7/#", qos=1)
        async with running(sys.executable, program, env=env) as speaking:
            assert await speaking.output() == ""
        async with asyncio.timeout(WITHIN_S):
            async for message in reader.messages:
                assert isinstance(message.payload, bytes)
                kind = str(message.topic).rpartition("/")[2]
                received.setdefault(kind, []).append(message.payload.decode())
                if received.get("availability", [])[-1:] == ["offline"]:
                    break
    assert received["availability"][-2:] == ["online", "offline"], "its last will"
    assert json.loads(received["state"][-1])["state"] == "hugging"


NODE_RED = """
const flow = JSON.parse(process.argv[2]);
const read = new Function("msg", flow.find((node) => node.type === "function").func);
for (const payload of JSON.parse(process.argv[3])) {
  console.log(JSON.stringify(read({ topic: "pillow/cloud-1/state", payload })));
}
"""


async def test_the_flow_of_node_red_is_whole_and_its_function_reads_states(
    tmp_path: Path,
) -> None:
    """Every wire ends at a node; a removal goes no further."""
    (text,) = blocks("integrations.md", "Node-RED", "json")
    flow = {node["id"]: node for node in json.loads(text)}
    for node in flow.values():
        assert {end for output in node.get("wires", []) for end in output} <= flow.keys()
        assert {node.get("z"), node.get("broker")} - {None, "localhost"} <= flow.keys()
    (reader,) = (node for node in flow.values() if node["type"] == "mqtt in")
    assert (reader["topic"], reader["datatype"]) == ("pillow/+/state", "utf8")
    script = tmp_path / "run.js"
    script.write_text(NODE_RED)
    payloads = json.dumps([state("cloud-1", "shaking").decode(), ""])

    async with running(find_node(), script, text, payloads) as program:
        message, removed = (await program.output()).splitlines()

    found = json.loads(message)
    assert (found["pillow"], found["payload"]) == ("cloud-1", "shaking")
    assert found["state"]["pillow"] == "cloud-1"
    assert removed == "null"


PRELUDE = """
const banner = (text) => { if (text === "live") console.log("live"); };
const show = (id, pillow) => console.log(id, pillow?.state ?? "removed");
"""


async def test_the_program_after_mqttjs_shows_what_the_one_before_showed(
    broker: Broker, pillow: aiomqtt.Client, tmp_path: Path
) -> None:
    """And ten lines are changed, at most."""
    (before,) = blocks("coming-from-mqttjs.md", "Before", "js")
    (after,) = blocks("coming-from-mqttjs.md", "After", "js")
    modules = tmp_path / "node_modules"
    modules.mkdir()
    need((ROOT / "node_modules" / "mqtt").is_dir(), "MQTT.js not installed: run scripts/setup")
    for name in ("mqtt", "pillowcast"):
        source = ROOT / "node_modules" / name
        if name == "pillowcast":
            source = ROOT / "services/gateway/src/gateway/static/client"
        (modules / name).symlink_to(source)
    changed = list(difflib.ndiff(before.split("\n"), after.split("\n")))
    assert sum(line.startswith("+ ") for line in changed) <= 10

    async with Gateway(broker, "pillow") as gateway:
        shown = []
        for name, text, url in (
            ("before", before.replace("wss://broker.example/mqtt", broker_url(broker)), "mqtt"),
            ("after", after.replace("https://pillows.example", gateway.url), "pillowcast"),
        ):
            assert url in text
            await pillow.publish("pillow/cloud-1/state", state("cloud-1", "hugging"), 1, True)
            program = tmp_path / f"{name}.mjs"
            program.write_text(text + PRELUDE)
            async with running(find_node(), program, cwd=tmp_path) as page:
                lines = await page.read_until(lambda line: line == "cloud-1 hugging")
                await pillow.publish("pillow/cloud-1/state", state("cloud-1", "spinning"), 1, True)
                lines += await page.read_until(lambda line: line == "cloud-1 spinning")
                await pillow.publish("pillow/cloud-1/state", "", 1, True)
                lines += await page.read_until(lambda line: line == "cloud-1 removed")
            shown.append(sorted(line for line in lines if "cloud-7" not in line))
        assert shown[0] == shown[1]
        await check_sizes(gateway)


async def check_sizes(gateway: Gateway) -> None:
    """Compare the sizes in the table with those of the files."""
    text = (ROOT / "docs" / "coming-from-mqttjs.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if "code to load" in line)
    stated = [int(cell.split(" KiB")[0].split()[-1]) for cell in row.split("|")[2:4]]
    theirs = (ROOT / "node_modules" / "mqtt" / "dist" / "mqtt.min.js").read_bytes()
    ours = (await gateway.get("/pillowcast.js")).content

    sizes = [len(gzip.compress(each)) / 1024 for each in (theirs, ours)]
    assert sizes == pytest.approx(stated, abs=1.5)


def at_port(text: str, broker: Broker) -> str:
    """Return a Python program that connects to a broker of the tests."""
    assert '"localhost", 1883' in text
    return text.replace('"localhost", 1883', f'"{ports.HOST}", {broker.port}')


def broker_url(broker: Broker) -> str:
    """Return the address of a broker."""
    return f"mqtt://{ports.HOST}:{broker.port}"
