"""What the services write holds no key, token, password or connection string.

Every secret contains MARK. Each test collects whatever a run has written, and looks for MARK, as it
is, and in Base64.
"""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.processes import Program
from tests.gateway import Gateway, connect_publisher, request, state
from tests.poller import Poller, put, subscribed
from tests.waiting import until

BIN: Final = Path(sys.executable).parent
WITHIN_S: Final = 30.0

MARK: Final = f"Zq7{uuid4().hex[:13]}"
"""Sixteen characters, so that a secret of Base64 may contain them."""

KEY: Final = base64.b64encode(b"0123456789").decode()[:12] + MARK + "A" * 20
SAS: Final = f"sv=2025-05-05&ss=q&srt=so&sp=rwdlacup&se=2030-01-01T00:00:00Z&sig={MARK}abc%2Fdef%3D"
TOKEN: Final = f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJwaWxsb3dzIjpbIioiXX0.{MARK}{'x' * 27}"
SECRET: Final = f"secret-{MARK}-{'y' * 16}"


class Written:
    """Texts that were written, each with where it was found."""

    def __init__(self) -> None:
        self._texts: list[tuple[str, str]] = []

    def add(self, where: str, text: str | bytes) -> None:
        """Add a text."""
        self._texts.append((where, text if isinstance(text, str) else text.decode("latin-1")))

    def add_program(self, program: Program) -> None:
        """Add what a program has written to its standard output and error."""
        assert program.log.lines, f"{program.name} has written nothing"
        self.add(f"output of {program.name}", "\n".join(program.log.lines))

    def add_arguments(self, program: Program) -> None:
        """Add the arguments of a running process, which every user of the machine can read."""
        self.add(f"arguments of {program.name}", arguments(program))

    def assert_no_secret(self) -> None:
        """Fail with each place where a secret was written."""
        found = [
            f"{where}: …{text[max(0, at - 120) : at + 60]}…"
            for where, text in self._texts
            for secret in (MARK, *_encoded(MARK))
            if (at := text.find(secret)) >= 0
        ]
        assert not found, "\n".join(found)


def arguments(program: Program) -> str:
    """Return the command line of a running process."""
    return Path(f"/proc/{program.pid}/cmdline").read_text()


def _encoded(secret: str) -> list[str]:
    """Return Base64 of a secret, as part of a longer text: the middle of it at three positions."""
    middles = []
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + secret.encode()).decode()
        middles.append(text[4:-4])
    return middles


def connection_string(azurite: Azurite) -> str:
    """Return one with a wrong key that contains MARK."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};"
        f"QueueEndpoint={azurite.url};"
    )


def environment(**given: str) -> dict[str, str | None]:
    """Return the settings of a program without those of this process."""
    prefixes = (
        "SIMULATOR_", "AZURE_", "QUEUE_", "POISON_", "POLLER_", "GATEWAY_", "MQTT_", "TOPIC_",
        "LOG_", "INSTANCE",
    )  # fmt: skip
    removed = {name: None for name in os.environ if name.startswith(prefixes)}
    return {**removed, "LOG_FORMAT": "json", "LOG_LEVEL": "debug", **given}


@asynccontextmanager
async def started(command: str, *arguments: str, **given: str) -> AsyncIterator[Program]:
    """Run a command; kill it at the end."""
    program = Program(command, [BIN / command, *arguments], env=environment(**given))
    await program.spawn()
    try:
        yield program
    finally:
        program.kill()
        await program.wait()


@pytest.fixture
def written() -> Written:
    """What a test collects."""
    return Written()


# Settings that are refused.

REFUSED: Final = {
    "gateway": {
        "MQTT_URL": f"mqtt://user:{MARK}@host:notaport",
        "GATEWAY_JWT_SECRET": MARK,
        "GATEWAY_SHARE_KEY": MARK,
        "GATEWAY_JWT_PUBLIC_KEY": f"-----BEGIN PRIVATE KEY-----{MARK}",
        "GATEWAY_JWT_JWKS_URL": f"https://user:{MARK}@127.0.0.1/keys",
        "GATEWAY_ALLOWED_ORIGINS": f"https://user:{MARK}@clouds.example",
        "GATEWAY_PUBLIC_URL": f"https://user:{MARK}@clouds.example/#token={TOKEN}",
        "GATEWAY_TRUSTED_PROXIES": f"https://user:{MARK}@10.0.0.1",
        "TOPIC_PREFIX": f"mqtt://user:{MARK}@host/#",
        "INSTANCE": f"mqtt://user:{MARK}@host",
        "GATEWAY_PORT": f"tcp://user:{MARK}@host",
        "MQTT_PASSWORD": f"line\n{MARK}",
    },
    "poller": {
        "MQTT_URL": f"http://user:{MARK}@host",
        "AZURE_STORAGE_CONNECTION_STRING": f"AccountName=a;AccountKey={MARK}!",
        "AZURE_STORAGE_QUEUE_ENDPOINT": f"http://a.queue.core.windows.net/?{SAS}",
        "QUEUE_NAME": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY};",
        "POISON_QUEUE_NAME": f"https://a.queue.core.windows.net/poison?{SAS}",
        "LOG_LEVEL": f"https://user:{MARK}@host",
    },
    "recorder": {
        "MQTT_URL": f"http://user:{MARK}@host",
        "HISTORY_URL": f"postgresql://pillowcast:{MARK}@db/pillowcast?sslmode={MARK}",
    },
    "simulator": {
        "MQTT_URL": f"mqtt://user:{MARK}@a..b",
        "AZURE_STORAGE_CONNECTION_STRING": f"QueueEndpoint=ftp://a;SharedAccessSignature={SAS}",
        "SIMULATOR_SCENARIO": f"https://user:{MARK}@host/x.toml?sig={MARK}",
    },
}


@pytest.mark.parametrize("command", REFUSED)
async def test_refused_settings_are_named_without_the_secrets_in_them(
    command: str, written: Written
) -> None:
    """All of a service at once; secrets are also pasted where none belongs."""
    async with started(command, **REFUSED[command]) as program, asyncio.timeout(WITHIN_S):
        assert await program.wait() == 2
    written.add_program(program)

    assert all(name in program.log.text for name in REFUSED[command])
    assert "Traceback" not in program.log.text
    written.assert_no_secret()


async def test_an_endpoint_with_a_signature_is_refused(written: Written) -> None:
    """The portal shows such an address, and requests would send it beside a token."""
    endpoint = f"https://a.queue.core.windows.net/?{SAS}"
    async with (
        started("poller", AZURE_STORAGE_QUEUE_ENDPOINT=endpoint) as program,
        asyncio.timeout(WITHIN_S),
    ):
        assert await program.wait() == 2
    written.add_program(program)

    written.assert_no_secret()


# Services that cannot reach what they need, or are refused.

FORMATS: Final = ("json", "console")


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize("is_running", [True, False])
async def test_a_refused_or_unreachable_broker_is_logged_without_the_password(
    broker: Broker, written: Written, prefix: str, style: str, is_running: bool
) -> None:
    """At debug level, of all three services."""
    port = broker.port if is_running else ports.free()
    settings = {
        "MQTT_URL": f"mqtt://user:{quote(f'p@ss/{MARK}', safe='')}@{ports.HOST}:{port}",
        "TOPIC_PREFIX": prefix,
        "LOG_FORMAT": style,
        "GATEWAY_PORT": str(ports.free()),
        "GATEWAY_OPS_PORT": str(ports.free()),
        "POLLER_PORT": str(ports.free()),
        "SIMULATOR_TARGET": "mqtt",
        "AZURE_STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true",
    }
    async with (
        started("gateway", **settings) as gateway,
        started("poller", **settings) as poller,
        started("simulator", "run", **settings) as simulator,
    ):
        for program in (gateway, poller, simulator):
            await program.log.wait_for(str(port), within_s=WITHIN_S)
            written.add_arguments(program)
        for address in (
            f"http://{ports.HOST}:{settings['POLLER_PORT']}/readyz",
            f"http://{ports.HOST}:{settings['GATEWAY_OPS_PORT']}/readyz",
        ):
            async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
                written.add(address, (await client.get(address)).text)
    for program in (gateway, poller, simulator):
        written.add_program(program)

    written.assert_no_secret()


def queue_faults(azurite: Azurite) -> dict[str, dict[str, str]]:
    """Return settings of queues that do not work."""
    nobody = f"http://{ports.HOST}:{ports.free()}/devstoreaccount1"
    return {
        "wrong key": {"AZURE_STORAGE_CONNECTION_STRING": connection_string(azurite)},
        "wrong signature": {
            "AZURE_STORAGE_CONNECTION_STRING": (
                f"QueueEndpoint={azurite.url};SharedAccessSignature={SAS}"
            )
        },
        "unreachable": {
            "AZURE_STORAGE_CONNECTION_STRING": f"QueueEndpoint={nobody};SharedAccessSignature={SAS}"
        },
        "identity": {
            "AZURE_STORAGE_QUEUE_ENDPOINT": f"https://{ports.HOST}:{ports.free()}/account",
            "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000000",
            "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
            "AZURE_CLIENT_SECRET": SECRET,
            "AZURE_AUTHORITY_HOST": f"https://{ports.HOST}:{ports.free()}",
        },
    }


@pytest.mark.parametrize(
    ("fault", "style"),
    [
        ("wrong key", "json"),
        ("wrong key", "console"),
        ("wrong signature", "console"),
        ("unreachable", "json"),
        ("identity", "console"),
    ],
)
async def test_a_queue_that_does_not_work_is_logged_without_its_secret(
    azurite: Azurite, broker: Broker, written: Written, prefix: str, fault: str, style: str
) -> None:
    """By the poller and the simulator at debug level, where the SDK logs its requests too."""
    port = ports.free()
    settings = {
        **queue_faults(azurite)[fault],
        "MQTT_URL": broker.url_for("poller"),
        "TOPIC_PREFIX": prefix,
        "LOG_FORMAT": style,
        "POLLER_PORT": str(port),
    }
    async with (
        started("poller", **settings) as poller,
        started("simulator", "run", **settings) as simulator,
    ):
        await poller.log.wait_for("AZURE_STORAGE", within_s=WITHIN_S)
        await simulator.log.wait_for("AZURE_STORAGE", within_s=WITHIN_S)
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            for path in ("/readyz", "/metrics"):
                response = await client.get(f"http://{ports.HOST}:{port}{path}")
                written.add(path, response.text)
    for program in (poller, simulator):
        written.add_program(program)

    written.assert_no_secret()


QUEUE_COMMANDS: Final = (
    ("poller", "dead-letters", "list"),
    ("simulator", "poke", "cloud-1", "hug"),
)
BROKER_COMMANDS: Final = (("gateway", "shares"), ("gateway", "share", "cloud-1"))


@pytest.mark.parametrize("fault", ["wrong key", "unreachable", "identity"])
async def test_commands_that_fail_write_no_secret(
    azurite: Azurite, written: Written, fault: str
) -> None:
    """Those of the dead letters and of share links, and a poke, at debug level."""
    settings = {
        **queue_faults(azurite)[fault],
        "MQTT_URL": f"mqtt://user:{MARK}@{ports.HOST}:{ports.free()}",
        "GATEWAY_SHARE_KEY": SECRET,
    }

    async def run(words: tuple[str, ...]) -> None:
        async with started(*words, **settings) as program, asyncio.timeout(WITHIN_S):
            assert await program.wait() != 0
        written.add_program(program)

    async with asyncio.TaskGroup() as running:
        # Those of the broker once, because they wait for it.
        for words in QUEUE_COMMANDS + (BROKER_COMMANDS if fault == "unreachable" else ()):
            running.create_task(run(words))

    written.assert_no_secret()


# A gateway with everything set, and clients that send tokens in every way.


@pytest.mark.parametrize("style", FORMATS)
async def test_a_gateway_writes_no_token_that_clients_send_and_no_key(
    broker: Broker, written: Written, prefix: str, style: str
) -> None:
    """In its log at debug level, its responses, metrics and readiness, nor on MQTT."""
    nobody = ports.free()
    gateway = Gateway(
        broker,
        prefix,
        LOG_LEVEL="debug",
        LOG_FORMAT=style,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        GATEWAY_SHARE_KEY=f"{SECRET}-of-shares",
        GATEWAY_JWT_JWKS_URL=f"https://{ports.HOST}:{nobody}/keys?code={MARK}",
    )
    topic = f"{prefix}/#"
    async with gateway, subscribed(broker, topic) as messages:
        async with connect_publisher(broker, prefix) as publisher:
            await publisher.publish(state())
        await gateway.log.wait_for("keys for tokens", within_s=WITHIN_S)
        await send_tokens(gateway, written)
        link = await share_link(gateway, written)
        await watch(gateway, link.rpartition("#token=")[2], written)
        await add_pages(gateway, written)
        written.add_arguments(gateway)
        await until(lambda: bool(messages), "a message")
        for message in messages:
            written.add(f"topic {message.topic}", f"{message.topic} {message.payload!r}")
    written.add_program(gateway)

    written.assert_no_secret()
    assert link.rpartition(".")[2] not in "\n".join(gateway.log.lines)


async def send_tokens(gateway: Gateway, written: Written) -> None:
    """Send tokens as clients should, and as mistaken ones do; collect the responses."""
    paths = (
        "/api/pillows", f"/api/pillows?token={TOKEN}", f"/nothing?access_token={TOKEN}",
        f"/events?token={TOKEN}", f"/ws?token={TOKEN}", f"/?sig={MARK}",
    )  # fmt: skip
    for path in paths:
        for headers in (
            {"Authorization": f"Bearer {TOKEN}"},
            {"Authorization": f"Basic {base64.b64encode(f'user:{MARK}'.encode()).decode()}"},
            {"Cookie": f"token={MARK}"},
        ):
            response = await gateway.get(path, **headers)
            written.add(f"GET {path} {[*headers]}", f"{response.headers} {response.text}")
    for raw in (
        request("/api/pillows", f"Authorization: Bearer {TOKEN}\x01"),
        request("/events", f"Authorization: Bearer {TOKEN}", "Content-Length: nothing"),
        f"GET /{MARK}".encode(),
    ):
        connection = await gateway.open_raw(raw)
        connection.half_close()
        written.add("raw request", await connection.read_to_end())
        connection.close()
    address = f"ws://{ports.HOST}:{gateway.port}/ws"
    for query, protocols, message in (
        ("", [f"bearer.{TOKEN}", "pillowcast.v1"], None),
        (f"?token={TOKEN}", None, TOKEN),
        ("", None, json.dumps({"type": "token", "token": TOKEN})),
        ("", None, json.dumps({"type": "token", "tokens": TOKEN})),
        ("?pillow=cloud-1", None, json.dumps({"type": TOKEN})),
    ):
        await speak(f"{address}{query}", protocols, message, written)


async def speak(
    address: str, protocols: list[str] | None, message: str | None, written: Written
) -> None:
    """Open a WebSocket, send a message, and collect what comes back until it is closed."""
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            connect(address, subprotocols=protocols, proxy=None) as socket,  # type: ignore[arg-type]
        ):
            if message is not None:
                with suppress(WebSocketException):  # it may be refused already
                    await socket.send(message)
            async for frame in socket:
                written.add(f"frame after {message}", str(frame))
            written.add(f"close after {message}", f"{socket.close_reason}")
    except InvalidStatus as error:
        written.add(f"response to {address}", bytes(error.response.body or b""))
    except WebSocketException as error:
        written.add(f"error after {message}", str(error))


async def share_link(gateway: Gateway, written: Written) -> str:
    """Return a new share link; what the command writes beside it has no token."""
    process = await asyncio.create_subprocess_exec(
        BIN / "gateway", "share", "cloud-1", "--note", "grandma",
        env={name: value for name, value in {**os.environ, **gateway.env}.items() if value},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(WITHIN_S):
        out, err = await process.communicate()
    assert process.returncode == 0, err
    link = out.decode().strip()
    written.add("gateway share", err)
    assert link.rpartition(".")[2] not in err.decode()
    return link


async def watch(gateway: Gateway, token: str, written: Written) -> None:
    """Use a share link's token as the page does."""
    async with gateway.connect() as socket:
        await socket.send({"type": "token", "token": token})
        assert [one["pillow"] for one in await socket.receive_snapshot()] == ["cloud-1"]
        written.add("snapshot", socket.raw)
        assert token not in socket.raw.decode()


async def add_pages(gateway: Gateway, written: Written) -> None:
    """Collect metrics, readiness and the documents."""
    for base in (gateway.url, gateway.ops_url):
        for path in ("/metrics", "/readyz", "/healthz", "/openapi.json", "/asyncapi.json", "/"):
            async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
                response = await client.get(f"{base}{path}")
                written.add(f"{base}{path}", f"{response.headers} {response.text}")


async def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    broker: Broker, prefix: str, written: Written
) -> None:
    """By recorder and gateway, in their logs, on their ports, and by the recorder's commands."""
    database = f"postgresql://pillowcast:{SECRET}@{ports.HOST}:{ports.free()}/pillowcast"
    port = str(ports.free())
    gateway = Gateway(broker, prefix, HISTORY_URL=database, LOG_LEVEL="debug")
    settings = {"MQTT_URL": broker.url_for("recorder"), "RECORDER_PORT": port}
    settings |= {"HISTORY_URL": database, "TOPIC_PREFIX": prefix}
    async with started("recorder", **settings) as recorder, gateway:
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            await recorder.log.wait_for("the database cannot be written", within_s=WITHIN_S)
            for url in (f"http://{ports.HOST}:{port}", gateway.ops_url):
                for path in ("/readyz", "/metrics", "/ops/about"):
                    written.add(path, (await client.get(url + path)).text)
            past = f"{gateway.url}/api/pillows/cloud-1/history"
            written.add("history", (await client.get(past)).text)
            await gateway.log.wait_for("the database of HISTORY_URL cannot", within_s=WITHIN_S)
        for program in (recorder, gateway):
            written.add_program(program)
            written.add_arguments(program)
    for url in (database, f"{database}?nonsense=1", f"{database}?sslmode={SECRET}"):
        async with started("recorder", "stats", HISTORY_URL=url) as command:
            await command.wait()
            written.add_program(command)

    written.assert_no_secret()


async def test_a_poller_and_a_simulator_that_work_write_no_secret(
    azurite: Azurite, broker: Broker, written: Written, prefix: str, queue_name: str
) -> None:
    """The account's key, and the passwords of the broker, at debug level."""
    secrets = [azurite.connection_string.partition("AccountKey=")[2].partition(";")[0]]
    secrets += [broker.password(user) for user in ("poller", "simulator")]
    settings = {
        "LOG_LEVEL": "debug",
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "POISON_QUEUE_NAME": f"{queue_name}-poison",
    }
    poller = Poller(queue_name, prefix, broker, **settings)
    await put(azurite, queue_name, ["HUGGING", "nothing of a state", "{"])
    texts = []
    async with (
        subscribed(broker, f"{prefix}/#") as messages,
        poller,
        started(
            "simulator", "run", "--target", "mqtt",
            **{**settings, "MQTT_URL": broker.url_for("simulator"), "TOPIC_PREFIX": prefix},
        ) as simulator,
        asyncio.timeout(WITHIN_S),
    ):  # fmt: skip
        wanted = {f"{prefix}/{pillow}/state" for pillow in ("cloud", "cloud-1", "cloud-2")}
        await until(lambda: wanted <= {str(one.topic) for one in messages}, "states of both")
        texts += [(await poller.get(path)).text for path in ("/metrics", "/readyz")]
        texts += [arguments(one) for one in (poller, simulator)]
        simulator.terminate()
        assert await simulator.wait() == 0
    texts += [poller.log.text, simulator.log.text]
    texts += [f"{message.topic} {message.payload!r}" for message in messages]

    assert poller.log.lines
    for secret in secrets:
        assert secret not in "\n".join(texts)
