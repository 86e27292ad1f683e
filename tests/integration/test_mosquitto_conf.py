"""What the broker's configuration promises, asked of a real mosquitto by others' clients."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aiomqtt
import pytest

from devstack import ports
from devstack.broker import SEARCH, Broker, User
from devstack.processes import ROOT
from tests.machine import need_mosquitto

# More than the 1,000 above which mosquitto, unless told otherwise, cuts the retained set short.
MANY = 2_500


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """mosquitto with the repository's configuration, on a port of its own."""
    need_mosquitto()
    async with Broker(kind="mosquitto") as started:
        yield started


def client(
    broker: Broker,
    user: User | None = None,
    *,
    version: aiomqtt.ProtocolVersion = aiomqtt.ProtocolVersion.V5,
    will: aiomqtt.Will | None = None,
) -> aiomqtt.Client:
    """A client of the broker; a user's password is the user's name."""
    return aiomqtt.Client(
        ports.HOST,
        broker.port,
        username=user,
        password=user,
        protocol=version,
        will=will,
        max_inflight_messages=500,
    )


async def command(*words: str) -> tuple[int, str]:
    """Run one of mosquitto's own clients; return its exit status and all it printed."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": SEARCH},
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def publish(broker: Broker, topic: str, *options: str) -> str:
    """Publish with mosquitto_pub; return what it says, nothing when the broker took it."""
    address = ["-h", ports.HOST, "-p", str(broker.port)]
    _, said = await command(
        "mosquitto_pub", *address, "-V", "5", "-q", "1", "-m", "x", "-t", topic, *options
    )
    return said


async def test_anyone_reads_everything_without_any_set_up(broker: Broker) -> None:
    for topic in ("pillow/cloud-1/state", "pillow/bridge/poller/here/status"):
        assert await publish(broker, topic, "-r", "-u", "poller", "-P", "poller") == ""

    _, said = await command(
        "mosquitto_sub", "-p", str(broker.port), "-t", "pillow/#", "-v", "-C", "2", "-W", "5"
    )

    assert sorted(said.splitlines()) == [
        "pillow/bridge/poller/here/status x",
        "pillow/cloud-1/state x",
    ]


async def test_anyone_reads_what_the_broker_says_of_itself(broker: Broker) -> None:
    _, said = await command(
        "mosquitto_sub", "-p", str(broker.port), "-t", "$SYS/broker/version", "-C", "1", "-W", "5"
    )

    assert said.startswith("mosquitto version")


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        (None, "pillow/cloud-1/state"),
        (None, "pillow/bridge/poller/here/status"),
        (None, "elsewhere"),
        ("gateway", "pillow/cloud-1/state"),
        ("gateway", "pillow/cloud-1/availability"),
        ("gateway", "pillow/bridge/poller/here/status"),
        ("simulator", "pillow/bridge/gateway/here/status"),
        ("simulator", "pillow/bridge/poller/here/dead-letter"),
        ("poller", "pillow/cloud-1/availability"),
        ("poller", "pillow/bridge/gateway/here/status"),
        ("poller", "elsewhere"),
    ],
)
async def test_a_write_that_is_not_granted_is_refused(
    broker: Broker, user: str | None, topic: str
) -> None:
    options = ["-u", user, "-P", user] if user else []

    assert "Not authorized" in await publish(broker, topic, *options)


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("poller", "pillow/cloud-1/state"),
        ("poller", "pillow/bridge/poller/here/status"),
        ("poller", "pillow/bridge/poller/here/dead-letter"),
        ("gateway", "pillow/bridge/gateway/here/status"),
        ("simulator", "pillow/cloud-1/state"),
        ("simulator", "pillow/cloud-1/availability"),
        ("simulator", "pillow/bridge/simulator/here/status"),
    ],
)
async def test_each_service_writes_what_it_must(broker: Broker, user: str, topic: str) -> None:
    assert await publish(broker, topic, "-u", user, "-P", user) == ""


async def test_a_wrong_password_is_no_anonymous_reader(broker: Broker) -> None:
    said = await publish(broker, "pillow/cloud-1/state", "-u", "poller", "-P", "wrong")

    assert "Not authorized" in said


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311])
async def test_a_new_subscriber_gets_the_whole_retained_set(
    broker: Broker, version: aiomqtt.ProtocolVersion
) -> None:
    wanted = {f"pillow/cloud-{number}/state" for number in range(MANY)}
    async with client(broker, "poller") as poller:
        poller.pending_calls_threshold = MANY
        await asyncio.gather(
            *(poller.publish(topic, b"{}", qos=1, retain=True, timeout=30) for topic in wanted)
        )

    found = set()
    async with asyncio.timeout(30), client(broker, version=version) as reader:
        await reader.subscribe("pillow/#", qos=1)
        async for message in reader.messages:
            found.add(str(message.topic))
            if len(found) == MANY:
                break

    assert found == wanted


async def test_the_largest_state_passes(broker: Broker) -> None:
    largest = b"x" * (64 * 1024 + 1024)
    async with client(broker) as reader, client(broker, "poller") as poller:
        await reader.subscribe("pillow/#", qos=1)
        await poller.publish("pillow/cloud-1/state", largest, qos=1, timeout=10)
        async with asyncio.timeout(10):
            message = await anext(aiter(reader.messages))

    assert message.payload == largest


async def test_a_client_that_dies_leaves_its_last_will(broker: Broker) -> None:
    topic = "pillow/bridge/gateway/here/status"
    will = aiomqtt.Will(topic, b"offline", qos=1, retain=True)
    async with client(broker) as reader:
        await reader.subscribe(topic, qos=1)
        address = ["-p", str(broker.port), "-u", "gateway", "-P", "gateway"]
        dying = await asyncio.create_subprocess_exec(
            "mosquitto_sub",
            *address,
            *["-t", "$SYS/broker/version"],
            *["--will-topic", topic, "--will-payload", "offline", "--will-qos", "1"],
            "--will-retain",
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PATH": SEARCH},
        )
        assert dying.stdout is not None
        async with asyncio.timeout(10):
            await dying.stdout.readline()
            dying.kill()
            await dying.communicate()
            message = await anext(aiter(reader.messages))

    assert message.payload == will.payload


async def test_retained_states_survive_a_restart(broker: Broker) -> None:
    await publish(broker, "pillow/cloud-1/state", "-r", "-u", "poller", "-P", "poller")

    await broker.stop()
    await broker.start()

    async with asyncio.timeout(10), client(broker) as reader:
        await reader.subscribe("pillow/#")
        message = await anext(aiter(reader.messages))
    assert str(message.topic) == "pillow/cloud-1/state"


async def test_normal_operation_logs_nothing(broker: Broker) -> None:
    await publish(broker, "pillow/cloud-1/state", "-u", "poller", "-P", "poller")
    await broker.stop()

    assert broker.log.lines == []


async def test_the_acl_follows_the_prefix() -> None:
    need_mosquitto()
    prefix = f"t{uuid4().hex[:8]}"
    poller = ["-u", "poller", "-P", "poller"]
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        assert await publish(broker, f"{prefix}/cloud-1/state", *poller) == ""
        assert "Not authorized" in await publish(broker, "pillow/cloud-1/state", *poller)


async def test_a_plus_is_every_prefix() -> None:
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        said = await publish(broker, "any/cloud-1/state", "-u", "poller", "-P", "poller")
        refused = await publish(broker, "any/cloud-1/state", "-u", "gateway", "-P", "gateway")

    assert said == ""
    assert "Not authorized" in refused


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MQTT_PASSWORD_GATEWAY", "with:colon"),
        ("MQTT_PASSWORD_POLLER", "with@at"),
        ("TOPIC_PREFIX", "a|b"),
        ("TOPIC_PREFIX", "#"),
    ],
)
def test_a_setting_that_would_half_work_is_refused(
    variable: str, value: str, tmp_path: Path
) -> None:
    refused = subprocess.run(
        ["sh", str(ROOT / "mosquitto" / "start")],
        env={"PATH": SEARCH, "MOSQUITTO_RUN": str(tmp_path), variable: value},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert refused.returncode == 2
    assert variable in refused.stderr
    assert (value in refused.stderr) == (variable == "TOPIC_PREFIX")
