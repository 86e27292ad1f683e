"""The scenarios: which load a server gets, and what is counted meanwhile."""

import asyncio
import time
from typing import Any, Final

from bench.gateway.load import LoadClients
from bench.gateway.servers import GATEWAY, RunningServer, Server
from bench.gateway.usage import SERVER_CPU, Usage, pin
from devstack.broker import Broker

Figures = dict[str, Any]

P99_MS: Final = 250.0
"""A rate is sustained if 99 % of the updates arrive within this time."""

_SETTLE_S: Final = 0.5
_DRAIN_S: Final = 2.0
"""How long updates may take to arrive after the last one was published."""


async def deliver(
    server: Server,
    broker: Broker,
    *,
    browsers: int = 1000,
    rate: float = 50,
    seconds: float = 5,
    pillows: int = 1000,
    options: tuple[str, ...] = (),
) -> Figures:
    """Deliver every update to every browser at a fixed rate; return what a delivery costs."""
    async with server.running(broker) as running:
        given = (*running.options, *options)
        async with LoadClients.of(running.port, browsers, *given) as clients:
            await clients.connect()
            await asyncio.sleep(_SETTLE_S)
            await running.publisher.publish(rate, 0.5, pillows=pillows)  # warms caches
            await asyncio.sleep(_SETTLE_S)
            return await _delivery(running, clients, browsers, rate, seconds, pillows)


async def _delivery(
    running: RunningServer,
    clients: LoadClients,
    each: float,
    rate: float,
    seconds: float,
    pillows: int,
) -> Figures:
    """Publish, and return what was delivered; `each` browsers are to get every update."""
    await clients.reset()
    before, began_s = Usage.of(running.pid), time.monotonic()
    client_before = (await clients.report())["cpu_s"]
    sent = await running.publisher.publish(rate, seconds, pillows=pillows)
    at_the_end = await clients.report()
    took_s = time.monotonic() - began_s
    busy = Usage.of(running.pid).since(before)
    wanted = int(sent["sent"] * each)
    report = await clients.report_when(lambda one: one["updates"] >= wanted, _DRAIN_S)
    used = Usage.of(running.pid).since(before)
    updates = max(1, report["updates"])
    return {
        "rate": rate,
        "updates": report["updates"],
        "delivered": round(report["updates"] / wanted, 4),
        "in_time": round(at_the_end["updates"] / wanted, 4),
        "a_second": round(at_the_end["updates"] / took_s),
        "cpu_us": round(used.cpu_s / updates * 1e6, 3),
        "user_us": round(used.user_s / updates * 1e6, 3),
        "p50_ms": report["p50_ms"],
        "p99_ms": report["p99_ms"],
        "updates_a_frame": round(updates / max(1, report["frames"]), 2),
        "server_busy": round(busy.cpu_s / took_s, 3),
        "client_busy": round((at_the_end["cpu_s"] - client_before) / took_s, 3),
        "dead": report["dead"],
    }


def is_sustained(one: Figures) -> bool:
    """Return whether a server could keep up with the rate of a measurement for ever."""
    return bool(one["delivered"] >= 0.99 and one["in_time"] >= 0.93 and one["p99_ms"] <= P99_MS)


async def saturate(
    server: Server, broker: Broker, *, rates: tuple[float, ...], seconds: float = 3
) -> Figures:
    """Return the highest of the given rates that is sustained with 1000 browsers."""
    tried: list[Figures] = []
    best: Figures | None = None
    for rate in rates:
        one = await deliver(server, broker, rate=rate, seconds=seconds)
        tried.append(one)
        if not is_sustained(one):
            break
        best = one
    return {
        "sustained": best,
        "most": max(tried, key=lambda one: int(one["a_second"])),
        "tried": tried,
    }


async def connect(
    server: Server, broker: Broker, *, browsers: int = 10_000, idle_s: float = 21
) -> Figures:
    """Connect idle browsers; return the cost of a connect, and the CPU and memory of all."""
    async with (
        server.running(broker) as running,
        LoadClients.of(running.port, 100, *running.options) as warm,
    ):
        await warm.connect()
        await asyncio.sleep(_SETTLE_S)
        at_first = Usage.of(running.pid)
        async with LoadClients.of(running.port, browsers, *running.options) as clients:
            done = await clients.connect()
            await asyncio.sleep(_SETTLE_S)
            after = Usage.of(running.pid)
            await asyncio.sleep(idle_s)
            idle = Usage.of(running.pid).since(after)
            used = after.since(at_first)
            return {
                "browsers": done["open"],
                "refused": done["refused"],
                "seconds": done["seconds"],
                "connect_cpu_us": round(used.cpu_s / browsers * 1e6, 1),
                "bytes_each": round((after.resident_bytes - at_first.resident_bytes) / browsers),
                "idle_cpu": round(idle.cpu_s / idle_s, 4),
            }


async def _flood(running: RunningServer, good: LoadClients) -> None:
    """Fill the buffers of connections that do not read; return when the others have all of it."""
    await good.reset()
    sent = await running.publisher.publish(1000, 1, size=1000)
    await good.report_when(lambda one: one["updates"] >= sent["sent"] * 1000, 15)


async def stalled(broker: Broker, *, stalled: int, seconds: float = 5) -> Figures:
    """Deliver to 1000 browsers beside some that never read; return what the 1000 notice."""
    async with (
        GATEWAY.running(broker) as running,
        LoadClients.of(running.port, max(1, stalled), "--stalled", str(stalled)) as bad,
        LoadClients.of(running.port, 1000) as good,
    ):
        if stalled:
            await bad.connect()
        await good.connect()
        await asyncio.sleep(_SETTLE_S)
        await _flood(running, good)
        before = Usage.of(running.pid).resident_bytes
        figures = await _delivery(running, good, 1000, 50, seconds, 1000)
        await _flood(running, good)
        after = Usage.of(running.pid).resident_bytes
        return {**figures, "stalled": stalled, "grew_bytes": after - before}


async def interest(broker: Broker, *, browsers: int = 10_000, seconds: float = 3) -> Figures:
    """Let each browser subscribe to a pillow of its own; an update reaches one of them."""
    async with GATEWAY.running(broker) as running:
        path = ("--path", "/ws?pillow=p-%05d")
        async with LoadClients.of(running.port, browsers, *path) as clients:
            await clients.connect()
            await asyncio.sleep(_SETTLE_S)
            await running.publisher.publish(1000, 0.5, pillows=browsers)
            await asyncio.sleep(_SETTLE_S)
            return await _delivery(running, clients, 1, 1000, seconds, browsers)


async def storm(broker: Broker, *, browsers: int = 10_000) -> Figures:
    """Restart the gateway; all browsers reconnect at once, while updates go on."""
    async with GATEWAY.running(broker) as running:
        await running.publisher.publish(2000, 0.5)
        await running.program.stop()
        await running.program.start()
        pin(running.pid, SERVER_CPU)
        async with LoadClients.of(running.port, browsers, "--burst", "2000") as clients:
            live = asyncio.ensure_future(running.publisher.publish(2, 12))
            done = await clients.connect()
            connected = time.monotonic()
            all_reports = await clients.report_when(lambda one: one["frames"] >= browsers, 10)
            all_told_s = done["seconds"] + time.monotonic() - connected
            await clients.reset()
            await asyncio.sleep(2)
            after = await clients.report()
            live.cancel()
            return {
                "browsers": browsers,
                "refused": done["refused"],
                "dead": after["dead"],
                "all_connected_s": done["seconds"],
                "all_told_s": round(all_told_s, 2),
                "told": min(browsers, all_reports["frames"]),
                "p99_ms_after": after["p99_ms"],
            }


async def ingest(broker: Broker, *, rate: float = 10_000, seconds: float = 4) -> Figures:
    """Publish for one browser on one pillow; return what receiving an update costs."""
    async with GATEWAY.running(broker) as running:
        await running.publisher.publish(rate, 0.5)
        await asyncio.sleep(_SETTLE_S)
        async with LoadClients.of(running.port, 1, "--path", "/ws?pillow=p-00000") as clients:
            await clients.connect()
            figures = await _delivery(running, clients, 1 / 1000, rate, seconds, 1000)
            received = rate * seconds
            cpu_s = figures["server_busy"] * seconds
            return {
                **figures,
                "cpu_us_a_message": round(cpu_s / received * 1e6, 1),
                "a_core_could": round(received / cpu_s) if cpu_s else 0,
            }
