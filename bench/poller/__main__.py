"""scripts/bench poller: throughput, CPU time and latency of several clients in one run."""

import argparse
import asyncio
import statistics
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.figures import show, write
from bench.poller import http_clients, latency, order
from bench.poller.latency import measure_busy, measure_idle
from bench.poller.targets import Target, azurite, double
from bench.poller.throughput import CLIENTS, SDK_LOOP, Figure, measure, median
from devstack.broker import Broker
from devstack.processes import ROOT
from poller.consume.viewers import Viewers

_AZURITE_BATCH: Final = 320
"""Messages on an Azurite at once, because its cost grows with their number."""


def main() -> None:
    """Measure, print tables, write JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench poller", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, fewer messages")
    parser.add_argument("--rounds", type=int, help="number of rounds; the median is reported (3)")
    parser.add_argument("--no-latency", action="store_true", help="throughput only")
    parser.add_argument("--latency", action="store_true", help="latency and polls only")
    parser.add_argument("--order", action="store_true", help="count superseded states, only that")
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "poller.json")
    arguments = parser.parse_args()
    if arguments.order:
        write(arguments.output, {"order": asyncio.run(_order(quick=arguments.quick))})
        print(f"written to {arguments.output}")
        return
    if arguments.latency:
        write(arguments.output, asyncio.run(_latency_alone(quick=arguments.quick)))
        print(f"written to {arguments.output}")
        return
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    http = http_clients.measure(2_000 if arguments.quick else 8_000, rounds)
    show(
        "HTTP of a message: a Delete and its share of a Get",
        ("", "CPU µs/message"),
        [(name, f"{cpu_us:,.0f}") for name, cpu_us in http.items()],
    )
    figures = asyncio.run(
        _run(rounds, quick=arguments.quick, with_latency=not arguments.no_latency)
    )
    figures["http_cpu_us_a_message"] = http
    write(arguments.output, figures)
    print(f"written to {arguments.output}")


async def _run(rounds: int, *, quick: bool, with_latency: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {"rounds": rounds}
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        targets: dict[str, tuple[Any, int, int]] = {
            # How to start it, the messages of a round, and those of a round of the SDK loop.
            "double, 0 ms": (partial(double, 0), 5_000 if quick else 20_000, 1_000),
            "double, 10 ms": (partial(double, 10), 5_000 if quick else 20_000, 100),
            "Azurite": (azurite, 1_280 if quick else 3_200, 320),
        }
        for name, (start, many, few) in targets.items():
            each: dict[str, list[Figure]] = {client: [] for client in CLIENTS}
            for number in range(rounds):
                for client in CLIENTS:
                    print(f"{name}: {client}, round {number + 1} of {rounds}", flush=True)
                    batches = _batches(name, few if client == SDK_LOOP else many)
                    each[client].append(await _one(start, client, broker, batches))
            figures[name] = _table(name, each)
        if with_latency:
            figures["latency"] = await _latency(broker, quick=quick)
    return figures


async def _one(
    start: "partial[AbstractAsyncContextManager[Target]]",
    client: str,
    broker: Broker,
    batches: list[int],
) -> Figure:
    async with start() as target:
        return await measure(client, target, broker, batches)


def _batches(target: str, messages: int) -> list[int]:
    if target != "Azurite":
        return [messages]
    return [_AZURITE_BATCH] * (messages // _AZURITE_BATCH)


def _table(name: str, each: dict[str, list[Figure]]) -> dict[str, Any]:
    medians = {client: median(rounds) for client, rounds in each.items()}
    limit = medians[CLIENTS[0]]
    show(
        f"{name}: median of {len(each[CLIENTS[0]])}",
        ("", "messages/s", "of the minimal", "CPU µs/message", "× the minimal", "memory MiB"),
        [
            (
                client,
                f"{one.rate:,.0f}",
                f"{one.rate / limit.rate:.0%}",
                f"{one.cpu_us:,.0f}",
                f"{one.cpu_us / limit.cpu_us:.1f}",
                f"{one.memory:.0f}",
            )
            for client, one in medians.items()
        ],
    )
    return {
        client: {
            "messages_a_second": round(one.rate),
            "cpu_us_a_message": round(one.cpu_us, 1),
            "memory_mib": round(one.memory, 1),
            "rate_of_minimal": round(one.rate / limit.rate, 3),
            "rounds": [[round(r.rate), round(r.cpu_us, 1)] for r in each[client]],
        }
        for client, one in medians.items()
    }


async def _order(*, quick: bool) -> dict[str, Any]:
    """Count the states that one poller, two and three supersede, and two of which one is killed."""
    many, few = (2_000, 1_000) if quick else (100_000, 10_000)
    targets: dict[str, tuple[Any, int]] = {
        # How to start it, and how many messages are put on it at once.
        "double, 10 ms": (partial(double, 10), 1_000),
        "double, 0 to 100 ms, in any order": (partial(double, 0, 50), 1_000),
        "Azurite": (partial(azurite, in_memory=False), _AZURITE_BATCH),
    }
    figures: dict[str, Any] = {}
    rows = []
    for name, (start, batch) in targets.items():
        for pollers in (1, 2, 3):
            async with Broker(kind="mosquitto", topic_prefix="+") as broker, start() as target:
                found = await order.measure(
                    pollers, target, broker, messages=many if pollers == 1 else few, batch=batch
                )
            rows.append(_count_superseded(figures, name, str(pollers), found))
        async with Broker(kind="mosquitto", topic_prefix="+") as broker, start() as target:
            found = await order.measure_takeover(target, broker, messages=few)
        rows.append(_count_superseded(figures, name, "2, one killed", found))
    show(
        "Superseded states of a full queue",
        ("queue", "pollers", "messages", "superseded", "never seen", "share of these"),
        rows,
    )
    return figures


def _count_superseded(
    figures: dict[str, Any], name: str, pollers: str, found: order.Superseded
) -> tuple[str, ...]:
    """Print and keep a figure; returns the row of the table."""
    figures[f"{name}, {pollers}"] = [found.messages, found.superseded, found.unseen]
    counts = (f"{found.messages:,}", f"{found.superseded:,}", f"{found.unseen:,}")
    print(f"{name}: pollers {pollers}, superseded {counts[1]} of {counts[0]}", flush=True)
    return name, pollers, *counts, f"{found.unseen / found.messages:.2%}"


async def _latency_alone(*, quick: bool) -> dict[str, Any]:
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        return {"latency": await _latency(broker, quick=quick)}


async def _latency(broker: Broker, *, quick: bool) -> dict[str, Any]:
    realistic = partial(double, 10, 10)
    some, few, many = (10, 1, 100) if quick else (100, 12, 400)
    runs: dict[str, tuple[Any, Any, Viewers, int]] = {
        # How to start the queue, what is measured, who looks, and how many messages.
        "double, 10 to 30 ms: idle, watched": (realistic, measure_idle, Viewers.SOME, some),
        "Azurite: idle, watched": (azurite, measure_idle, Viewers.SOME, some),
        "Azurite: idle, not known": (azurite, measure_idle, Viewers.UNKNOWN, few),
        "Azurite: idle, nobody looks": (azurite, measure_idle, Viewers.NONE, few),
        "Azurite: busy, watched": (azurite, measure_busy, Viewers.SOME, many),
    }
    summary: dict[str, Any] = {}
    for name, (start, measure_some, viewers, messages) in runs.items():
        print(f"latency: {name}", flush=True)
        async with start() as target:
            latencies = await measure_some(target.port, broker, viewers, messages)
        summary[name] = {
            "messages": len(latencies),
            "p50_ms": round(statistics.median(latencies), 1),
            "p99_ms": round(latency.percentile(latencies, 0.99), 1),
        }
    show(
        "put to MQTT",
        ("queue", "messages", "p50 ms", "p99 ms"),
        [
            (name, *(f"{one[key]:,}" for key in ("messages", "p50_ms", "p99_ms")))
            for name, one in summary.items()
        ],
    )
    return {**summary, "polls_a_day": _polls_a_day()}


def _polls_a_day() -> dict[str, Any]:
    traffic = {"no message": None, "a message a minute": 60, "a message every 5 s": 5}
    looks = {
        "somebody looks": Viewers.SOME,
        "not known": Viewers.UNKNOWN,
        "nobody looks": Viewers.NONE,
    }
    days = {
        f"{who}, {name}": latency.polls_a_day(viewers, every_s)
        for who, viewers in looks.items()
        for name, every_s in traffic.items()
    }
    show(
        "polls a day, simulated with the default policy, and their price",
        ("", "polls", "$ a month"),
        [
            (name, f"{polls:,}", f"{latency.dollars_a_month(polls):.2f}")
            for name, polls in days.items()
        ],
    )
    return days


if __name__ == "__main__":
    main()
