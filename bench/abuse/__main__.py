"""scripts/abuse: what good clients notice of crowds of hostile ones, one crowd after the other.

The gateway runs on one CPU; broker, publisher, good clients and the crowd on another. The crowd has
a lower priority than the good clients, because their delays are measured where they run.
Each crowd meets a new gateway with 1,000 pillows. No address has a limit: all come from loopback.
"""

import argparse
import asyncio
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.abuse.crowds import CROWDS
from bench.abuse.measurement import GOOD_CLIENTS, measure, sockets_of
from bench.figures import write
from bench.gateway.load import FAILURES, CannotMeasure, LoadClients, build
from bench.gateway.servers import GATEWAY
from bench.gateway.usage import LOAD_CPU, pin
from devstack.broker import Broker
from devstack.processes import ROOT

Figures = dict[str, Any]

HEADINGS: Final = (
    "crowd", "sockets", "p50 ms", "p99 ms", "CPU busy", "newcomer ms", "/healthz ms", "MiB", "files"
)  # fmt: skip


def main() -> None:
    """Measure, print tables, and write JSON and a table in Markdown."""
    parser = argparse.ArgumentParser(prog="scripts/abuse", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sockets, 2 s a phase")
    parser.add_argument("--seconds", type=float, help="the duration of each of three phases (5)")
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
    seconds = given.seconds or (2.0 if given.quick else 5.0)
    found = asyncio.run(_measure_all(given.only, seconds, quick=given.quick, open_files=hard))
    table = given.output.with_suffix(".md")
    table.write_text(_markdown(found))
    print(f"\n{GOOD_CLIENTS} good clients: before / during / after\n\n{table.read_text()}")
    write(given.output, {"seconds": seconds, "crowds": found})
    print(f"written to {given.output} and {table}")


async def _measure_all(
    names: Sequence[str], seconds: float, *, quick: bool, open_files: int
) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    async with Broker() as broker:
        if broker.pid is not None:
            pin(broker.pid, LOAD_CPU)
        for name in names:
            sockets = sockets_of(name, quick=quick, open_files=open_files)
            try:
                async with (
                    GATEWAY.running(broker) as running,
                    LoadClients.of(running.port, GOOD_CLIENTS) as good,
                ):
                    await running.publisher.publish(2000, 0.5)  # 1,000 pillows
                    await good.connect()
                    found[name] = await measure(
                        running, good, name, sockets=sockets, seconds=seconds
                    )
            except FAILURES as error:
                print(f"{name}: left out: {error!r}", file=sys.stderr)
            else:
                print(f"{name}: p99 {_three(found[name], 'p99_ms', '{:.1f}')} ms", flush=True)
    return found


def _three(one: Figures, key: str, form: str) -> str:
    return " / ".join(form.format(one[phase][key]) for phase in ("before", "during", "after"))


def _row(name: str, one: Figures) -> list[str]:
    failed = one["during"]["newcomers_failed"]
    return [
        name,
        f"{one['sockets']:,}",
        _three(one, "p50_ms", "{:.1f}"),
        _three(one, "p99_ms", "{:.1f}"),
        _three(one, "busy", "{:.0%}"),
        f"{one['during']['newcomer_ms']:.0f}" + (f" ({failed} failed)" if failed else ""),
        f"{one['during']['healthz_ms']:.0f}" if one["during"]["healthz_ms"] else "not tried",
        _three(one, "rss_mib", "{:.0f}"),
        _three(one, "files", "{:,}"),
    ]


def _ended(one: Figures) -> str:
    """Return how the crowd's connections ended, and what the gateway counted."""
    outcomes: Mapping[str, int] = one["crowd"]["outcomes"]
    parts = [f"{count:,} {how}" for how, count in outcomes.items()]
    parts += [f"{name} {count:,}" for name, count in one["refused"].items()]
    return f"{one['crowd']['opened']:,} connects; " + ("; ".join(parts) or "all stayed")


def _markdown(found: Mapping[str, Figures]) -> str:
    headings = (*HEADINGS, "what became of the crowd")
    lines = [_line(headings), "|" + " --- |" * len(headings)]
    lines += [_line((*_row(name, one), _ended(one))) for name, one in found.items()]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
