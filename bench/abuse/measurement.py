"""A measurement: good clients and newcomers before, while and after a crowd attacks."""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

import httpx

from bench.abuse.crowds import CROWDS
from bench.abuse.wire import request, upgrade
from bench.figures import memory_mib
from bench.gateway.load import LoadClients
from bench.gateway.servers import RunningServer
from bench.gateway.usage import LOAD_CPU, Usage, pin
from devstack.processes import ROOT

Figures = dict[str, Any]

GOOD_CLIENTS: Final = 200
RATE: Final = 50
"""Updates a second, each of which goes to every good client."""

WINDOW_S: Final = 1.0
"""Delays are measured in windows of so many seconds, of which the median counts."""

HOST: Final = "127.0.0.1"
_SETTLE_S: Final = 0.5
_NEWCOMER_TIMEOUT_S: Final = 10.0


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


async def measure(
    running: RunningServer, good: LoadClients, name: str, *, sockets: int, seconds: float
) -> Figures:
    """Return what good clients and newcomers notice of a crowd, and what it costs the gateway."""
    port, pid = running.port, running.pid
    published = asyncio.ensure_future(running.publisher.publish(RATE, 3 * seconds + 8))
    await asyncio.sleep(_SETTLE_S)
    metrics = await _metrics(running)
    figures: Figures = {"sockets": sockets, "before": await _phase(good, port, seconds, pid)}
    attacker = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.abuse.attacker", str(port), name, str(sockets), str(seconds + 2)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    pin(attacker.pid, LOAD_CPU)
    try:
        await asyncio.sleep(1.5)  # the crowd is there
        figures["during"] = await _phase(good, port, seconds, pid)
        output, _ = await attacker.communicate()
    except BaseException:
        attacker.kill()
        raise
    figures["crowd"] = json.loads(output)
    await asyncio.sleep(1.5)  # refused connections linger for a second
    figures["after"] = await _phase(good, port, seconds, pid)
    figures["refused"] = _difference(metrics, await _metrics(running))
    published.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await published
    return figures


async def _phase(good: LoadClients, port: int, seconds: float, pid: int) -> Figures:
    """Return what good clients notice for so long: the median of windows of WINDOW_S each."""
    newcomers = Newcomers(port)
    task = asyncio.ensure_future(newcomers.run())
    most_files, most_mib = 0, 0.0
    windows: list[Figures] = []
    used, began_s = Usage.of(pid), time.monotonic()
    while time.monotonic() - began_s < seconds:
        await good.reset()
        await asyncio.sleep(WINDOW_S)
        windows.append(await good.report())
        most_files = max(most_files, _open_files(pid))
        most_mib = max(most_mib, memory_mib(pid))
    took_s = time.monotonic() - began_s
    task.cancel()
    await asyncio.wait([task])
    updates = sum(one["updates"] for one in windows)
    return {
        "p50_ms": statistics.median(one["p50_ms"] for one in windows),
        "p99_ms": statistics.median(one["p99_ms"] for one in windows),
        "delivered": round(updates / (GOOD_CLIENTS * RATE * took_s), 3),
        "dead": windows[-1]["dead"],
        "newcomer_ms": round(newcomers.longest_ms["websocket"], 1),
        "healthz_ms": round(newcomers.longest_ms["healthz"], 1),
        "newcomers_failed": newcomers.failed,
        "busy": round(Usage.of(pid).since(used).cpu_s / took_s, 3),
        "files": most_files,
        "rss_mib": round(most_mib, 1),
    }


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
