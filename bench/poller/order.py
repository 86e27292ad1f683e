"""Counts the states that are superseded, because a newer one of their pillow was published before.

A queue is kept full while one poller, or several, empty it. A pillow's states are put on it in
order, so that none has to be superseded.
"""

import asyncio
import os
import re
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from azure_queue import development_account
from bench.poller.targets import QUEUE, Target
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import Program

PILLOWS: Final = 20
COUNT_INTERVAL_S: Final = 0.1


@dataclass(frozen=True)
class Superseded:
    """How many of the messages were superseded."""

    messages: int
    superseded: int


async def measure(
    pollers: int, target: Target, broker: Broker, *, messages: int, batch: int
) -> Superseded:
    """Let pollers publish `messages`; they are stopped while a batch is put on the queue."""
    prefix, counts = f"bench{ports.free()}", (0, 0)
    async with AsyncExitStack() as stack:
        addresses: list[str] = []
        pids: list[int] = []
        for number in range(pollers):
            port = ports.free()
            program = _poller(number, port, prefix, target, broker)
            await stack.enter_async_context(program)
            assert program.pid is not None
            addresses.append(f"http://{ports.HOST}:{port}/metrics")
            pids.append(program.pid)
        for start in range(0, messages, batch):
            _signal(pids, signal.SIGSTOP)
            await target.fill(_texts(start, min(batch, messages - start)))
            _signal(pids, signal.SIGCONT)
            while (counts := await _outcomes(addresses))[0] < min(start + batch, messages):
                await asyncio.sleep(COUNT_INTERVAL_S)
    assert counts[0] == messages, f"{counts[0]} of {messages} were published or superseded"
    return Superseded(*counts)


def _poller(number: int, port: int, prefix: str, target: Target, broker: Broker) -> Program:
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
            "LOG_LEVEL": "warning",
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
