"""Counts the states that are superseded, because a newer one of their pillow was published before.

A queue is kept full while one poller, or several, empty it. A pillow's states are put on it in
order, so that none has to be superseded.
In a last run the poller that receives is killed, and another one takes over: what it had in flight
comes back when its leases end, and is superseded by then.
"""

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiomqtt
import httpx

from azure_queue import development_account
from bench.poller.latency import client
from bench.poller.targets import QUEUE, Target
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import Program

PILLOWS: Final = 20
COUNT_INTERVAL_S: Final = 0.1
LEASE_S: Final = 5
"""The length of a lease where a poller is killed, in seconds; else it is the default."""


@dataclass(frozen=True)
class Superseded:
    """How many of the messages were superseded.

    `unseen` is how many of them no subscriber received: without a crash all of them, because a
    message that was published and not deleted counts as superseded when it comes back.
    """

    messages: int
    superseded: int
    unseen: int


async def measure(
    pollers: int, target: Target, broker: Broker, *, messages: int, batch: int
) -> Superseded:
    """Let pollers publish `messages`; they are stopped while a batch is put on the queue."""
    prefix, counts = f"bench{ports.free()}", (0, 0)
    async with AsyncExitStack() as stack:
        started = [await _start(stack, n, prefix, target, broker) for n in range(pollers)]
        addresses = [address for _, address in started]
        pids = [program.pid for program, _ in started if program.pid is not None]
        for start in range(0, messages, batch):
            _signal(pids, signal.SIGSTOP)
            await target.fill(_texts(start, min(batch, messages - start)))
            _signal(pids, signal.SIGCONT)
            while (counts := await _outcomes(addresses))[0] < min(start + batch, messages):
                await asyncio.sleep(COUNT_INTERVAL_S)
    assert counts[0] == messages, f"{counts[0]} of {messages} were published or superseded"
    return Superseded(messages, counts[1], counts[1])


async def measure_takeover(target: Target, broker: Broker, *, messages: int) -> Superseded:
    """Let two pollers publish `messages`, and kill the one that receives after half of them."""
    prefix = f"bench{ports.free()}"
    async with AsyncExitStack() as stack:
        lease = {"POLLER_VISIBILITY_TIMEOUT": str(LEASE_S)}
        (first, address), (_, other) = [
            await _start(stack, number, prefix, target, broker, **lease) for number in range(2)
        ]
        mqtt = await stack.enter_async_context(client(broker, "poller"))
        await mqtt.subscribe(f"{prefix}/+/state", qos=1)
        seen: set[int] = set()
        noting = asyncio.create_task(_note(mqtt, seen))
        stack.callback(noting.cancel)
        filling = asyncio.create_task(target.fill(_texts(0, messages)))
        while (await _outcomes([address]))[0] < messages // 2:
            await asyncio.sleep(COUNT_INTERVAL_S / 10)
        first.kill()
        await first.wait()
        await filling
        while await target.count():
            await asyncio.sleep(COUNT_INTERVAL_S)
        superseded = (await _outcomes([other]))[1]
        while len(seen) < messages - superseded:
            await asyncio.sleep(COUNT_INTERVAL_S)
        return Superseded(messages, superseded, messages - len(seen))


async def _note(mqtt: aiomqtt.Client, seen: set[int]) -> None:
    """Note the numbers of the states that arrive, until cancelled."""
    async for message in mqtt.messages:
        assert isinstance(message.payload, bytes)
        seen.add(json.loads(message.payload)["seq"])


async def _start(
    stack: AsyncExitStack,
    number: int,
    prefix: str,
    target: Target,
    broker: Broker,
    **variables: str,
) -> tuple[Program, str]:
    """Start a poller; returns it and the address of its metrics."""
    port = ports.free()
    program = _poller(number, port, prefix, target, broker, variables)
    await stack.enter_async_context(program)
    return program, f"http://{ports.HOST}:{port}/metrics"


def _poller(
    number: int,
    port: int,
    prefix: str,
    target: Target,
    broker: Broker,
    variables: dict[str, str],
) -> Program:
    return Program(
        f"poller {number}",
        [Path(sys.executable).parent / "poller"],
        ready=partial(http_answers, ports.HOST, port, "/readyz", status=200),
        env={
            "AZURE_STORAGE_CONNECTION_STRING": development_account.connection_string(target.port),
            "QUEUE_NAME": QUEUE,
            "INSTANCE": f"bench-{number}",
            "MQTT_URL": broker.url_for("poller"),
            "TOPIC_PREFIX": prefix,
            "POLLER_PORT": str(port),
            "LOG_LEVEL": "error",
            **variables,
        },
    )


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def _texts(start: int, number: int) -> list[str]:
    return [
        f'{{"pillow":"p{n % PILLOWS}","state":"hugging","seq":{n}}}'
        for n in range(start, start + number)
    ]


async def _outcomes(addresses: list[str]) -> tuple[int, int]:
    """Return how many messages the pollers published or superseded, and how many superseded."""
    published = superseded = 0
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        for address in addresses:
            text = (await client.get(address)).text
            published += _count(text, "published")
            superseded += _count(text, "superseded")
    return published + superseded, superseded


def _count(metrics: str, name: str) -> int:
    found = re.search(rf"^pillowcast_poller_{name}_total (\S+)$", metrics, re.MULTILINE)
    assert found is not None, f"no metric {name}"
    return int(float(found[1]))
