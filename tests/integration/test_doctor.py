"""`pillowcast doctor` on real services: each fault has a line that names it and says what to do."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.queue import generate_account_sas

from azure_queue.development_account import connection_string
from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from ops.findings import exit_status
from tests.commands import run_to_end
from tests.deployment import Deployment, deployed, doctor, free_port, wrong
from tests.gateway import Gateway
from tests.integration.test_mqtt_tls import TlsBroker
from tests.machine import need_faketime, need_mosquitto
from tests.poller import created_queue
from tests.queue_client import queue_client

pytestmark = pytest.mark.timeout(120)

HOME_ASSISTANT = "POLLER_HOME_ASSISTANT_PREFIX"
COMMAND = Path(sys.executable).parent / "pillowcast"


@pytest.fixture(scope="module")
async def stack(broker: Broker, azurite: Azurite) -> AsyncIterator[Deployment]:
    """A poller and a gateway, for the tests that break nothing of them."""
    async with deployed(broker, azurite) as deployment:
        yield deployment


def one(lines: list[str], *parts: str) -> str:
    """Return the only line, which has these parts."""
    assert len(lines) == 1, lines
    for part in parts:
        assert part in lines[0], lines[0]
    return lines[0]


async def test_a_healthy_deployment_has_nothing_wrong(stack: Deployment) -> None:
    """As the command itself says it, with its exit status, and without a secret."""
    out, err, status = await run_to_end(
        COMMAND, "doctor", "--json", env={**os.environ, **stack.env}, within_s=60
    )
    document = json.loads(out)

    assert (status, err, document["ok"]) == (0, b"", True), out
    password = stack.broker.password("operator")
    assert password not in out.decode()
    areas = [finding["area"] for finding in document["findings"]]
    assert set(areas) == {"settings", "machine", "queue", "broker", "poller", "gateway", "access"}
    assert {"level": "ok", "area": "gateway", "name": "gateway g1: mqtt", "detail": "ok"} in [
        {key: finding[key] for key in ("level", "area", "name", "detail")}
        for finding in document["findings"]
    ]


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"POLLER_POL_MAX": "1"}, ("POLLER_POL_MAX", "no setting", "write POLLER_POLL_MAX")),
        ({"POLLER_POLL_MAX": "often"}, ("POLLER_POLL_MAX", "'often'", "correct it")),
        ({"POLLER_JOURNAL": "/nowhere"}, ("journal", "/nowhere does not exist", "make it")),
        ({"POLLER_JOURNAL": "/proc"}, ("journal", "/proc cannot be written", "let the poller")),
        ({"POISON_QUEUE_NAME": "elsewhere"}, ("elsewhere: there is no such queue", "POISON_QUEUE")),
        ({"QUEUE_NAME": "elsewhere"}, ("elsewhere: there is no such queue", "correct QUEUE_NAME")),
        ({"TOPIC_PREFIX": "other"}, ("pollers: none is online", "TOPIC_PREFIX")),
    ],
)
async def test_a_wrong_setting_is_named_with_what_to_do(
    stack: Deployment, changed: dict[str, str], parts: tuple[str, ...]
) -> None:
    findings = await doctor({**stack.env, **changed})
    lines = [line for line in wrong(findings) if not line.startswith("broker gateways")]

    assert exit_status(findings) == 1
    one(lines, *parts)


async def test_what_is_wrong_with_the_queues_credential_or_address(stack: Deployment) -> None:
    address = f"http://{ports.HOST}:{stack.azurite.port}/devstoreaccount1"
    other_key = connection_string().partition("AccountKey=")[0]
    other_key += f"AccountKey={'A' * 86}==;QueueEndpoint={address};"
    away = connection_string(int(free_port()))
    keys = await doctor({**stack.env, "AZURE_STORAGE_CONNECTION_STRING": other_key})
    gone = await doctor({**stack.env, "AZURE_STORAGE_CONNECTION_STRING": away})

    one(wrong(keys), "queue", "does not accept the credential", "AZURE_STORAGE_CONNECTION_STRING")
    one(wrong(gone), "queue", "no response from", "AZURE_STORAGE_CONNECTION_STRING")


async def test_a_poison_queue_that_fills_is_reported(stack: Deployment) -> None:
    async with created_queue(stack.azurite, f"{stack.queue}-poison") as poison:
        await poison.send_message("nonsense")
        [note] = [one for one in await doctor(stack.env) if one.name == "dead letters"]
        await poison.clear_messages()

    assert (note.level, note.detail) == ("note", "about 1")
    assert "pillowcast dead-letters list" in note.advice


async def test_what_is_wrong_with_the_broker(stack: Deployment) -> None:
    """Down, another password, and a user that may not write what a service must."""
    down = await doctor({**stack.env, "MQTT_URL": f"mqtt://{ports.HOST}:{free_port()}"})
    password = await doctor({**stack.env, "MQTT_URL": f"mqtt://operator:no@{stack_host(stack)}"})
    nowhere = await doctor({**stack.env, "MQTT_URL": "mqtt://no.such.host.invalid"})

    one(wrong(down), "broker connection", "cannot connect", "start the broker")
    one(wrong(password), "Not authorized", "check the user and password in MQTT_URL")
    one(wrong(nowhere), "no.such.host.invalid", "broker connection")


async def test_a_users_rights_are_tried(stack: Deployment) -> None:
    """With messages that no service takes for its own."""
    good = await doctor({**stack.env, "MQTT_URL": stack.broker.url_for("poller")})
    user = f"mqtt://simulator:{stack.broker.password('simulator')}@{stack_host(stack)}"
    denied = await doctor({**stack.env, "MQTT_URL": user, "TOPIC_PREFIX": "a/b"})

    assert wrong(good) == []
    rights = [line for line in wrong(denied) if "right to write" in line]
    assert len(rights) == 2
    assert all("Not authorized" in line and "ACL" in line for line in rights)


async def test_a_right_that_the_poller_does_not_need_is_not_tried(stack: Deployment) -> None:
    env = {**stack.env, "MQTT_URL": stack.broker.url_for("poller")}
    names = [one.name for one in await doctor(env)]
    silent = [one.name for one in await doctor({**env, "POLLER_OFFLINE_AFTER": "0"})]

    assert "right to write availability" in names
    assert "right to write states" in silent
    assert "right to write availability" not in silent


async def test_the_right_to_write_devices_of_home_assistant_is_tried(stack: Deployment) -> None:
    """Only where the poller writes them."""
    env = {**stack.env, "MQTT_URL": stack.broker.url_for("poller")}
    right = "right to write devices of Home Assistant"
    [may] = [
        one for one in await doctor({**env, HOME_ASSISTANT: "homeassistant"}) if right in one.name
    ]
    denied = await doctor({**env, HOME_ASSISTANT: "another"})

    assert may.level == "ok"
    assert "_doctor/config" in may.detail
    one(wrong(denied), right, "Not authorized", "ACL")


def stack_host(stack: Deployment) -> str:
    """Return the broker's host and port."""
    return f"{ports.HOST}:{stack.broker.port}"


async def test_a_service_that_does_not_run_and_a_port_that_another_program_has(
    stack: Deployment,
) -> None:
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        taken = f"http://{ports.HOST}:{other.getsockname()[1]}"
        findings = await doctor({**stack.env, "GATEWAY_OPS_PORT": free_port()}, poller=taken)
    silent, absent = wrong(findings)

    assert "gives no answer within 3 s" in silent
    assert "nothing listens on" in absent
    assert "start the gateway" in absent
    foreign = await doctor(stack.env, poller=stack.gateway.url)
    one(wrong(foreign), "another program has the port")


async def test_a_service_that_has_lost_the_broker(stack: Deployment) -> None:
    need_mosquitto()
    own = Broker(kind="mosquitto", topic_prefix="+")
    async with own, Gateway(own, stack.prefix, INSTANCE="g2") as gateway:
        await own.stop()
        lines: list[str] = []
        async with asyncio.timeout(60):
            while not any(line.startswith("gateway gateway g2: mqtt") for line in lines):
                lines = wrong(await doctor(stack.env, gateway=gateway.ops_url))

    one(lines, "start the broker, or correct MQTT_URL")


async def test_two_gateways_with_one_instance_name(stack: Deployment) -> None:
    """Both are connected to the broker; each says of itself that it is not alone."""
    first, second = (Gateway(stack.broker, stack.prefix, INSTANCE="twin") for _ in range(2))
    async with first, second:
        for gateway in (first, second):
            lines: list[str] = []
            async with asyncio.timeout(60):
                while not lines:
                    lines = wrong(await doctor(stack.env, gateway=gateway.ops_url))
            one(lines, "gateway twin: mqtt", "another process uses this instance", "of its own")


async def test_a_gateway_of_another_version(stack: Deployment, tmp_path: Path) -> None:
    """As if another release was installed on its machine."""
    installed = tmp_path / "pillowcast_gateway-0.0.9.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pillowcast-gateway\nVersion: 0.0.9\n"
    )
    older = Gateway(stack.broker, stack.prefix, INSTANCE="g0", PYTHONPATH=str(tmp_path))
    async with older:
        lines = wrong(await doctor(stack.env, gateway=older.ops_url))

    one(lines, "gateway g0: version: 0.0.9; this command is of", "install one version everywhere")


async def test_a_journal_that_has_no_room(stack: Deployment, tmp_path: Path) -> None:
    """The limit of file sizes stands for a full disk; a real one needs rights that tests lack."""
    env = {**os.environ, **stack.env, "POLLER_JOURNAL": str(tmp_path)}
    out, _, status = await run_to_end(
        "sh", "-c", 'ulimit -f 8; exec "$0" doctor', COMMAND, env=env, within_s=60
    )

    assert status == 1
    assert re.search(
        r"journal: .* cannot be written \(File too large\) → make room", out.decode()
    ), out.decode()


async def test_a_clock_that_is_half_a_minute_off(stack: Deployment) -> None:
    """This machine's against the queue's, and so those of the services against this one's."""
    clock = {
        "LD_PRELOAD": need_faketime(),
        "FAKETIME": "+30s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    out, _, status = await run_to_end(
        COMMAND, "doctor", env={**os.environ, **stack.env, **clock}, within_s=60
    )

    assert status == 1
    for line in (
        r"machine +clock: differs by \+(29|30|31) s from the queue's → .*NTP",
        r"poller +poller p1: clock: differs by -(29|30)\.\d s from this machine's → .*NTP",
        r"gateway +gateway g1: clock: differs by -(29|30)\.\d s from this machine's → .*NTP",
    ):
        assert re.search(line, out.decode()), out.decode()


async def test_certificates_that_end_soon_have_ended_or_have_another_name(tmp_path: Path) -> None:
    need_mosquitto()
    for days, hosts, parts in (
        (2.0, (), ("broker's certificate", "ends in 2.0 days", "renew it now")),
        (-1.0, (), ("expired", "renew the broker's certificate")),
        (9.0, ("elsewhere",), ("must be a name in the broker's certificate",)),
    ):
        tls = TlsBroker(tmp_path / f"{days}", days=days, hosts=hosts)
        async with tls.broker:
            ca = str(tls.folder / "mosquitto" / "ca.crt")
            url = f"mqtts://operator:{tls.broker.password('operator')}@{ports.HOST}:{tls.port}"
            findings = await doctor({"MQTT_URL": url, "MQTT_TLS_CA": ca})
        lines = [line for line in wrong(findings) if "certificate" in line]

        assert lines, findings
        for part in parts:
            assert part in lines[0]


async def test_a_queue_that_may_only_be_added_to(azurite: Azurite, stack: Deployment) -> None:
    """A shared access signature with the rights of a device is not enough for a poller."""
    async with queue_client(azurite.connection_string, stack.queue) as client:
        endpoint = client.url.partition(f"/{stack.queue}")[0]
    sas = sas_of("a")
    string = f"QueueEndpoint={endpoint};SharedAccessSignature={sas};"
    lines = wrong(await doctor({**stack.env, "AZURE_STORAGE_CONNECTION_STRING": string}))

    assert any("lacks a right" in line or "does not accept" in line for line in lines), lines


def sas_of(rights: str) -> str:
    """Return a shared access signature of the development account with some rights."""
    key = connection_string().partition("AccountKey=")[2].partition(";")[0]
    return generate_account_sas(
        "devstoreaccount1",
        key,
        "o",
        rights,
        datetime.now(UTC) + timedelta(hours=1),
    )
