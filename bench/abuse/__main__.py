"""scripts/abuse: what good clients notice of crowds of hostile ones, one crowd after the other.

The gateway runs on one CPU; broker, publisher, good clients and the crowd on another. There the
crowd runs when nobody else wants to, because the delays of the good clients are measured.
Each crowd meets a new gateway with 1,000 pillows. No address has a limit: all come from loopback.
"""

import argparse
import asyncio
import dataclasses
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.abuse.comparison import compare, typical
from bench.abuse.crowds import CROWDS
from bench.abuse.measurement import GOOD_CLIENTS, Measured, Plan, measure, sockets_of
from bench.figures import write
from bench.gateway.load import FAILURES, CannotMeasure, LoadClients, build
from bench.gateway.servers import GATEWAY
from bench.gateway.usage import LOAD_CPU, pin, schedule_first
from devstack.broker import Broker
from devstack.processes import ROOT

HEADINGS: Final = (
    "crowd", "sockets", "p50 ms", "p99 ms", "ratio of p99 (95 %)", "CPU busy", "newcomer ms",
    "/healthz ms", "MiB", "files", "what became of the crowd",
)  # fmt: skip


def main() -> None:
    """Measure, print tables, and write JSON and a table in Markdown."""
    parser = argparse.ArgumentParser(prog="scripts/abuse", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sockets, 2 s a phase")
    parser.add_argument("--rounds", type=int, default=1, help="how often each crowd comes (1)")
    parser.add_argument("--seconds", type=float, help="the duration of each phase (5)")
    parser.add_argument("--only", nargs="+", choices=CROWDS, default=tuple(CROWDS))
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "abuse.json")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        build()
    except CannotMeasure as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    # Broker, publisher and good clients are children, which inherit both.
    pin(os.getpid(), LOAD_CPU)
    if not schedule_first(os.getpid()):
        print("no right to schedule good clients first: the crowd delays them too", file=sys.stderr)
    plan = Plan(given.rounds, given.seconds or (2.0 if given.quick else 5.0))
    found = asyncio.run(_measure_all(given.only, plan, quick=given.quick, open_files=hard))
    table = given.output.with_suffix(".md")
    table.write_text(_markdown(found))
    print(f"\n{GOOD_CLIENTS} good clients: without / with the crowd\n\n{table.read_text()}")
    crowds = {name: dataclasses.asdict(one) for name, one in found.items()}
    write(given.output, {**plan._asdict(), "crowds": crowds})
    print(f"written to {given.output} and {table}")


async def _measure_all(
    names: Sequence[str], plan: Plan, *, quick: bool, open_files: int
) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    async with Broker() as broker:
        for name in names:
            sockets = sockets_of(name, quick=quick, open_files=open_files)
            try:
                async with (
                    GATEWAY.running(broker) as running,
                    LoadClients.of(running.port, GOOD_CLIENTS) as good,
                ):
                    schedule_first(running.pid, is_first=False)
                    await running.publisher.publish(2000, 0.5)  # 1,000 pillows
                    await good.connect()
                    found[name] = await measure(running, good, name, sockets=sockets, plan=plan)
            except FAILURES as error:
                print(f"{name}: left out: {error!r}", file=sys.stderr)
            else:
                print(f"{name}: p99 {_p99(found[name])}", flush=True)
    return found


def _p99(one: Measured) -> str:
    return str(compare(one.calm.p99_ms, one.crowded.p99_ms))


def _row(name: str, one: Measured) -> list[str]:
    calm, crowded = one.calm, one.crowded
    failed = crowded.newcomers_failed
    return [
        name,
        f"{one.sockets:,}",
        f"{typical(calm.p50_ms):.2f} / {typical(crowded.p50_ms):.2f}",
        f"{typical(calm.p99_ms):.2f} / {typical(crowded.p99_ms):.2f}",
        _p99(one),
        f"{calm.busy:.0%} / {crowded.busy:.0%}",
        f"{crowded.newcomer_ms:.0f}" + (f" ({failed} failed)" if failed else ""),
        f"{crowded.healthz_ms:.0f}" if crowded.healthz_ms else "not tried",
        f"{calm.rss_mib:.0f} / {crowded.rss_mib:.0f}",
        f"{calm.files:,} / {crowded.files:,}",
        _ended(one),
    ]


def _ended(one: Measured) -> str:
    """Return how the crowd's connections ended, and what the gateway counted."""
    outcomes = sorted(one.outcomes.items(), key=lambda outcome: -outcome[1])
    parts = [f"{count:,} {how}" for how, count in outcomes]
    parts += [f"{name} {count:,}" for name, count in one.refused.items()]
    return f"{one.opened:,} connects; " + ("; ".join(parts) or "all stayed")


def _markdown(found: Mapping[str, Measured]) -> str:
    lines = [_line(HEADINGS), "|" + " --- |" * len(HEADINGS)]
    lines += [_line(_row(name, one)) for name, one in found.items()]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
