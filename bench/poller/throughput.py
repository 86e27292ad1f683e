"""Measures messages a second and the CPU time of each.

Messages are counted at the queue; CPU time is that of the process, from the operating system.
"""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from azure_queue import development_account
from bench.figures import cpu_s, memory_mib
from bench.poller.targets import QUEUE, Target
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import ROOT, Program

MINIMAL: Final = "minimal client"
POLLER: Final = "this poller"
JOURNALED: Final = "this poller, with a journal"
SDK_LOOP: Final = "SDK loop"
CLIENTS: Final = (MINIMAL, POLLER, JOURNALED, SDK_LOOP)
"""The programs that are compared; the first is the upper limit."""

PILLOWS: Final = 100
WARM_UP_MESSAGES: Final = 200
COUNT_INTERVAL_S: Final = 0.02
TIMEOUT_S: Final = 300.0


@dataclass(frozen=True)
class Figure:
    """A round: messages a second, CPU time of each in microseconds, resident memory in MiB."""

    rate: float
    cpu_us: float
    memory: float


def median(rounds: list[Figure]) -> Figure:
    """Return the median of each figure, taken separately."""
    return Figure(
        *(
            statistics.median(getattr(one, name) for one in rounds)
            for name in ("rate", "cpu_us", "memory")
        )
    )


async def measure(client: str, target: Target, broker: Broker, batches: list[int]) -> Figure:
    """Start a client, warm it up, and measure how it empties the queue of each batch.

    The client is stopped while a batch is put on the queue, so that only its work is measured.
    """
    # Beside the figures and not in the system's temporary folder, which may be in memory.
    folder = ROOT / ".bench"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="journal-", dir=folder) as journal:
        return await _measure(_program(client, target, broker, journal), target, batches)


async def _measure(program: Program, target: Target, batches: list[int]) -> Figure:
    sequence = iter(range(10**9))
    messages = elapsed = cpu = memory = 0.0
    async with program:
        assert program.pid is not None
        _pin_to_cores(program.pid, target)
        await target.fill(_texts(sequence, WARM_UP_MESSAGES))
        await _until_count(target, 0)
        for batch in batches:
            os.kill(program.pid, signal.SIGSTOP)
            await target.fill(_texts(sequence, batch))
            cpu_before = cpu_s(program.pid)
            os.kill(program.pid, signal.SIGCONT)
            # Timed from the first deletion, because the client may be pausing after an empty page.
            await _until_count(target, batch - 1)
            started, left = time.perf_counter(), await target.count()
            await _until_count(target, 0)
            elapsed += time.perf_counter() - started
            messages += left
            cpu += (cpu_s(program.pid) - cpu_before) * left / batch
            memory = max(memory, memory_mib(program.pid))
    return Figure(messages / elapsed, cpu / messages * 1e6, memory)


def _program(client: str, target: Target, broker: Broker, journal: str) -> Program:
    port = ports.free()
    env = {
        "AZURE_STORAGE_CONNECTION_STRING": development_account.connection_string(target.port),
        "QUEUE_NAME": QUEUE,
        "MQTT_URL": broker.url_for("poller"),
        "TOPIC_PREFIX": f"bench{port}",
        "POLLER_PORT": str(port),
        "POLLER_POLL_MAX": "0.1",
        "POLLER_JOURNAL": journal if client == JOURNALED else "",
        "LOG_LEVEL": "warning",
        "PYTHONPATH": str(ROOT),
    }
    if client in (POLLER, JOURNALED):
        return Program(
            client,
            [Path(sys.executable).parent / "poller"],
            ready=partial(http_answers, ports.HOST, port, "/readyz", status=200),
            env=env,
        )
    module = "minimal_client" if client == MINIMAL else "sdk_loop"
    return Program(client, [sys.executable, "-m", f"bench.poller.{module}"], env=env)


def _pin_to_cores(pid: int, target: Target) -> None:
    """Give the client a core of its own, where there are two and the system supports it."""
    if (os.cpu_count() or 1) < 2 or not hasattr(os, "sched_setaffinity"):
        return
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(pid, {first})
        if target.program.pid is not None:
            os.sched_setaffinity(target.program.pid, set(others))


def _texts(sequence: Iterator[int], number: int) -> list[str]:
    """Return messages of some 150 characters, whose pillows alternate."""
    return [
        f'{{"pillow":"cloud-{n % PILLOWS}","state":"hugging","seq":{n},"confidence":0.93,'
        f'"battery":0.81,"note":"{"x" * 60}"}}'
        for n in (next(sequence) for _ in range(number))
    ]


async def _until_count(target: Target, number: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while await target.count() > number:
            await asyncio.sleep(COUNT_INTERVAL_S)
