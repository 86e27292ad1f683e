"""Brokers that close connections or do not answer: the services log why, and can still stop."""

import asyncio
import os
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import SEARCH, Broker, User
from devstack.probes import mqtt_answers
from devstack.processes import ROOT, Program
from tests.machine import need_mosquitto
from tests.poller import wait_empty
from tests.queue_client import queue_client

COMMANDS = Path(sys.executable).parent


@pytest.fixture
async def own_broker() -> AsyncIterator[Broker]:
    """A mosquitto that the test may stop."""
    need_mosquitto()
    async with Broker(kind="mosquitto") as started:
        yield started


def service(name: User, user: User, broker: Broker, azurite: Azurite, protocol: str) -> Program:
    """A service that signs in as `user`, not started."""
    return Program(
        name,
        [COMMANDS / name],
        env={
            "MQTT_URL": broker.url_for(user),
            "MQTT_PROTOCOL": protocol,
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "QUEUE_NAME": f"q{uuid4().hex[:12]}",
            "INSTANCE": f"i{uuid4().hex[:12]}",
            "POLLER_PORT": "0",
            "GATEWAY_PORT": str(ports.free()),
            "GATEWAY_OPS_PORT": "0",
            "LOG_FORMAT": "json",
        },
    )


async def stopped(program: Program) -> int:
    """Terminate a program; return its exit status, which is 1 if it took STOP_DEADLINE_S."""
    program.terminate()
    async with asyncio.timeout(40):
        return await program.wait()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_user_without_write_permission_is_logged_with_the_setting_and_can_stop(
    own_broker: Broker, azurite: Azurite, protocol: str
) -> None:
    """The sentence names the setting, nothing is a traceback, and SIGTERM ends it in order."""
    async with service("poller", "gateway", own_broker, azurite, protocol) as poller:
        await poller.log.wait_for("MQTT_URL", within_s=40)

        assert await stopped(poller) == 0
        assert "Traceback" not in poller.log.text
        assert "never retrieved" not in poller.log.text


@pytest.mark.parametrize("name", ["poller", "gateway"])
async def test_a_stop_while_the_broker_is_suspended_exits_with_0(
    own_broker: Broker, azurite: Azurite, name: User
) -> None:
    """Within the deadline of a stop."""
    async with service(name, name, own_broker, azurite, "5") as program:
        await program.log.wait_for("broker ready", within_s=40)
        own_broker.pause()
        try:
            assert await stopped(program) == 0
        finally:
            own_broker.resume()


@pytest.mark.parametrize("name", ["poller", "gateway"])
async def test_a_stop_while_a_broker_never_sends_connack_exits_with_0(
    azurite: Azurite, name: str
) -> None:
    """The response is not waited for."""
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        connected.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, ports.HOST, 0)
    program = Program(
        name,
        [COMMANDS / name],
        env={
            "MQTT_URL": f"mqtt://{ports.HOST}:{server.sockets[0].getsockname()[1]}",
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "POLLER_PORT": "0",
            "GATEWAY_PORT": str(ports.free()),
            "GATEWAY_OPS_PORT": "0",
        },
    )
    async with server, program:
        async with asyncio.timeout(40):
            await connected.wait()
        assert await stopped(program) == 0
        assert "Traceback" not in program.log.text


async def test_a_reset_together_with_data_ends_the_connection_at_once() -> None:
    """uvloop reports both together and once; the session must not wait for its timeouts."""
    again = asyncio.Event()
    connections = 0

    async def answer_and_reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(1)
        writer.write(b"\x20\x02\x00\x00" + b"\xd0\x00" * 5)  # CONNACK, and what to read after it
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
        if connections == 3:
            again.set()

    server = await asyncio.start_server(answer_and_reset, ports.HOST, 0)
    port = server.sockets[0].getsockname()[1]
    session = Program(
        "session",
        [
            sys.executable,
            Path(__file__).with_name("mqtt_session.py"),
            f"mqtt://{ports.HOST}:{port}",
            "3.1.1",
            "pillow/bridge/poller/child/status",
        ],
        env={"PYTHONPATH": str(ROOT)},
    )
    async with server, session:
        # Three connections, with pauses of half a second and a second at most between them.
        async with asyncio.timeout(40):
            await again.wait()
    assert "Traceback" not in session.log.text


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_state_that_the_acl_denies_stays_on_the_queue(
    tmp_path: Path, azurite: Azurite, queue_name: str, protocol: str
) -> None:
    """mosquitto acknowledges it to a client of MQTT 3.1.1, and drops it: it must stay on the queue.

    When the ACL is put right, the message arrives.
    """
    need_mosquitto()
    acl, port = tmp_path / "acl", ports.free()
    acl.write_text("topic read #\ntopic write pillow/bridge/#\n")
    (tmp_path / "mosquitto.conf").write_text(
        # Started by root it would become a user who may not read what a test writes.
        f"listener {port} {ports.HOST}\nallow_anonymous true\nacl_file {acl}\nuser root\n"
    )
    mosquitto = Program(
        "mosquitto",
        ["mosquitto", "-c", tmp_path / "mosquitto.conf"],
        ready=partial(mqtt_answers, ports.HOST, port),
        env={"PATH": SEARCH},
    )
    health = ports.free()
    poller = Program(
        "poller",
        [COMMANDS / "poller"],
        env={
            "MQTT_URL": f"mqtt://{ports.HOST}:{port}",
            "MQTT_PROTOCOL": protocol,
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "QUEUE_NAME": queue_name,
            "POLLER_PORT": str(health),
            "LOG_FORMAT": "json",
        },
    )
    async with (
        mosquitto,
        poller,
        queue_client(azurite.connection_string, queue_name) as queue,
    ):
        await poller.log.wait_for("queue ready", within_s=40)
        await queue.send_message('{"pillow":"cloud-1","state":"hugging"}')
        await poller.log.wait_for("the broker refuses our states", within_s=40)
        assert (await queue.get_queue_properties()).approximate_message_count == 1

        acl.write_text("topic readwrite #\n")
        assert mosquitto.pid is not None
        os.kill(mosquitto.pid, signal.SIGHUP)
        await poller.log.wait_for("the broker accepts our states again", within_s=40)
        await wait_empty(azurite, queue_name)
        assert await stopped(poller) == 0
