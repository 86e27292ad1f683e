"""The broker's configuration and ACL, tested on a mosquitto with its own and other clients."""

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

# Above 1,000, which is mosquitto's default limit of retained messages for a new subscriber.
MANY = 2_500


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """Start mosquitto with the repository's configuration on a free port."""
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
    """Return a client of the broker; a user's password is the user's name."""
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
    """Run one of mosquitto's clients; return its exit status and all its output."""
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
    """Publish with mosquitto_pub; return its output, which is empty if the broker accepted it."""
    address = ["-h", ports.HOST, "-p", str(broker.port)]
    _, output = await command(
        "mosquitto_pub", *address, "-V", "5", "-q", "1", "-m", "x", "-t", topic, *options
    )
    return output


async def test_an_anonymous_client_reads_every_topic(broker: Broker) -> None:
    """`mosquitto_sub -t 'pillow/#' -v` needs no password."""
    for topic in ("pillow/cloud-1/state", "pillow/bridge/poller/here/status"):
        assert await publish(broker, topic, "-r", "-u", "poller", "-P", "poller") == ""

    _, output = await command(
        "mosquitto_sub", "-p", str(broker.port), "-t", "pillow/#", "-v", "-C", "2", "-W", "5"
    )

    assert sorted(output.splitlines()) == [
        "pillow/bridge/poller/here/status x",
        "pillow/cloud-1/state x",
    ]


async def test_an_anonymous_client_reads_the_brokers_own_topics(broker: Broker) -> None:
    """The health check of docker-compose.yml does."""
    _, output = await command(
        "mosquitto_sub", "-p", str(broker.port), "-t", "$SYS/broker/version", "-C", "1", "-W", "5"
    )

    assert output.startswith("mosquitto version")


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
async def test_a_publish_that_the_acl_does_not_grant_is_refused(
    broker: Broker, user: str | None, topic: str
) -> None:
    """With MQTT 5's reason code, so that the client notices."""
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
        ("simulator", "pillow/bridge/pillow/cloud-1/mark"),
        ("poller", "pillow/bridge/poller/here/mark"),
        ("gateway", "pillow/bridge/gateway/here/mark"),
    ],
)
async def test_a_service_may_publish_its_own_topics(broker: Broker, user: str, topic: str) -> None:
    """States, availability, status and dead letters."""
    assert await publish(broker, topic, "-u", user, "-P", user) == ""


async def test_a_client_with_a_wrong_password_is_refused(broker: Broker) -> None:
    """It does not become an anonymous one."""
    output = await publish(broker, "pillow/cloud-1/state", "-u", "poller", "-P", "wrong")

    assert "Not authorized" in output


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311])
async def test_a_new_subscriber_gets_all_2500_retained_states(
    broker: Broker, version: aiomqtt.ProtocolVersion
) -> None:
    """Without max_queued_messages 0, mosquitto drops those above 1,000 silently."""
    topics = {f"pillow/cloud-{number}/state" for number in range(MANY)}
    async with client(broker, "poller") as poller:
        poller.pending_calls_threshold = MANY
        await asyncio.gather(
            *(poller.publish(topic, b"{}", qos=1, retain=True, timeout=30) for topic in topics)
        )

    received = set()
    async with asyncio.timeout(30), client(broker, version=version) as reader:
        await reader.subscribe("pillow/#", qos=1)
        async for message in reader.messages:
            received.add(str(message.topic))
            if len(received) == MANY:
                break

    assert received == topics


async def test_a_state_of_65_kib_is_delivered(broker: Broker) -> None:
    """A queue message is at most 64 KiB; its state has hops as well."""
    largest = b"x" * (64 * 1024 + 1024)
    async with client(broker) as reader, client(broker, "poller") as poller:
        await reader.subscribe("pillow/#", qos=1)
        await poller.publish("pillow/cloud-1/state", largest, qos=1, timeout=10)
        async with asyncio.timeout(10):
            message = await anext(aiter(reader.messages))

    assert message.payload == largest


async def test_the_last_will_of_a_killed_client_is_published(broker: Broker) -> None:
    """Its status is then `offline`."""
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
    """The broker saves them when it stops."""
    await publish(broker, "pillow/cloud-1/state", "-r", "-u", "poller", "-P", "poller")

    await broker.stop()
    await broker.start()

    async with asyncio.timeout(10), client(broker) as reader:
        await reader.subscribe("pillow/#")
        message = await anext(aiter(reader.messages))
    assert str(message.topic) == "pillow/cloud-1/state"


async def test_a_connection_and_a_publish_cause_no_log_line(broker: Broker) -> None:
    """Normal operation logs nothing."""
    await publish(broker, "pillow/cloud-1/state", "-u", "poller", "-P", "poller")
    await broker.stop()

    assert broker.log.lines == []


async def test_the_acl_grants_the_topics_of_the_prefix_only() -> None:
    """`mosquitto/start` replaces `pillow` with TOPIC_PREFIX."""
    need_mosquitto()
    prefix = f"t{uuid4().hex[:8]}"
    poller = ["-u", "poller", "-P", "poller"]
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        assert await publish(broker, f"{prefix}/cloud-1/state", *poller) == ""
        assert "Not authorized" in await publish(broker, "pillow/cloud-1/state", *poller)


async def test_the_prefix_plus_grants_every_one_level_prefix() -> None:
    """Tests share a broker with it."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        accepted = await publish(broker, "any/cloud-1/state", "-u", "poller", "-P", "poller")
        refused = await publish(broker, "any/cloud-1/state", "-u", "gateway", "-P", "gateway")

    assert accepted == ""
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
def test_a_setting_with_a_special_character_is_refused_with_exit_status_2(
    variable: str, value: str, tmp_path: Path
) -> None:
    """The message names the variable, and never a password's value."""
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
