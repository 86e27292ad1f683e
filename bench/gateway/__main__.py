"""scripts/bench gateway: what it costs to tell browsers, side by side in one run.

The server is on one CPU; broker, publisher and browsers are on another.
CPU is user and system time of the server's processes, divided by the updates that arrived.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.figures import show, write
from bench.gateway import compression, plot, scenarios
from bench.gateway.contenders import CONTENDERS, GATEWAY, Contender, install
from bench.gateway.drive import OTHERS_CPU, CannotMeasure, build, pin
from devstack.broker import Broker
from devstack.errors import CannotStart, ProgramFailed
from devstack.processes import ROOT

Figures = dict[str, Any]

SCENARIOS: Final = ("deliver", "saturate", "connect", "slow", "interest", "ingest", "storm", "sse")

FAILURES: Final = (CannotMeasure, CannotStart, ProgramFailed, TimeoutError, OSError, ValueError)
"""Why a contender may be left out of a run."""

_MIDDLE: Final = (
    "cpu_us",
    "user_us",
    "p50_ms",
    "p99_ms",
    "delivered",
    "server_busy",
    "client_busy",
)


def main() -> None:
    """Measure, print tables, write JSON and a plot."""
    asked = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="one round of each, under two minutes")
    asked.add_argument("--rounds", type=int, help="rounds, of which the median counts (3)")
    asked.add_argument("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS)
    asked.add_argument("--alone", action="store_true", help="the gateway and the C limit only")
    asked.add_argument("--output", type=Path, default=ROOT / ".bench" / "gateway.json")
    given = asked.parse_args()
    try:
        build()
    except CannotMeasure as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    missing = [] if given.alone else install()
    contenders = [one for one in (CONTENDERS[:2] if given.alone else CONTENDERS) if one.is_here]
    for sentence in missing:
        print(f"left out: {sentence}")
    run = Run(contenders, given.only, given.rounds or (1 if given.quick else 3), quick=given.quick)
    asyncio.run(run.all())
    write(given.output, {"rounds": run.rounds, "left_out": missing, **run.figures})
    plot.draw(given.output.with_suffix(".svg"), run.charts)
    print(f"written to {given.output} and {given.output.with_suffix('.svg')}")


class Run:
    """One run of the benchmark, and what it has found so far."""

    def __init__(
        self, contenders: Sequence[Contender], only: Sequence[str], rounds: int, *, quick: bool
    ) -> None:
        self.figures: Figures = {}
        self.charts: list[plot.Chart] = []
        self.rounds = rounds
        self._contenders = contenders
        self._only = only
        self._quick = quick

    async def all(self) -> None:
        """Run every scenario that is asked for."""
        async with Broker(kind="mosquitto", topic_prefix="+") as broker:
            if broker.pid is not None:
                pin(broker.pid, OTHERS_CPU)
            for name in SCENARIOS:
                if name in self._only:
                    print(f"{name} …", flush=True)
                    await getattr(self, f"_{name}")(broker)
        self._compression()

    async def _each(
        self, name: str, measure: Any, *contenders: Contender
    ) -> dict[str, list[Figures]]:
        """Measure every contender in turn, round by round; one that fails is left out, loudly."""
        found: dict[str, list[Figures]] = {}
        for number in range(self.rounds):
            for contender in contenders or self._contenders:
                try:
                    found.setdefault(contender.name, []).append(await measure(contender))
                except FAILURES as error:
                    print(f"left out: {name}, {contender.name}, round {number + 1}: {error}")
        return {contender: rounds for contender, rounds in found.items() if rounds}

    def _few(self, *names: str) -> Sequence[Contender]:
        """Return who takes part: everybody, but in a quick run those that are named."""
        return [one for one in self._contenders if not self._quick or one.name in names]

    async def _deliver(self, broker: Broker) -> None:
        seconds = 2 if self._quick else 5
        each = await self._each(
            "deliver", lambda one: scenarios.deliver(one, broker, seconds=seconds)
        )
        middle = {name: _median(rounds) for name, rounds in each.items()}
        self.figures["deliver"] = {name: {**middle[name], "rounds": each[name]} for name in each}
        limit = middle.get("C limit", {}).get("cpu_us")
        show(
            f"1,000 browsers, 50 updates a second: median of {self.rounds}",
            ("", "CPU µs/delivery", "× C limit", "user µs", "p50 ms", "p99 ms", "delivered"),
            [
                (
                    name,
                    f"{one['cpu_us']:.1f}",
                    f"{one['cpu_us'] / limit:.2f}" if limit else "",
                    f"{one['user_us']:.2f}",
                    f"{one['p50_ms']:.1f}",
                    f"{one['p99_ms']:.1f}",
                    f"{one['delivered']:.1%}",
                )
                for name, one in middle.items()
            ],
        )
        bars = [(name, one["cpu_us"], f"{one['cpu_us']:.1f}") for name, one in middle.items()]
        self.charts.append(("CPU µs per delivered update, 1,000 browsers, 50 updates/s", bars))

    async def _saturate(self, broker: Broker) -> None:
        found: Figures = {}
        for contender in self._few("Pillowcast", "mosquitto", "NATS"):
            rates = contender.quick_rates if self._quick else contender.rates
            try:
                found[contender.name] = await scenarios.saturate(
                    contender, broker, rates=rates, seconds=2 if self._quick else 3
                )
            except FAILURES as error:
                print(f"left out: saturate, {contender.name}: {error}")
        self.figures["saturate"] = found
        rows, bars = [], []
        for name, one in found.items():
            best, most = one["sustained"], one["most"]
            sustained = best["rate"] * 1000 if best else 0
            shown = best or most
            rows.append(
                (
                    name,
                    f"{sustained:,.0f}" if best else "none tried",
                    f"{most['a_second']:,.0f}",
                    f"{shown['p50_ms']:.0f}",
                    f"{shown['p99_ms']:.0f}",
                    f"{shown['cpu_us']:.2f}",
                    f"{shown['updates_a_frame']:.0f}",
                )
            )
            bars.append((name, most["a_second"], f"{most['a_second']:,.0f}"))
        show(
            f"1,000 browsers, more and more updates; sustained at p99 ≤ {scenarios.P99_MS:.0f} ms",
            ("", "sustained/s", "most seen/s", "p50 ms", "p99 ms", "CPU µs", "updates/frame"),
            rows,
        )
        self.charts.append(("Most updates delivered per second, 1,000 browsers, one core", bars))

    async def _connect(self, broker: Broker) -> None:
        browsers, idle_s = (4000, 2) if self._quick else (10_000, 21)
        each = await self._each(
            "connect",
            lambda one: scenarios.connect(one, broker, browsers=browsers, idle_s=idle_s),
            *self._few("Pillowcast", "mosquitto", "ws, Node.js"),
        )
        keys = ("seconds", "connect_cpu_us", "bytes_each", "idle_cpu")
        middle = {name: _median(rounds, keys) for name, rounds in each.items()}
        self.figures["connect"] = {name: {**middle[name], "rounds": each[name]} for name in each}
        show(
            f"{browsers:,} browsers that say nothing: median of {self.rounds}",
            ("", "KB each", "CPU µs a connect", "connected in s", "idle CPU"),
            [
                (
                    name,
                    f"{one['bytes_each'] / 1024:.1f}",
                    f"{one['connect_cpu_us']:.0f}",
                    f"{one['seconds']:.2f}",
                    f"{one['idle_cpu']:.1%}",
                )
                for name, one in middle.items()
            ],
        )
        bars = [
            (n, one["bytes_each"], f"{one['bytes_each'] / 1024:.1f}") for n, one in middle.items()
        ]
        self.charts.append((f"KB of memory a browser, {browsers:,} of them", bars))

    async def _slow(self, broker: Broker) -> None:
        seconds = 2 if self._quick else 5
        found = [
            await scenarios.stalled(broker, stalled=count, seconds=seconds) for count in (0, 100)
        ]
        self.figures["slow"] = found
        show(
            "1,000 good browsers beside some that never read, 50 updates a second",
            ("stalled", "p50 ms", "p99 ms", "CPU µs/delivery", "memory grew, MB", "ended"),
            [
                (
                    f"{one['stalled']}",
                    f"{one['p50_ms']:.1f}",
                    f"{one['p99_ms']:.1f}",
                    f"{one['cpu_us']:.1f}",
                    f"{one['grew_bytes'] / 2**20:.1f}",
                    f"{one['dead']}",
                )
                for one in found
            ],
        )

    async def _interest(self, broker: Broker) -> None:
        browsers = 4000 if self._quick else 10_000
        one = await scenarios.interest(broker, browsers=browsers)
        self.figures["interest"] = one
        show(
            f"{browsers:,} browsers on as many pillows, 1,000 updates a second",
            ("CPU µs/update", "CPU busy", "p50 ms", "p99 ms", "delivered"),
            [
                (
                    f"{one['cpu_us']:.0f}",
                    f"{one['server_busy']:.0%}",
                    f"{one['p50_ms']:.1f}",
                    f"{one['p99_ms']:.1f}",
                    f"{one['delivered']:.1%}",
                )
            ],
        )

    async def _ingest(self, broker: Broker) -> None:
        one = await scenarios.ingest(broker, seconds=2 if self._quick else 4)
        self.figures["ingest"] = one
        show(
            "6,000 updates a second from the broker, one browser on one pillow",
            ("CPU µs/update", "CPU busy", "a core could/s", "p50 ms", "p99 ms"),
            [
                (
                    f"{one['cpu_us_a_message']:.1f}",
                    f"{one['server_busy']:.0%}",
                    f"{one['a_core_could']:,}",
                    f"{one['p50_ms']:.1f}",
                    f"{one['p99_ms']:.1f}",
                )
            ],
        )

    async def _storm(self, broker: Broker) -> None:
        one = await scenarios.storm(broker, browsers=4000 if self._quick else 10_000)
        self.figures["storm"] = one
        show(
            f"{one['browsers']:,} browsers come back at once after a restart",
            ("all connected, s", "all told, s", "refused", "dead", "p99 ms at 2/s then"),
            [
                (
                    f"{one['all_connected_s']:.2f}",
                    f"{one['all_told_s']:.2f}",
                    f"{one['refused']}",
                    f"{one['dead']}",
                    f"{one['p99_ms_after']:.0f}",
                )
            ],
        )

    async def _sse(self, broker: Broker) -> None:
        seconds = 2 if self._quick else 5
        options = ("--sse", "1", "--path", "/events")
        one = await scenarios.deliver(GATEWAY, broker, seconds=seconds, options=options)
        self.figures["sse"] = one
        show(
            "1,000 browsers on Server-Sent Events, 50 updates a second",
            ("CPU µs/delivery", "user µs", "p50 ms", "p99 ms", "delivered"),
            [
                (
                    f"{one['cpu_us']:.1f}",
                    f"{one['user_us']:.2f}",
                    f"{one['p50_ms']:.1f}",
                    f"{one['p99_ms']:.1f}",
                    f"{one['delivered']:.1%}",
                )
            ],
        )

    def _compression(self) -> None:
        found = compression.measure()
        self.figures["compression"] = found
        show(
            "A frame compressed once for everybody, by its size",
            ("states", "bytes", "compressed", "of it", "CPU µs", "is compressed"),
            [
                (
                    f"{one['states']}",
                    f"{one['bytes']:,}",
                    f"{one['compressed']:,}",
                    f"{one['compressed'] / one['bytes']:.0%}",
                    f"{one['cpu_us']:.0f}",
                    "yes" if one["is_compressed"] else "no",
                )
                for one in found
            ],
        )


def _median(rounds: Sequence[Figures], keys: Sequence[str] = _MIDDLE) -> Figures:
    return {key: statistics.median(one[key] for one in rounds) for key in keys}


if __name__ == "__main__":
    main()
