"""scripts/bench mqtt: the CPU time of a message over MQTT, received and published, in one run."""

import argparse
import asyncio
import os
import statistics
import sys
from pathlib import Path
from typing import Final

from bench.figures import show, write
from bench.mqtt.clients import READY
from devstack.broker import Broker
from devstack.processes import ROOT

_CLIENTS: Final = ("paho", "session")


def main() -> None:
    """Measure in turns, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench mqtt", description=__doc__)
    parser.add_argument("--messages", type=int, default=30_000, help="messages a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the median is reported")
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "mqtt.json")
    arguments = parser.parse_args()
    figures = asyncio.run(_measure(arguments.messages, arguments.rounds))
    show(
        f"CPU µs a message with QoS 1; median of {arguments.rounds}",
        ("", *_CLIENTS),
        [
            (work, *(f"{figures[f'{work}, {client}']:.1f}" for client in _CLIENTS))
            for work in ("publish", "receive")
        ],
    )
    write(arguments.output, {"messages": arguments.messages, "cpu_us_a_message": figures})
    print(f"written to {arguments.output}")


async def _measure(count: int, rounds: int) -> dict[str, float]:
    figures: dict[str, list[float]] = {}
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        for _ in range(rounds):
            for client in _CLIENTS:
                published = await _start("publish", client, broker.url_for("poller"), count)
                figures.setdefault(f"publish, {client}", []).append(await _result(published))
                receiver = await _start("receive", client, broker.url_for("poller"), count)
                await _line(receiver, READY)
                await _result(await _start("publish", "session", broker.url_for("poller"), count))
                figures.setdefault(f"receive, {client}", []).append(await _result(receiver))
    return {name: statistics.median(values) for name, values in figures.items()}


async def _start(work: str, client: str, url: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.mqtt.clients", work, client, str(count),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "MQTT_URL": url},
    )  # fmt: skip


async def _line(process: asyncio.subprocess.Process, expected: str) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.decode().strip() == expected:
            return
    raise RuntimeError(f"the client ended without {expected!r}")


async def _result(process: asyncio.subprocess.Process) -> float:
    out, _ = await process.communicate()
    return float(out.decode().split()[-1])


if __name__ == "__main__":
    main()
