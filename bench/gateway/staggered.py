"""The scenario `staggered`: browsers that join one by one on a large fleet, and never read."""

import asyncio
from typing import Any, Final

from bench.figures import show_each
from bench.gateway.load import FAILURES, LoadClients
from bench.gateway.servers import GATEWAY, RunningServer
from bench.gateway.usage import Usage
from devstack.broker import Broker

Figures = dict[str, Any]

PILLOWS: Final = 10_000
_SETTLE_S: Final = 0.5


async def measure(broker: Broker, *, quick: bool) -> Figures:
    """Measure browsers that never read, on a quiet and a busy fleet, and ones that read."""
    few, many = (200, 2_000) if quick else (1_000, 10_000)
    found: Figures = {}
    for never_read, rate in ((True, 0), (True, 1000), (False, 0)):
        browsers = few if never_read else many
        verb = "never read" if never_read else "read"
        name = f"{browsers:,} that {verb}, {rate:,} updates/s"
        try:
            found[name] = await _join(broker, browsers, rate, never_read=never_read)
        except FAILURES as error:
            print(f"left out: staggered, {name}: {error}")
    show_each(
        f"Staggered non-readers: browsers that join one by one on {PILLOWS:,} pillows",
        (
            ("joined", "browsers", "{:,}"),
            ("KB each", "kb_each", "{:.1f}"),
            ("memory grew, MB", "grew_mb", "{:.1f}"),
            ("CPU µs a join", "join_cpu_us", "{:.0f}"),
        ),
        found,
    )
    return found


async def _join(broker: Broker, browsers: int, rate: float, *, never_read: bool) -> Figures:
    """Let browsers join; return what each costs the gateway.

    `rate` is that of updates meanwhile. Memory is that of the process, without the buffers of the
    system.
    """
    every_ms = 10 if never_read else 1
    stalled = ("--stalled", str(browsers)) if never_read else ()
    options = ("--every", str(every_ms), *stalled)
    async with (
        GATEWAY.running(broker) as running,
        LoadClients.of(running.port, 100) as warm,
        LoadClients.of(running.port, browsers, *options) as clients,
    ):
        await running.publisher.publish(PILLOWS / 2, 2.5, pillows=PILLOWS)
        await warm.connect()
        await asyncio.sleep(_SETTLE_S)
        before = Usage.of(running.pid)
        updates = asyncio.create_task(_updates(running, rate, browsers * every_ms / 1000 + 1))
        done = await clients.connect()
        await updates
        await asyncio.sleep(_SETTLE_S)
        after = Usage.of(running.pid)
        grew = after.resident_bytes - before.resident_bytes
        return {
            "browsers": done["open"],
            "refused": done["refused"],
            "seconds": done["seconds"],
            "join_cpu_us": round(after.since(before).cpu_s / browsers * 1e6, 1),
            "grew_mb": round(grew / 2**20, 1),
            "kb_each": round(grew / browsers / 1024, 1),
        }


async def _updates(running: RunningServer, rate: float, seconds: float) -> None:
    if rate:
        await running.publisher.publish(rate, seconds, pillows=PILLOWS)
