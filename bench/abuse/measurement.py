"""A measurement: good clients and newcomers without a crowd and with it, in turns."""

import asyncio
import contextlib
import json
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from bench.abuse.crowds import CROWDS
from bench.abuse.wire import request, upgrade
from bench.figures import memory_mib
from bench.gateway.load import LoadClients
from bench.gateway.servers import RunningServer
from bench.gateway.usage import LOAD_CPU, Usage, pin
from devstack.processes import ROOT

GOOD_CLIENTS: Final = 200
RATE: Final = 50
"""Updates a second, each of which goes to every good client."""

WINDOW_S: Final = 1.0
"""Delays are measured in windows of so many seconds."""

HOST: Final = "127.0.0.1"
_SETTLE_S: Final = 0.5
_ARRIVAL_S: Final = 1.5
"""How long a crowd has come when the phase with it begins."""

_LEAVING_S: Final = 1.5
"""How long is waited when it has gone: refused connections linger for a second."""

_NEWCOMER_TIMEOUT_S: Final = 10.0


class Plan(NamedTuple):
    """How often each crowd comes, and how long each phase with it and without it lasts."""

    rounds: int
    seconds: float


class Newcomers:
    """A client that connects again and again: how long until it is served, at most."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.longest_ms = {"websocket": 0.0, "healthz": 0.0}
        self.failed = 0

    async def run(self) -> None:
        """Connect until it is cancelled."""
        while True:
            await self._try("websocket", upgrade(), b'"snapshot"')
            await self._try("healthz", request("/healthz", "Connection: close"), b"HTTP/1.1 200")
            await asyncio.sleep(0.1)

    async def _try(self, kind: str, sent: bytes, wanted: bytes) -> None:
        began_s = time.monotonic()
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_NEWCOMER_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(HOST, self._port, limit=1 << 22)
                writer.write(sent)
                received = b""
                while wanted not in received:
                    data = await reader.read(1 << 16)
                    if not data:
                        raise ConnectionResetError
                    received += data
        except (OSError, TimeoutError):
            self.failed += 1
        finally:  # also when it is cancelled, because it has waited so long
            took_ms = (time.monotonic() - began_s) * 1000
            self.longest_ms[kind] = max(self.longest_ms[kind], took_ms)
            if writer is not None:
                writer.transport.abort()


@dataclass
class Phases:
    """What was seen in all phases of one kind: without the crowd, or with it.

    `p50_ms` and `p99_ms` have a value for each window, in ms; the others are of all phases.
    """

    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    updates: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    dead: int = 0
    newcomer_ms: float = 0.0
    healthz_ms: float = 0.0
    newcomers_failed: int = 0
    files: int = 0
    rss_mib: float = 0.0

    @property
    def busy(self) -> float:
        """The share of its CPU that the gateway used."""
        return self.cpu_s / self.seconds

    @property
    def delivered(self) -> float:
        """The share of the updates that arrived."""
        return self.updates / (GOOD_CLIENTS * RATE * self.seconds)


@dataclass
class Measured:
    """A crowd's figures: calm and crowded phases, what became of it, and what was counted."""

    sockets: int
    calm: Phases
    crowded: Phases
    opened: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


async def measure(
    running: RunningServer, good: LoadClients, name: str, *, sockets: int, plan: Plan
) -> Measured:
    """Return what good clients and newcomers notice of a crowd, and what it costs the gateway.

    Calm and crowded phases take turns, so that what else happens on the machine meets both.
    """
    length_s = (2 * plan.rounds + 1) * (plan.seconds + 4) + 8
    published = asyncio.ensure_future(running.publisher.publish(RATE, length_s))
    await asyncio.sleep(_SETTLE_S)
    metrics = await _metrics(running)
    measured = Measured(sockets, Phases(), Phases())
    await _calm(measured, running, good, name, plan.seconds)
    for _ in range(plan.rounds):
        target = running.port, name, sockets
        crowd = await _attacked(measured.crowded, running, good, target, plan.seconds)
        measured.opened += crowd["opened"]
        measured.outcomes = dict(Counter(measured.outcomes) + Counter(crowd["outcomes"]))
        await _calm(measured, running, good, name, plan.seconds)
    measured.refused = _difference(metrics, await _metrics(running))
    published.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await published
    return measured


async def _calm(
    measured: Measured, running: RunningServer, good: LoadClients, name: str, seconds: float
) -> None:
    """Measure without the crowd, or with what it is compared with.

    That is another crowd of the same size; or, if it sends again and again, the same one at a port
    where nobody answers: it takes time of the good clients' processor wherever it sends to.
    """
    crowd = CROWDS[name]
    calm, sockets = measured.calm, measured.sockets
    if crowd.instead is not None:
        await _attacked(calm, running, good, (running.port, crowd.instead, sockets), seconds)
    elif crowd.again:
        with socket.create_server((HOST, 0), backlog=sockets) as nobody:
            port = nobody.getsockname()[1]
            crowd_there = await _attacked(calm, running, good, (port, name, sockets), seconds)
        if crowd_there["most_open"] < sockets:
            raise RuntimeError(f"{name}: {crowd_there['most_open']} of {sockets} sockets connected")
    else:
        await _phase(calm, running, good, seconds)


async def _attacked(
    phases: Phases,
    running: RunningServer,
    good: LoadClients,
    crowd: tuple[int, str, int],
    seconds: float,
) -> Any:
    """Measure with a crowd until it has left; returns what it says of itself.

    `crowd` is the port that it goes to, its name, and the number of its sockets.
    """
    arguments = (*map(str, crowd), str(seconds + 2))
    attacker = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.abuse.attacker", *arguments),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    pin(attacker.pid, LOAD_CPU)
    try:
        await asyncio.sleep(_ARRIVAL_S)
        await _phase(phases, running, good, seconds)
        output, _ = await attacker.communicate()
    except BaseException:
        attacker.kill()
        raise
    await asyncio.sleep(_LEAVING_S)
    return json.loads(output)


async def _phase(phases: Phases, running: RunningServer, good: LoadClients, seconds: float) -> None:
    """Add what good clients and newcomers notice for so long, in windows of WINDOW_S each."""
    pid = running.pid
    newcomers = Newcomers(running.port)
    task = asyncio.ensure_future(newcomers.run())
    used, began_s = Usage.of(pid), time.monotonic()
    while time.monotonic() - began_s < seconds:
        await good.reset()
        await asyncio.sleep(WINDOW_S)
        window = await good.report()
        phases.p50_ms.append(window["p50_ms"])
        phases.p99_ms.append(window["p99_ms"])
        phases.updates += window["updates"]
        phases.dead = max(phases.dead, window["dead"])
        phases.files = max(phases.files, _open_files(pid))
        phases.rss_mib = max(phases.rss_mib, memory_mib(pid))
    phases.seconds += time.monotonic() - began_s
    phases.cpu_s += Usage.of(pid).since(used).cpu_s
    task.cancel()
    await asyncio.wait([task])
    phases.newcomer_ms = max(phases.newcomer_ms, newcomers.longest_ms["websocket"])
    phases.healthz_ms = max(phases.healthz_ms, newcomers.longest_ms["healthz"])
    phases.newcomers_failed += newcomers.failed


def _open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def _metrics(running: RunningServer) -> dict[str, float]:
    """Return the counters of what was refused, evicted and closed, by their labels."""
    ops_port = running.program.env["GATEWAY_OPS_PORT"]
    async with httpx.AsyncClient(timeout=_NEWCOMER_TIMEOUT_S) as client:
        text = (await client.get(f"http://{HOST}:{ops_port}/metrics")).text
    found = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        short = name.removeprefix("pillowcast_gateway_")
        if short.startswith(_COUNTED) and "_created" not in short:
            found[short] = float(value)
    return found


_COUNTED: Final = (
    "refused_total", "evicted_total", "connection_limit_reached_total", "dead_clients_total",
    "stalled_responses_total", "out_of_files_total",
)  # fmt: skip


def _difference(before: dict[str, float], after: dict[str, float]) -> dict[str, int]:
    """Return by how much each counter has risen."""
    risen = {name: round(value - before.get(name, 0)) for name, value in after.items()}
    return {name: count for name, count in risen.items() if count}


def sockets_of(name: str, *, quick: bool, open_files: int) -> int:
    """Return the number of a crowd's sockets: a tenth in a quick run, and as files allow."""
    wanted = CROWDS[name].sockets // 10 if quick else CROWDS[name].sockets
    return max(1, min(wanted, open_files - 500))
