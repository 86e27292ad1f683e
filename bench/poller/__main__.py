"""scripts/bench poller: throughput, CPU and latency, side by side in one run."""

import argparse
import asyncio
import statistics
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.figures import show, write
from bench.poller import latency
from bench.poller.targets import Target, azurite, double
from bench.poller.throughput import CONTENDERS, Figure, measure, median
from devstack.broker import Broker
from devstack.processes import ROOT

_WIDTH: Final = 32
"""Azurite's cost grows with its depth, so it is given no more than this times ten at once."""


def main() -> None:
    """Measure, print tables, write JSON."""
    asked = argparse.ArgumentParser(prog="scripts/bench poller", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="one round, fewer messages")
    asked.add_argument("--rounds", type=int, help="rounds, of which the median counts (3)")
    asked.add_argument("--no-latency", action="store_true", help="throughput only")
    asked.add_argument("--output", type=Path, default=ROOT / ".bench" / "poller.json")
    given = asked.parse_args()
    rounds = given.rounds or (1 if given.quick else 3)
    figures = asyncio.run(_run(rounds, quick=given.quick, with_latency=not given.no_latency))
    write(given.output, figures)
    print(f"written to {given.output}")


async def _run(rounds: int, *, quick: bool, with_latency: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {"rounds": rounds}
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        targets: dict[str, tuple[Any, int, int]] = {
            # How to start it, messages for us and the ceiling, messages for the loop.
            "double, 0 ms": (partial(double, 0), 5_000 if quick else 20_000, 1_000),
            "double, 10 ms": (partial(double, 10), 5_000 if quick else 20_000, 100),
            "Azurite": (azurite, 1_280 if quick else 3_200, 320),
        }
        for name, (start, many, few) in targets.items():
            each: dict[str, list[Figure]] = {contender: [] for contender in CONTENDERS}
            for number in range(rounds):
                for contender in CONTENDERS:
                    print(f"{name}: {contender}, round {number + 1} of {rounds}", flush=True)
                    batches = _batches(name, few if contender == "SDK loop" else many)
                    each[contender].append(await _one(start, contender, broker, batches))
            figures[name] = _table(name, each)
        if with_latency:
            figures["latency"] = await _latency(broker, quick=quick)
    return figures


async def _one(
    start: "partial[AbstractAsyncContextManager[Target]]",
    contender: str,
    broker: Broker,
    batches: list[int],
) -> Figure:
    async with start() as target:
        return await measure(contender, target, broker, batches)


def _batches(target: str, messages: int) -> list[int]:
    if target != "Azurite":
        return [messages]
    return [_WIDTH * 10] * (messages // (_WIDTH * 10))


def _table(name: str, each: dict[str, list[Figure]]) -> dict[str, Any]:
    middle = {contender: median(rounds) for contender, rounds in each.items()}
    ceiling = middle[CONTENDERS[0]]
    show(
        f"{name}: median of {len(each[CONTENDERS[0]])}",
        ("", "messages/s", "of the leanest", "CPU µs/message", "× the leanest", "memory MiB"),
        [
            (
                contender,
                f"{one.rate:,.0f}",
                f"{one.rate / ceiling.rate:.0%}",
                f"{one.cpu_us:,.0f}",
                f"{one.cpu_us / ceiling.cpu_us:.1f}",
                f"{one.memory:.0f}",
            )
            for contender, one in middle.items()
        ],
    )
    return {
        contender: {
            "messages_a_second": round(one.rate),
            "cpu_us_a_message": round(one.cpu_us, 1),
            "memory_mib": round(one.memory, 1),
            "rate_of_leanest": round(one.rate / ceiling.rate, 3),
            "rounds": [[round(r.rate), round(r.cpu_us, 1)] for r in each[contender]],
        }
        for contender, one in middle.items()
    }


async def _latency(broker: Broker, *, quick: bool) -> dict[str, Any]:
    print("latency: idle queues, then a busy one", flush=True)
    measured = await latency.measure(broker, idle=1 if quick else 6, busy=100 if quick else 400)
    said = {
        name: {
            "messages": len(some),
            "p50_ms": round(statistics.median(some), 1),
            "p99_ms": round(latency.percentile(some, 0.99), 1),
        }
        for name, some in measured.items()
    }
    show(
        "Azurite, put to MQTT",
        ("queue", "messages", "p50 ms", "p99 ms"),
        [
            (name, *(f"{said[name][key]:,}" for key in ("messages", "p50_ms", "p99_ms")))
            for name in said
        ],
    )
    days = {
        "no message": latency.requests_a_day(None),
        "a message a minute": latency.requests_a_day(60),
        "a message every 5 s": latency.requests_a_day(5),
    }
    show(
        "polls a day, simulated with the default policy",
        ("", "requests"),
        [(name, f"{number:,}") for name, number in days.items()],
    )
    return {**said, "polls_a_day": days}


if __name__ == "__main__":
    main()
