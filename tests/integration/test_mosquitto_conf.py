"""The broker's configuration and ACL, tested on a mosquitto with its own and other clients."""

import asyncio
import os
import stat
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import get_args
from uuid import uuid4

import aiomqtt
import pytest

from devstack import ports
from devstack.broker import SEARCH, Broker, User
from devstack.processes import ROOT
from tests.machine import need_mosquitto

# Above 1,000, which is mosquitto's default limit of retained messages for a new subscriber.
MANY = 2_500


REFUSED = "Warning: Publish 1 failed: Not authorized.\n"


def _access() -> dict[str, dict[str, str]]:
    """Return what each user may do with each topic, as docs/security.md says."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    head, _, *rows = (
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in text[text.index("| topic |") :].split("\n\n")[0].splitlines()
    )
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


ACCESS = _access()
USERS = list(next(iter(ACCESS.values())))


async def until_answer(broker: Broker, topic: str, options: list[str], wanted: str) -> None:
    """Publish until the broker answers as wanted: it reloads its files in its own time."""
    async with asyncio.timeout(30):
        while True:
            answer = await publish(broker, topic, *options)
            if answer == wanted or (wanted and wanted in answer):
                return


@pytest.fixture(scope="module")
async def access_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """Start mosquitto with a pillow's user as well."""
    need_mosquitto()
    broker = Broker(kind="mosquitto", credentials=tmp_path_factory.mktemp("credentials"))
    broker.credentials_command("add", "cloud-1")
    async with broker:
        yield broker


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """Start mosquitto with the repository's configuration on a free port."""
    need_mosquitto()
    async with Broker(kind="mosquitto") as started:
        yield started


def client(
    broker: Broker,
    user: str | None = None,
    *,
    version: aiomqtt.ProtocolVersion = aiomqtt.ProtocolVersion.V5,
    will: aiomqtt.Will | None = None,
) -> aiomqtt.Client:
    """Return a client of the broker."""
    if user == "anonymous":
        user = None
    return aiomqtt.Client(
        ports.HOST,
        broker.port,
        username=user,
        password=user and broker.credentials_command("show", user),
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


def sign_in(broker: Broker, user: str) -> list[str]:
    """Return the options of mosquitto's clients for a user of the table."""
    if user == "anonymous":
        return []
    return ["-u", user, "-P", broker.credentials_command("show", user)]


async def end(broker: Broker) -> None:
    """End the broker by SIGTERM alone, however long it saves."""
    broker.terminate()
    async with asyncio.timeout(30):
        await broker.wait()


async def publish(broker: Broker, topic: str, *options: str, port: int | None = None) -> str:
    """Publish with mosquitto_pub; return its output, which is empty if the broker accepted it."""
    address = ["-h", ports.HOST, "-p", str(port or broker.port)]
    _, output = await command(
        "mosquitto_pub", *address, "-V", "5", "-q", "1", "-m", "x", "-t", topic, *options
    )
    return output


async def test_an_anonymous_client_reads_states_and_status_by_one_filter(broker: Broker) -> None:
    """`mosquitto_sub -t 'pillow/#' -v` needs no password, and shows no dead letter."""
    poller = sign_in(broker, "poller")
    for topic in ("cloud-1/state", "bridge/poller/here/status", "bridge/poller/here/dead-letter"):
        assert await publish(broker, f"pillow/{topic}", "-r", *poller) == ""

    reading = asyncio.ensure_future(
        command("mosquitto_sub", "-p", str(broker.port), "-t", "pillow/#", "-v", "-C", "3")
    )
    while not reading.done():
        # It comes behind all that is retained.
        assert await publish(broker, "pillow/cloud-2/state", *poller) == ""
        await asyncio.wait((reading,), timeout=0.1)
    _, output = reading.result()

    assert sorted(output.splitlines()) == [
        "pillow/bridge/poller/here/status x",
        "pillow/cloud-1/state x",
        "pillow/cloud-2/state x",
    ]


async def readable(broker: Broker, user: str, topics: Sequence[str]) -> set[str]:
    """Return those of the retained `topics` that a user receives."""
    received = set()
    async with client(broker, user) as reader:
        for topic in topics:
            await reader.subscribe(topic, qos=1)
        # What was retained comes before the acknowledgement of a later subscription.
        await reader.subscribe("nothing", qos=1)
        while len(reader.messages):
            received.add(str((await anext(aiter(reader.messages))).topic))
    return received


@pytest.mark.parametrize("user", USERS)
async def test_a_user_may_do_what_the_table_of_the_documentation_says_and_nothing_else(
    access_broker: Broker, user: str
) -> None:
    """Each topic, to read and to write; a refused publish has MQTT 5's reason code."""
    broker = access_broker
    topics = [topic for topic in ACCESS if not topic.startswith("$")]
    for topic in topics:
        writers = [name for name in USERS if "write" in ACCESS[topic][name]]
        if writers:
            assert await publish(broker, topic, "-r", *sign_in(broker, writers[0])) == ""

    answers = await asyncio.gather(
        *(publish(broker, topic, *sign_in(broker, user)) for topic in ACCESS)
    )

    writable = {topic for topic, answer in zip(ACCESS, answers, strict=True) if answer == ""}
    assert {answer for answer in answers if answer} <= {REFUSED}
    assert writable == {topic for topic in ACCESS if "write" in ACCESS[topic][user]}
    assert await readable(broker, user, list(ACCESS)) == {
        topic for topic in ACCESS if "read" in ACCESS[topic][user]
    }


async def test_a_crowd_of_anonymous_clients_does_not_keep_a_service_out(broker: Broker) -> None:
    """The services have a listener of their own."""
    crowd = [await asyncio.open_connection(ports.HOST, broker.port) for _ in range(1_010)]

    refused = await publish(broker, "pillow/cloud-1/state", *sign_in(broker, "poller"))
    service = await publish(
        broker, "pillow/cloud-1/state", *sign_in(broker, "poller"), port=broker.services_port
    )

    for _, writer in crowd:
        writer.close()
    assert refused != ""
    assert service == ""


async def test_the_services_listener_admits_nobody_without_a_password(broker: Broker) -> None:
    """It may be reached from more than loopback."""
    answer = await publish(broker, "pillow/cloud-1/state", port=broker.services_port)

    assert "Not authorized" in answer


@pytest.mark.parametrize(("setting", "answer"), [("", "not authorised"), ("true", "")])
async def test_anonymous_clients_are_refused_on_an_address_that_is_not_loopback(
    setting: str, answer: str
) -> None:
    """Unless MOSQUITTO_ANONYMOUS says that the network is an inner one."""
    need_mosquitto()
    broker = Broker(kind="mosquitto")
    broker.env["MOSQUITTO_LISTENER"] = f"{broker.port} 0.0.0.0"
    broker.env["MOSQUITTO_ANONYMOUS"] = setting
    await broker.spawn()
    try:
        output = not_listening = "Error: Connection refused\n"
        async with asyncio.timeout(40):
            while output == not_listening:
                _, output = await command(
                    "mosquitto_sub", "-p", str(broker.port), "-t", "pillow/#", "-E", "-W", "15"
                )
    finally:
        await broker.close()

    assert answer in output.lower()
    assert (output == "") == (answer == "")


async def test_no_password_is_the_users_name_or_the_same_in_two_deployments(tmp_path: Path) -> None:
    """They are made at the first start, and only their owner reads them."""
    need_mosquitto()
    one, other = (Broker(kind="mosquitto", credentials=tmp_path / name) for name in ("a", "b"))

    for user in get_args(User):
        assert user not in one.password(user)
        assert len(one.password(user)) == 48
        assert one.password(user) != other.password(user)
        assert stat.S_IMODE(one.password_file(user).stat().st_mode) == 0o400
    for broker in (one, other):
        await broker.close()


async def test_the_broker_keeps_no_password_but_its_hash(access_broker: Broker) -> None:
    """By PBKDF2 with SHA-512 (`$7$`), and a salt for each user."""
    config = Path(access_broker.env["MOSQUITTO_RUN"] or "")
    kept = (config / "passwd").read_text(encoding="utf-8")
    users = dict(line.split(":", 1) for line in kept.splitlines())

    assert {"poller", "gateway", "operator", "cloud-1"} <= users.keys()
    for user, stored in users.items():
        assert stored.startswith("$7$"), user
        assert access_broker.credentials_command("show", user) not in kept
    assert len({stored.split("$")[3] for stored in users.values()}) == len(users)


async def test_passwords_are_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    """A client that was started by hand keeps its password."""
    need_mosquitto()
    passwords = []
    for _ in range(2):
        broker = Broker(kind="mosquitto", credentials=tmp_path)
        passwords.append(broker.password("poller"))
        await broker.close()

    assert passwords[0] == passwords[1]


async def test_a_pillow_is_added_and_removed_while_the_broker_runs(
    access_broker: Broker,
) -> None:
    """Other connections stay."""
    broker = access_broker
    async with client(broker, "poller") as poller:
        password = broker.credentials_command("add", "cloud-9")
        broker.reload()
        device = ["-u", "cloud-9", "-P", password]
        await until_answer(broker, "pillow/cloud-9/state", device, "")

        broker.credentials_command("remove", "cloud-9")
        broker.reload()
        await until_answer(broker, "pillow/cloud-9/state", device, "Not authorized")
        await poller.publish("pillow/cloud-1/state", b"x", qos=1, timeout=20)


@pytest.mark.parametrize("name", ["bridge", "poller", "../x", "A", "-a", "", "a" * 64])
def test_a_name_that_cannot_be_a_pillows_user_is_refused(name: str, tmp_path: Path) -> None:
    """A service's name, and what is no id."""
    refused = subprocess.run(
        ["sh", str(ROOT / "mosquitto" / "credentials"), "add", name],
        env={"PATH": SEARCH, "CREDENTIALS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stdout == ""


async def test_a_client_with_a_wrong_password_is_refused(broker: Broker) -> None:
    """It does not become an anonymous one."""
    output = await publish(broker, "pillow/cloud-1/state", "-u", "poller", "-P", "wrong")

    assert "Not authorized" in output


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311])
async def test_a_new_subscriber_gets_all_2500_retained_states(
    broker: Broker, version: aiomqtt.ProtocolVersion
) -> None:
    """With its default of max_queued_messages, mosquitto drops those above 1,000 silently."""
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
    await publish(broker, "pillow/cloud-1/state", "-r", *sign_in(broker, "poller"))
    async with client(broker) as reader:
        await reader.subscribe(topic, qos=1)
        address = ["-p", str(broker.port), *sign_in(broker, "gateway")]
        dying = await asyncio.create_subprocess_exec(
            "mosquitto_sub",
            *address,
            *["-t", "pillow/+/state", "-v"],
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
    await publish(broker, "pillow/cloud-1/state", "-r", *sign_in(broker, "poller"))

    await end(broker)
    await broker.start()

    async with asyncio.timeout(10), client(broker) as reader:
        await reader.subscribe("pillow/#")
        message = await anext(aiter(reader.messages))
    assert str(message.topic) == "pillow/cloud-1/state"


async def test_a_connection_and_a_publish_cause_no_log_line(broker: Broker) -> None:
    """Normal operation logs nothing."""
    await publish(broker, "pillow/cloud-1/state", *sign_in(broker, "poller"))
    await end(broker)

    assert broker.log.lines == []


async def test_the_acl_grants_the_topics_of_the_prefix_only() -> None:
    """`mosquitto/start` replaces `pillow` with TOPIC_PREFIX."""
    need_mosquitto()
    prefix = f"t{uuid4().hex[:8]}"
    async with Broker(kind="mosquitto", topic_prefix=prefix) as broker:
        poller = sign_in(broker, "poller")
        assert await publish(broker, f"{prefix}/cloud-1/state", *poller) == ""
        assert "Not authorized" in await publish(broker, "pillow/cloud-1/state", *poller)


async def test_the_prefix_plus_grants_every_one_level_prefix() -> None:
    """Tests share a broker with it."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        accepted = await publish(broker, "any/cloud-1/state", *sign_in(broker, "poller"))
        refused = await publish(broker, "any/cloud-1/state", *sign_in(broker, "gateway"))

    assert accepted == ""
    assert "Not authorized" in refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway", "with:colon"),
        ("poller", "with@at"),
        ("devices/cloud-1", "a b"),
        ("TOPIC_PREFIX", "a|b"),
        ("TOPIC_PREFIX", "#"),
        ("MOSQUITTO_ANONYMOUS", "yes"),
    ],
)
def test_a_value_with_a_special_character_is_refused_with_exit_status_2(
    name: str, value: str, tmp_path: Path
) -> None:
    """The message names the variable or the password's file, and never a password's value."""
    env = {"PATH": SEARCH, "MOSQUITTO_RUN": str(tmp_path), "CREDENTIALS": str(tmp_path / "c")}
    if name.isupper():
        env[name] = value
    else:
        file = tmp_path / "c" / (name if "/" in name else f"{name}/password")
        file.parent.mkdir(parents=True)
        file.write_text(value)
    refused = subprocess.run(
        ["sh", str(ROOT / "mosquitto" / "start")],
        env=env,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert refused.returncode == 2
    assert name in refused.stderr
    assert (value in refused.stderr) == name.isupper()
