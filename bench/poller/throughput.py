"""Messages a second and CPU for each, from the queue's count and the process's own clock."""

import asyncio
import os
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.figures import cpu_s, memory_mib
from bench.poller.targets import QUEUE, Target
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import ROOT, Program

CONTENDERS: Final = ("leanest client", "this poller", "SDK loop")
PILLOWS: Final = 100
WARM_UP: Final = 200
POLL_S: Final = 0.02
WITHIN_S: Final = 300.0


@dataclass(frozen=True)
class Figure:
    """One round: messages a second, CPU for each in microseconds, resident memory in MiB."""

    rate: float
    cpu_us: float
    memory: float


def median(rounds: list[Figure]) -> Figure:
    """Return the median of each figure by itself."""
    return Figure(
        *(
            statistics.median(getattr(one, name) for one in rounds)
            for name in ("rate", "cpu_us", "memory")
        )
    )


async def measure(contender: str, target: Target, broker: Broker, batches: list[int]) -> Figure:
    """Start a contender, warm it up, and have it empty the queue for each batch.

    While a batch is put on the queue the contender is stopped, so that what is timed is its work.
    """
    program = _program(contender, target, broker)
    sequence = iter(range(10**9))
    messages = took = cpu = memory = 0.0
    async with program:
        assert program.pid is not None
        _give_cores(program.pid, target)
        await target.fill(_texts(sequence, WARM_UP))
        await _until_left(target, 0)
        for batch in batches:
            os.kill(program.pid, signal.SIGSTOP)
            await target.fill(_texts(sequence, batch))
            begun_cpu = cpu_s(program.pid)
            os.kill(program.pid, signal.SIGCONT)
            # It may be in the pause after an empty page.
            await _until_left(target, batch - 1)
            begun, at = time.perf_counter(), await target.left()
            await _until_left(target, 0)
            took += time.perf_counter() - begun
            messages += at
            cpu += (cpu_s(program.pid) - begun_cpu) * at / batch
            memory = max(memory, memory_mib(program.pid))
    return Figure(messages / took, cpu / messages * 1e6, memory)


def _program(contender: str, target: Target, broker: Broker) -> Program:
    port = ports.free()
    env = {
        "AZURE_STORAGE_CONNECTION_STRING": target.connection_string,
        "QUEUE_NAME": QUEUE,
        "MQTT_URL": broker.url_for("poller"),
        "TOPIC_PREFIX": f"bench{port}",
        "POLLER_PORT": str(port),
        "POLLER_POLL_MAX": "0.1",
        "LOG_LEVEL": "warning",
        "PYTHONPATH": str(ROOT),
    }
    if contender == "this poller":
        return Program(
            contender,
            [Path(sys.executable).parent / "poller"],
            ready=partial(http_answers, ports.HOST, port, "/readyz", status=200),
            env=env,
        )
    module = "leanest" if contender == "leanest client" else "plain"
    return Program(contender, [sys.executable, "-m", f"bench.poller.{module}"], env=env)


def _give_cores(pid: int, target: Target) -> None:
    """Give the contender a core of its own, where there are two and the system can."""
    if (os.cpu_count() or 1) < 2 or not hasattr(os, "sched_setaffinity"):
        return
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(pid, {first})
        if target.program.pid is not None:
            os.sched_setaffinity(target.program.pid, set(others))


def _texts(sequence: Iterator[int], number: int) -> list[str]:
    """Messages of some 150 characters, of many pillows in turn."""
    return [
        f'{{"pillow":"cloud-{n % PILLOWS}","state":"hugging","seq":{n},"confidence":0.93,'
        f'"battery":0.81,"note":"{"x" * 60}"}}'
        for n in (next(sequence) for _ in range(number))
    ]


async def _until_left(target: Target, number: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while await target.left() > number:
            await asyncio.sleep(POLL_S)
