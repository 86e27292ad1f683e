"""`python -m devstack`: its output, and that no process is left when it ends."""

import asyncio
import os
import re
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import aiomqtt
import pytest
from azure.storage.queue.aio import QueueClient

from devstack import ports
from devstack.azurite import Azurite
from devstack.broker import Broker
from devstack.processes import Program
from devstack.stack import Stack
from tests.machine import need_mosquitto
from tests.queue_client import queue_client
from tests.service_process import WITHIN_S
from tests.waiting import descendants, has_ended, until

pytestmark = pytest.mark.timeout(120)

FREE = [
    word
    for name in ("gateway", "mqtt", "queue", "poller", "ops")
    for word in (f"--{name}-port", "0")
]
READY = re.compile(
    r"^ready: page (http://\S+) mqtt mqtt://([^:]+):(\d+) queue (http://\S+) ops (http://\S+)$"
)


def devstack(*arguments: str, **env: str) -> Program:
    """Return the command, not started."""
    return Program("devstack", [sys.executable, "-m", "devstack", *arguments], env=env)


@asynccontextmanager
async def running(*arguments: str, **env: str) -> AsyncIterator[tuple[Program, re.Match[str]]]:
    """Run the command on free ports; yield it and the match of its `ready:` line."""
    command = devstack(*FREE, *arguments, **env)
    try:
        await command.spawn()
        line = await command.log.wait_for(r"^ready: |^error: ", within_s=60)
        match = READY.match(line)
        assert match, command.log.text
        yield command, match
    finally:
        await command.close()


async def until_ended(pids: set[int]) -> None:
    """Wait until these processes have ended."""
    await until(lambda: all(map(has_ended, pids)), "every process has ended", within_s=WITHIN_S)


async def status_of(url: str) -> int:
    """Return the status of a URL, without code of this project."""

    def get() -> int:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)

    return await asyncio.to_thread(get)


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_page_answers_after_ready_and_no_process_is_left_after_a_signal(
    broker: str, number: signal.Signals
) -> None:
    if broker == "mosquitto":
        need_mosquitto()
    async with running("--no-simulator", "--broker", broker) as (command, ready):
        assert command.pid is not None
        started = descendants(command.pid)
        assert len(started) >= 5, "reaper, broker, queue, poller, gateway"
        assert await status_of(ready[1]) == 200
        assert await status_of(f"{ready[5]}/readyz") == 200

        os.kill(command.pid, number)

        assert await command.wait() == 0
        await until_ended(started)


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
async def test_the_simulators_states_arrive_on_mqtt(broker: str) -> None:
    if broker == "mosquitto":
        need_mosquitto()
    async with (
        running("--broker", broker, SIMULATOR_RATE="5") as (_, ready),
        aiomqtt.Client(ready[2], int(ready[3]), protocol=aiomqtt.ProtocolVersion.V311) as reader,
        asyncio.timeout(WITHIN_S),
    ):
        await reader.subscribe("pillow/+/state", qos=1)
        message = await anext(aiter(reader.messages))

    assert b'"pillow"' in bytes(message.payload)


async def test_no_process_is_left_after_sigkill() -> None:
    async with running() as (command, _):
        assert command.pid is not None
        started = descendants(command.pid)

        os.kill(command.pid, signal.SIGKILL)

        await until_ended(started)


async def test_a_service_that_ends_stops_the_stack_and_is_named() -> None:
    async with running("--no-simulator") as (command, ready):
        assert command.pid is not None
        started = descendants(command.pid)
        victim = await poller_of(started)

        os.kill(victim, signal.SIGKILL)

        assert await command.wait() == 1
        assert "error: poller was ended by SIGKILL" in command.log.lines
        await until_ended(started)
        with pytest.raises(OSError, match="refused"):
            await status_of(ready[1])


async def poller_of(pids: set[int]) -> int:
    """Return the poller's process id among several."""
    listing = await asyncio.create_subprocess_exec(
        *["ps", "-ww", "-o", "pid=,args=", "-p", ",".join(map(str, pids))],
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await listing.communicate()
    return next(
        int(line.split()[0]) for line in output.decode().splitlines() if line.endswith("/poller")
    )


async def test_an_invalid_setting_stops_the_stack_with_the_services_message() -> None:
    command = devstack(*FREE, "--no-simulator", GATEWAY_EXPIRE_AFTER="soon")
    await command.spawn()

    assert await command.wait() == 1
    assert "GATEWAY_EXPIRE_AFTER = 'soon'" in command.log.text
    assert "error: gateway ended with exit code 2 before it was ready" in command.log.lines


@pytest.mark.parametrize(
    ("flag", "purpose"),
    [
        ("gateway", "the page"),
        ("mqtt", "the MQTT broker"),
        ("queue", "the queue"),
        ("poller", "the poller's health and metrics"),
    ],
)
async def test_a_taken_port_is_refused_before_anything_is_started(
    flag: Literal["gateway", "mqtt", "queue", "poller"], purpose: str
) -> None:
    with socket.create_server((ports.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        command = devstack(*FREE, f"--{flag}-port", str(port))
        await command.spawn()

        assert await command.wait() == 2

    assert command.log.text == (
        f"error: port {port} for {purpose} is taken; "
        f"choose another with --{flag}-port (0 for a free one)"
    )


async def test_a_message_arrives_after_every_program_was_killed_and_restarted() -> None:
    async with Stack() as stack:
        stack.broker.kill()
        await stack.broker.wait()
        stack.poller.kill()
        stack.gateway.kill()

        await stack.broker.start()
        await asyncio.gather(stack.poller.start(), stack.gateway.start())

        async with (
            QueueClient.from_connection_string(stack.connection_string, "pillow-state") as queue,
            aiomqtt.Client(ports.HOST, stack.ports.mqtt) as reader,
            asyncio.timeout(WITHIN_S),
        ):
            await reader.subscribe("pillow/cloud-1/state", qos=1)
            await queue.send_message('{"pillow": "cloud-1", "state": "hugging"}')
            message = await anext(aiter(reader.messages))

    assert b"hugging" in bytes(message.payload)


async def test_a_restarted_queue_has_its_messages() -> None:
    async with Azurite() as azurite:
        async with queue_client(azurite.connection_string, "kept") as queue:
            await queue.create_queue()
            await queue.send_message("x")

        # Without a client it ends by itself, however long it takes to save.
        azurite.terminate()
        async with asyncio.timeout(WITHIN_S):
            assert await azurite.wait() == 0
        await azurite.start()

        async with queue_client(azurite.connection_string, "kept") as queue:
            assert [message.content async for message in queue.receive_messages()] == ["x"]


async def test_a_broker_can_be_started_alone_by_its_kind() -> None:
    async with Broker(kind="embedded") as broker:
        assert (broker.name, broker.protocol_for("5")) == ("embedded", "3.1.1")
        assert broker.url_for("poller") == (
            f"mqtt://poller:{broker.password('poller')}@127.0.0.1:{broker.port}"
        )
