"""The scenarios: what is asked of a contender, and what is counted meanwhile."""

import asyncio
import time
from typing import Any, Final

from bench.gateway.contenders import GATEWAY, Contender, Running
from bench.gateway.drive import SERVER_CPU, Browsers, Usage, pin
from devstack.broker import Broker

Figures = dict[str, Any]

P99_MS: Final = 250.0
"""A rate is sustained while 99 of 100 updates arrive within so long."""

_SETTLE_S: Final = 0.5
_PATIENCE_S: Final = 2.0
"""How long updates that were published may still be on their way."""


async def deliver(
    contender: Contender,
    broker: Broker,
    *,
    browsers: int = 1000,
    rate: float = 50,
    seconds: float = 5,
    pillows: int = 1000,
    options: tuple[str, ...] = (),
) -> Figures:
    """Tell every browser of every update at a fixed rate; what one delivery costs."""
    async with contender.running(broker) as running:
        given = (*running.options, *options)
        async with Browsers.at(running.port, browsers, *given) as clients:
            await clients.connect()
            await asyncio.sleep(_SETTLE_S)
            await running.feed.publish(rate, 0.5, pillows=pillows)  # everything is warm then
            await asyncio.sleep(_SETTLE_S)
            return await _told(running, clients, browsers, rate, seconds, pillows)


async def _told(
    running: Running, clients: Browsers, each: float, rate: float, seconds: float, pillows: int
) -> Figures:
    """Publish, and say what was delivered; `each` browsers are to hear of every update."""
    await clients.reset()
    before, began_s = Usage.of(running.pid), time.monotonic()
    client_before = (await clients.report())["cpu_s"]
    sent = await running.feed.publish(rate, seconds, pillows=pillows)
    at_the_end = await clients.report()
    took_s = time.monotonic() - began_s
    busy = Usage.of(running.pid).since(before)
    wanted = int(sent["sent"] * each)
    report = await clients.until(lambda one: one["updates"] >= wanted, _PATIENCE_S)
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
    """Whether a rate is one that a contender could keep up for ever."""
    return bool(one["delivered"] >= 0.99 and one["in_time"] >= 0.93 and one["p99_ms"] <= P99_MS)


async def saturate(
    contender: Contender, broker: Broker, *, rates: tuple[float, ...], seconds: float = 3
) -> Figures:
    """Find the highest rate that is sustained with 1000 browsers, of those given."""
    tried: list[Figures] = []
    best: Figures | None = None
    for rate in rates:
        one = await deliver(contender, broker, rate=rate, seconds=seconds)
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
    contender: Contender, broker: Broker, *, browsers: int = 10_000, idle_s: float = 21
) -> Figures:
    """Connect many who then say nothing; what one costs to have, and what all cost to keep."""
    async with (
        contender.running(broker) as running,
        Browsers.at(running.port, 100, *running.options) as warm,
    ):
        await warm.connect()
        await asyncio.sleep(_SETTLE_S)
        at_first = Usage.of(running.pid)
        async with Browsers.at(running.port, browsers, *running.options) as clients:
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
                "bytes_each": round((after.resident - at_first.resident) / browsers),
                "idle_cpu": round(idle.cpu_s / idle_s, 4),
            }


async def _flood(running: Running, good: Browsers) -> None:
    """Publish so much that what is held for who does not read is full; wait until it is told."""
    await good.reset()
    sent = await running.feed.publish(1000, 1, size=1000)
    await good.until(lambda one: one["updates"] >= sent["sent"] * 1000, 15)


async def stalled(broker: Broker, *, stalled: int, seconds: float = 5) -> Figures:
    """A thousand good browsers, and some that never read: what the good ones notice."""
    async with (
        GATEWAY.running(broker) as running,
        Browsers.at(running.port, max(1, stalled), "--stalled", str(stalled)) as bad,
        Browsers.at(running.port, 1000) as good,
    ):
        if stalled:
            await bad.connect()
        await good.connect()
        await asyncio.sleep(_SETTLE_S)
        await _flood(running, good)
        before = Usage.of(running.pid).resident
        told = await _told(running, good, 1000, 50, seconds, 1000)
        await _flood(running, good)
        after = Usage.of(running.pid).resident
        return {**told, "stalled": stalled, "grew_bytes": after - before}


async def interest(broker: Broker, *, browsers: int = 10_000, seconds: float = 3) -> Figures:
    """Each browser watches a pillow of its own; an update reaches one of them."""
    async with GATEWAY.running(broker) as running:
        path = ("--path", "/ws?pillow=p-%05d")
        async with Browsers.at(running.port, browsers, *path) as clients:
            await clients.connect()
            await asyncio.sleep(_SETTLE_S)
            await running.feed.publish(1000, 0.5, pillows=browsers)
            await asyncio.sleep(_SETTLE_S)
            return await _told(running, clients, 1, 1000, seconds, browsers)


async def storm(broker: Broker, *, browsers: int = 10_000) -> Figures:
    """The gateway restarts, and everybody comes back at once, while updates go on."""
    async with GATEWAY.running(broker) as running:
        await running.feed.publish(2000, 0.5)
        await running.program.stop()
        await running.program.start()
        pin(running.pid, SERVER_CPU)
        async with Browsers.at(running.port, browsers, "--burst", "2000") as clients:
            live = asyncio.ensure_future(running.feed.publish(2, 12))
            done = await clients.connect()
            connected = time.monotonic()
            all_told = await clients.until(lambda one: one["frames"] >= browsers, 10)
            told_s = done["seconds"] + time.monotonic() - connected
            await clients.reset()
            await asyncio.sleep(2)
            after = await clients.report()
            live.cancel()
            return {
                "browsers": browsers,
                "refused": done["refused"],
                "dead": after["dead"],
                "all_connected_s": done["seconds"],
                "all_told_s": round(told_s, 2),
                "told": min(browsers, all_told["frames"]),
                "p99_ms_after": after["p99_ms"],
            }


async def ingest(broker: Broker, *, rate: float = 10_000, seconds: float = 4) -> Figures:
    """Updates for one browser that watches one pillow: what it costs to take one in."""
    async with GATEWAY.running(broker) as running:
        await running.feed.publish(rate, 0.5)
        await asyncio.sleep(_SETTLE_S)
        async with Browsers.at(running.port, 1, "--path", "/ws?pillow=p-00000") as clients:
            await clients.connect()
            told = await _told(running, clients, 1 / 1000, rate, seconds, 1000)
            taken = rate * seconds
            cpu_s = told["server_busy"] * seconds
            return {
                **told,
                "cpu_us_a_message": round(cpu_s / taken * 1e6, 1),
                "a_core_could": round(taken / cpu_s) if cpu_s else 0,
            }
