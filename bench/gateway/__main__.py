"""scripts/bench gateway: what delivering updates to browsers costs, beside alternatives in one run.

The server runs on one CPU; broker, publisher and clients run on another.
CPU is user and system time of the server's processes, divided by the updates that arrived.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.figures import Column, show_each, write
from bench.gateway import compression, plot, scenarios, staggered
from bench.gateway.installation import install
from bench.gateway.load import FAILURES, CannotMeasure, build
from bench.gateway.servers import GATEWAY, SERVERS, Server
from bench.gateway.usage import LOAD_CPU, pin
from devstack.broker import Broker
from devstack.processes import ROOT

Figures = dict[str, Any]

SCENARIOS: Final = (
    "deliver", "saturate", "connect", "slow", "staggered", "interest", "ingest", "storm", "sse"
)  # fmt: skip

_COST: Final[Sequence[Column]] = (
    ("CPU µs/delivery", "cpu_us", "{:.1f}"),
    ("user µs", "user_us", "{:.2f}"),
)
_DELAY: Final[Sequence[Column]] = (
    ("p50 ms", "p50_ms", "{:.1f}"),
    ("p99 ms", "p99_ms", "{:.1f}"),
    ("delivered", "delivered", "{:.1%}"),
)
_BUSY: Final[Column] = ("CPU busy", "server_busy", "{:.0%}")

_MEDIAN_KEYS: Final = (
    "cpu_us", "user_us", "p50_ms", "p99_ms", "delivered", "server_busy", "client_busy"
)  # fmt: skip


def main() -> None:
    """Measure, print tables, write JSON and a plot."""
    parser = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each, under two minutes")
    parser.add_argument("--rounds", type=int, help="rounds, of which the median counts (3)")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS)
    parser.add_argument("--alone", action="store_true", help="the gateway and the C limit only")
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "gateway.json")
    given = parser.parse_args()
    try:
        build()
    except CannotMeasure as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    missing = [] if given.alone else install()
    servers = [one for one in (SERVERS[:2] if given.alone else SERVERS) if one.is_installed]
    for sentence in missing:
        print(f"left out: {sentence}")
    run = Run(servers, given.only, given.rounds or (1 if given.quick else 3), quick=given.quick)
    asyncio.run(run.all())
    write(given.output, {"rounds": run.rounds, "left_out": missing, **run.figures})
    plot.draw(given.output.with_suffix(".svg"), run.charts)
    print(f"written to {given.output} and {given.output.with_suffix('.svg')}")


class Run:
    """One run of the benchmark, with its figures so far."""

    def __init__(
        self, servers: Sequence[Server], only: Sequence[str], rounds: int, *, quick: bool
    ) -> None:
        self.figures: Figures = {}
        self.charts: list[plot.Chart] = []
        self.rounds = rounds
        self._servers = servers
        self._only = only
        self._quick = quick

    async def all(self) -> None:
        """Run every scenario that `--only` names."""
        async with Broker(kind="mosquitto", topic_prefix="+") as broker:
            if broker.pid is not None:
                pin(broker.pid, LOAD_CPU)
            for name in SCENARIOS:
                if name in self._only:
                    print(f"{name} …", flush=True)
                    await getattr(self, f"_{name}")(broker)
        self._compression()

    async def _each(self, name: str, measure: Any, *servers: Server) -> dict[str, list[Figures]]:
        """Measure every server in turn, round by round; one that fails is named and left out."""
        found: dict[str, list[Figures]] = {}
        for number in range(self.rounds):
            for server in servers or self._servers:
                try:
                    found.setdefault(server.name, []).append(await measure(server))
                except FAILURES as error:
                    print(f"left out: {name}, {server.name}, round {number + 1}: {error}")
        return {server: rounds for server, rounds in found.items() if rounds}

    def _few(self, *names: str) -> Sequence[Server]:
        """Return all servers, or in a quick run those that are named."""
        return [one for one in self._servers if not self._quick or one.name in names]

    async def _deliver(self, broker: Broker) -> None:
        seconds = 2 if self._quick else 5
        each = await self._each(
            "deliver", lambda one: scenarios.deliver(one, broker, seconds=seconds)
        )
        medians = {name: _median(rounds) for name, rounds in each.items()}
        limit = medians.get("C limit", {}).get("cpu_us")
        for one in medians.values() if limit else ():
            one["limits"] = one["cpu_us"] / limit
        self.figures["deliver"] = {name: {**medians[name], "rounds": each[name]} for name in each}
        of_limit = (("× C limit", "limits", "{:.2f}"),) if limit else ()
        show_each(
            f"1,000 browsers, 50 updates a second: median of {self.rounds}",
            (*_COST, *of_limit, *_DELAY),
            medians,
        )
        bars = [(name, one["cpu_us"], f"{one['cpu_us']:.1f}") for name, one in medians.items()]
        self.charts.append(("CPU µs per delivered update, 1,000 browsers, 50 updates/s", bars))

    async def _saturate(self, broker: Broker) -> None:
        found: Figures = {}
        for server in self._few("Pillowcast", "mosquitto", "NATS"):
            rates = server.quick_rates if self._quick else server.rates
            try:
                found[server.name] = await scenarios.saturate(
                    server, broker, rates=rates, seconds=2 if self._quick else 3
                )
            except FAILURES as error:
                print(f"left out: saturate, {server.name}: {error}")
        self.figures["saturate"] = found
        shown = {
            name: {
                **(one["sustained"] or one["most"]),
                "sustained": one["sustained"]["rate"] * 1000 if one["sustained"] else 0,
                "most": one["most"]["a_second"],
            }
            for name, one in found.items()
        }
        show_each(
            f"1,000 browsers, more and more updates; sustained at p99 ≤ {scenarios.P99_MS:.0f} ms",
            (
                ("sustained/s", "sustained", "{:,.0f}"),
                ("most seen/s", "most", "{:,.0f}"),
                ("CPU µs/delivery", "cpu_us", "{:.2f}"),
                ("updates/frame", "updates_a_frame", "{:.0f}"),
                *_DELAY,
            ),
            shown,
        )
        bars = [(name, one["most"], f"{one['most']:,.0f}") for name, one in shown.items()]
        self.charts.append(("Most updates delivered per second, 1,000 browsers, one core", bars))

    async def _connect(self, broker: Broker) -> None:
        browsers, idle_s = (4000, 2) if self._quick else (10_000, 21)
        each = await self._each(
            "connect",
            lambda one: scenarios.connect(one, broker, browsers=browsers, idle_s=idle_s),
            *self._few("Pillowcast", "mosquitto", "ws, Node.js"),
        )
        keys = ("seconds", "connect_cpu_us", "bytes_each", "idle_cpu")
        medians = {name: _median(rounds, keys) for name, rounds in each.items()}
        for one in medians.values():
            one["kb_each"] = one["bytes_each"] / 1024
        self.figures["connect"] = {name: {**medians[name], "rounds": each[name]} for name in each}
        show_each(
            f"{browsers:,} idle browsers: median of {self.rounds}",
            (
                ("KB each", "kb_each", "{:.1f}"),
                ("CPU µs a connect", "connect_cpu_us", "{:.0f}"),
                ("connected in s", "seconds", "{:.2f}"),
                ("idle CPU", "idle_cpu", "{:.1%}"),
            ),
            medians,
        )
        bars = [(name, one["kb_each"], f"{one['kb_each']:.1f}") for name, one in medians.items()]
        self.charts.append((f"KB of memory a browser, {browsers:,} of them", bars))

    async def _slow(self, broker: Broker) -> None:
        seconds = 2 if self._quick else 5
        rounds: dict[int, list[Figures]] = {0: [], 100: []}
        for _ in range(self.rounds):
            for count, found in rounds.items():
                found.append(await scenarios.stalled(broker, stalled=count, seconds=seconds))
        keys = ("cpu_us", "p50_ms", "p99_ms", "delivered", "grew_bytes", "dead")
        medians = {
            f"{count} that never read": _median(found, keys) for count, found in rounds.items()
        }
        for one in medians.values():
            one["grew_mb"] = one["grew_bytes"] / 2**20
        self.figures["slow"] = {"median": medians, "rounds": rounds}
        show_each(
            f"1,000 good browsers beside others, 50 updates a second: median of {self.rounds}",
            (
                ("CPU µs/delivery", "cpu_us", "{:.1f}"),
                *_DELAY,
                ("memory grew, MB", "grew_mb", "{:.1f}"),
                ("ended", "dead", "{:.0f}"),
            ),
            medians,
        )

    async def _staggered(self, broker: Broker) -> None:
        self.figures["staggered"] = await staggered.measure(broker, quick=self._quick)

    async def _interest(self, broker: Broker) -> None:
        browsers = 4000 if self._quick else 10_000
        one = self.figures["interest"] = await scenarios.interest(broker, browsers=browsers)
        show_each(
            f"{browsers:,} browsers on as many pillows, 1,000 updates a second",
            (("CPU µs/update", "cpu_us", "{:.0f}"), _BUSY, *_DELAY),
            {"Pillowcast": one},
        )

    async def _ingest(self, broker: Broker) -> None:
        one = await scenarios.ingest(broker, seconds=2 if self._quick else 4)
        self.figures["ingest"] = one
        show_each(
            "10,000 updates a second from the broker, one browser on one pillow",
            (
                ("CPU µs/update", "cpu_us_a_message", "{:.1f}"),
                _BUSY,
                ("a core could/s", "a_core_could", "{:,}"),
                *_DELAY,
            ),
            {"Pillowcast": one},
        )

    async def _storm(self, broker: Broker) -> None:
        one = await scenarios.storm(broker, browsers=4000 if self._quick else 10_000)
        self.figures["storm"] = one
        show_each(
            f"{one['browsers']:,} browsers reconnect at once after a restart",
            (
                ("all connected, s", "all_connected_s", "{:.2f}"),
                ("all have a frame, s", "all_told_s", "{:.2f}"),
                ("refused", "refused", "{}"),
                ("dead", "dead", "{}"),
                ("p99 ms at 2/s then", "p99_ms_after", "{:.0f}"),
            ),
            {"Pillowcast": one},
        )

    async def _sse(self, broker: Broker) -> None:
        seconds = 2 if self._quick else 5
        options = ("--sse", "1", "--path", "/events")
        each = await self._each(
            "sse",
            lambda one: scenarios.deliver(one, broker, seconds=seconds, options=options),
            GATEWAY,
        )
        medians = {name: _median(rounds) for name, rounds in each.items()}
        self.figures["sse"] = {name: {**medians[name], "rounds": each[name]} for name in each}
        show_each(
            f"1,000 browsers on Server-Sent Events, 50 updates a second: median of {self.rounds}",
            (*_COST, *_DELAY),
            medians,
        )

    def _compression(self) -> None:
        found = self.figures["compression"] = compression.measure()
        for one in found:
            one["share"] = one["compressed"] / one["bytes"]
            one["is"] = "yes" if one["is_compressed"] else "no"
        show_each(
            "A frame that is compressed once for all browsers, by its size",
            (
                ("bytes", "bytes", "{:,}"),
                ("compressed", "compressed", "{:,}"),
                ("ratio", "share", "{:.0%}"),
                ("CPU µs", "cpu_us", "{:.0f}"),
                ("is compressed", "is", "{}"),
            ),
            {f"{one['states']} states": one for one in found},
        )


def _median(rounds: Sequence[Figures], keys: Sequence[str] = _MEDIAN_KEYS) -> Figures:
    return {key: statistics.median(one[key] for one in rounds) for key in keys}


if __name__ == "__main__":
    main()
