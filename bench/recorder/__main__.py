"""scripts/bench recorder: what a recorded state costs, and how fast a large history answers.

Recording: states of 1,000 pillows by a real mosquitto into SQLite, at a fixed rate; the CPU time of
the recorder's process for each. Reading: what a page asks about one pillow, and all pages about
today; CPU times are of one processor.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.figures import cpu_s, show_each, write
from bench.recorder.reading import measure_reading
from contract.timestamps import format_timestamp
from contract.topics import Topics
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import ROOT, Program
from devstack.stack import COMMANDS
from runtime.broker_url import parse_broker_url
from runtime.mqtt import MqttSession, SessionConfig

Figures = dict[str, Any]

RATE: Final = 5000
PILLOWS: Final = 1000
_SLICE_S: Final = 0.02


def main() -> None:
    """Measure, print tables and write JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench recorder", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long states are recorded")
    parser.add_argument("--rows", type=int, default=1_000_000, help="the states of the history")
    parser.add_argument("--pillows", type=int, default=PILLOWS, help="whose states they are")
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
        questions, requests = asyncio.run(measure_reading(given.rows, given.pillows))
        figures |= {"questions": questions, "requests": requests}
        columns = [
            ("rows", "rows", "{:,.0f}"), ("p50 ms", "p50_ms", "{:.1f}"),
            ("p99 ms", "p99_ms", "{:.1f}"), ("CPU ms", "cpu_ms", "{:.1f}"),
        ]  # fmt: skip
        whole = f"of {given.rows:,} states of {given.pillows:,} pillows"
        show_each(f"Questions to a history {whole}", columns, questions)
        columns = [
            ("requests", "requests", "{:,}"), ("KiB", "kib", "{:.1f}"),
            ("p50 ms", "p50_ms", "{:.1f}"), ("p99 ms", "p99_ms", "{:.1f}"),
            ("CPU µs", "cpu_us", "{:.0f}"), ("10,000 a minute, %", "pages_percent", "{:.0f}"),
        ]  # fmt: skip
        show_each("Requests to a gateway with this history", columns, requests)
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


if __name__ == "__main__":
    main()
