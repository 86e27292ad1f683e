"""scripts/bench recorder: what a recorded state costs, and how fast a large history answers.

Recording: states of 1,000 pillows by a real mosquitto into SQLite, at a fixed rate; the CPU time of
the recorder's process for each. Reading: a day of one pillow, all its states and its episodes.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.figures import cpu_s, show_each, write
from bench.recorder.large_history import DAYS, PILLOWS, T0_US, fill
from contract.timestamps import format_timestamp
from contract.topics import Topics
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import ROOT, Program
from devstack.stack import COMMANDS
from history.database import HistoryUrl, open_database
from history.pages import MAX_PAGE, Position
from history.reading import HistoryReader
from recorder.migrate import migrate
from runtime.broker_url import parse_broker_url
from runtime.mqtt import MqttSession, SessionConfig

Figures = dict[str, Any]

RATE: Final = 5000
_SLICE_S: Final = 0.02
_QUESTIONS: Final = 100
_DAY_US: Final = 86_400_000_000


def main() -> None:
    """Measure, print tables and write JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench recorder", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long states are recorded")
    parser.add_argument("--rows", type=int, default=1_000_000, help="the states of the history")
    parser.add_argument("--only", nargs="+", choices=("recording", "reading"), default=None)
    parser.add_argument("--output", type=Path, default=ROOT / ".bench" / "recorder.json")
    given = parser.parse_args()
    only = given.only or ("recording", "reading")
    figures: Figures = {}
    if "recording" in only:
        figures["recording"] = asyncio.run(_record(given.seconds))
        columns = [
            ("states", "states", "{:,}"),
            ("a second", "rate", "{:,.0f}"),
            ("CPU µs a state", "cpu_us", "{:.1f}"),
            ("bytes a state", "bytes", "{:.0f}"),
            ("lost", "lost", "{:,}"),
        ]
        show_each("Recording", columns, {"SQLite": figures["recording"]})
    if "reading" in only:
        figures["reading"] = asyncio.run(_read(given.rows))
        columns = [
            ("rows", "rows", "{:,.0f}"), ("p50 ms", "p50_ms", "{:.1f}"),
            ("p99 ms", "p99_ms", "{:.1f}"),
        ]  # fmt: skip
        show_each(f"A day of one pillow, of {given.rows:,} states", columns, figures["reading"])
    write(given.output, figures)
    print(f"written to {given.output}")


async def _record(seconds: float) -> Figures:
    folder = Path(tempfile.mkdtemp())
    try:
        async with Broker() as broker, _Recorder(broker, folder) as recorder:
            assert recorder.pid is not None
            before_s = cpu_s(recorder.pid)
            count, took_s = await _publish(broker, seconds)
            await _until_written(recorder, count)
            used_s = cpu_s(recorder.pid) - before_s
            lost = await _sample(recorder, "lost_total")
        size = (folder / "history.db").stat().st_size
        return {
            "states": count,
            "rate": count / took_s,
            "cpu_us": used_s / count * 1e6,
            "bytes": size / count,
            "lost": round(lost),
        }
    finally:
        shutil.rmtree(folder)


class _Recorder(Program):
    """The command, with its HTTP port."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.port = ports.free()
        env = {
            **broker.env_for("recorder"),
            "HISTORY_URL": f"sqlite:///{folder}/history.db",
            "RECORDER_PORT": str(self.port),
            "LOG_LEVEL": "warning",
        }
        ready = partial(http_answers, ports.HOST, self.port, "/readyz", status=200)
        super().__init__("recorder", [COMMANDS / "recorder"], ready=ready, env=env)


async def _publish(broker: Broker, seconds: float) -> tuple[int, float]:
    """Publish RATE states a second; return how many, and how long it took."""
    address = parse_broker_url(broker.url_for("simulator"))
    names = ("simulator", "bench")
    topics = Topics("pillow")
    session = MqttSession(
        SessionConfig(
            address,
            "5",
            service="simulator",
            instance="bench",
            status_topic=topics.status(*names),
            mark_topic=topics.mark(*names),
        )
    )
    stopping = asyncio.Event()
    running = asyncio.ensure_future(session.run(stopping))
    await session.wait_ready()
    began_s, count = time.monotonic(), 0
    while (passed_s := time.monotonic() - began_s) < seconds:
        due = round((passed_s + _SLICE_S) * RATE)
        sent = [session.publish(*_state(number), retain=True) for number in range(count, due)]
        await asyncio.gather(*sent)
        count = due
        await asyncio.sleep(max(0.0, count / RATE - (time.monotonic() - began_s)))
    took_s = time.monotonic() - began_s
    stopping.set()
    await running
    return count, took_s


def _state(number: int) -> tuple[str, bytes]:
    """Return a state of this moment, and its topic."""
    pillow = f"cloud-{number % PILLOWS}"
    state = {
        "pillow": pillow,
        "state": ("hugging", "neutral", "punching")[number // 10_000 % 3],
        "at": format_timestamp(time.time_ns() // 1_000_000 * 1000),
        "seq": number,
        "confidence": 0.93,
        "hops": {"queued": 1764000000000, "polled": 1764000000005, "published": 1764000000010},
    }
    return f"pillow/{pillow}/state", msgspec.json.encode(state)


async def _until_written(recorder: _Recorder, count: int) -> None:
    while await _sample(recorder, "recorded_total") < count:
        await asyncio.sleep(0.2)


async def _sample(recorder: _Recorder, name: str) -> float:
    reader, writer = await asyncio.open_connection(ports.HOST, recorder.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    text = (await reader.read(-1)).decode()
    writer.close()
    lines = [one for one in text.splitlines() if one.startswith(f"pillowcast_recorder_{name}")]
    return sum(float(one.rpartition(" ")[2]) for one in lines)


async def _read(rows: int) -> Figures:
    folder = Path(tempfile.mkdtemp(dir=ROOT / ".bench"))
    try:
        url = HistoryUrl.parse(f"sqlite:///{folder}/history.db")
        engine = open_database(url, read_only=False)
        await migrate(engine)
        await engine.dispose()
        await asyncio.to_thread(fill, folder / "history.db", rows)
        engine = open_database(url, read_only=True)
        try:
            reader = HistoryReader(engine)
            return {
                "all its states": await _ask(partial(_states_of_a_day, reader)),
                "its episodes": await _ask(partial(_episodes_of_a_day, reader)),
            }
        finally:
            await engine.dispose()
    finally:
        shutil.rmtree(folder)


async def _ask(question: Callable[[str, int], Awaitable[int]]) -> Figures:
    took_ms, rows = [], []
    for _ in range(_QUESTIONS):
        pillow = f"cloud-{random.randint(1, PILLOWS)}"  # noqa: S311 - any one
        day_us = T0_US + random.randrange(DAYS) * _DAY_US  # noqa: S311 - any one
        began_s = time.perf_counter()
        rows.append(await question(pillow, day_us))
        took_ms.append((time.perf_counter() - began_s) * 1000)
    took_ms.sort()
    return {
        "rows": statistics.mean(rows),
        "p50_ms": statistics.median(took_ms),
        "p99_ms": took_ms[-1 - len(took_ms) // 100],
    }


async def _states_of_a_day(reader: HistoryReader, pillow: str, day_us: int) -> int:
    count, first = 0, (day_us, 0)
    following: Position | None = first
    while following is not None:
        page = await reader.page(pillow, following, day_us + _DAY_US, MAX_PAGE)
        assert page is not None, f"{pillow} is not in the history"
        count, following = count + len(page.states), page.following
    return count


async def _episodes_of_a_day(reader: HistoryReader, pillow: str, day_us: int) -> int:
    return len(await reader.episodes(pillow, day_us, day_us + _DAY_US) or ())


if __name__ == "__main__":
    main()
