"""How fast a large history answers: to the gateway's questions, and to requests of many pages."""

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

from bench.figures import cpu_s
from bench.recorder.large_history import BUSY, DAY_US, DAYS, fill
from devstack import ports
from devstack.broker import Broker
from devstack.probes import http_answers
from devstack.processes import ROOT, Program
from devstack.stack import COMMANDS
from gateway.past.database import DatabasePast
from history.database import HistoryUrl, open_database
from history.pages import MAX_PAGE, Position
from history.slots import SLOT_US
from history.steps import describe_steps, steps_between
from recorder.migrate import migrate
from recorder.tally_keeper import TallyKeeper

Figures = dict[str, Any]

_QUESTIONS: Final = 100
_HOUR_S: Final = 3600
_REQUESTS: Final = 3000
_CONNECTIONS: Final = 8
_TALLY_S: Final = 600.0


class LargeHistory:
    """A history of 30 days until now, in a folder of its own."""

    def __init__(self, rows: int, pillows: int) -> None:
        self.rows, self.pillows = rows, pillows
        self.from_us = (time.time_ns() // 1000 // SLOT_US - DAYS * DAY_US // SLOT_US) * SLOT_US
        (ROOT / ".bench").mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(dir=ROOT / ".bench"))
        self.url = f"sqlite:///{self.folder}/history.db"

    async def make(self) -> None:
        """Write it."""
        engine = open_database(HistoryUrl.parse(self.url), read_only=False)
        await migrate(engine)
        await engine.dispose()
        path = self.folder / "history.db"
        await asyncio.to_thread(fill, path, self.rows, self.pillows, self.from_us)

    async def tally(self) -> float:
        """Make the tallies, as the recorder does bit by bit; return the CPU seconds."""
        engine = open_database(HistoryUrl.parse(self.url), read_only=False)
        used_s = time.process_time()
        await TallyKeeper(engine).check(asyncio.Event(), _TALLY_S)
        await engine.dispose()
        return time.process_time() - used_s

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self.folder)


async def measure_reading(rows: int, pillows: int) -> tuple[Figures, Figures]:
    """Make a history; return figures of questions, and of requests to a gateway."""
    history = LargeHistory(rows, pillows)
    try:
        await history.make()
        return await _questions(history), await _requests(history)
    finally:
        history.remove()


async def _questions(history: LargeHistory) -> Figures:
    past = DatabasePast(HistoryUrl.parse(history.url))
    # A page asks for hours and days, which begin with a quarter of an hour.
    until_us = (history.from_us + DAYS * DAY_US) // (_HOUR_S * 10**6) * _HOUR_S * 10**6
    today_us = until_us - DAY_US

    def of_any(name: str, days: int, step_s: int) -> Callable[[], Awaitable[int]]:
        async def ask() -> int:
            pillow = name or _any_pillow(history)
            steps = steps_between(until_us - days * DAY_US, until_us, step_s)
            found = await past.activity(pillow, steps, until_us)
            assert found is not None, f"{pillow} is not in the history"
            msgspec.json.encode(describe_steps(steps, found))
            return sum(one.episodes for one in found.tallies.values())

        return ask

    async def hugs() -> int:
        return len(await past.hugs(today_us, until_us))

    async def busy(which: str) -> Figures:
        return {
            f"{days} days of a busy pillow, {which}": await _ask(of_any(BUSY, days, _HOUR_S), 20)
            for days in (7, 30)
        }

    try:
        without = await busy("without tallies")
        print(f"the tallies took {await history.tally():.1f} s of CPU time")
        return {
            "a day: all its states": await _ask(partial(_states_of_a_day, past, history)),
            "24 hours in steps of 15 min": await _ask(of_any("", 1, _HOUR_S // 4)),
            "7 days by hours": await _ask(of_any("", 7, _HOUR_S)),
            "30 days by hours": await _ask(of_any("", 30, _HOUR_S)),
            **without,
            **await busy("with tallies"),
            "today's hugs of all": await _ask(hugs, 20),
        }
    finally:
        await past.close()


async def _ask(question: Callable[[], Awaitable[int]], times: int = _QUESTIONS) -> Figures:
    took_ms, rows, used_s = [], [], time.process_time()
    for _ in range(times):
        began_s = time.perf_counter()
        rows.append(await question())
        took_ms.append((time.perf_counter() - began_s) * 1000)
    used_ms = (time.process_time() - used_s) * 1000 / times
    took_ms.sort()
    return {
        "rows": statistics.mean(rows),
        "p50_ms": statistics.median(took_ms),
        "p99_ms": took_ms[-1 - len(took_ms) // 100],
        "cpu_ms": used_ms,
    }


async def _states_of_a_day(past: DatabasePast, history: LargeHistory) -> int:
    pillow = _any_pillow(history)
    day_us = history.from_us + random.randrange(DAYS) * DAY_US  # noqa: S311 - any one
    count, first = 0, (day_us, 0)
    following: Position | None = first
    while following is not None:
        page = await past.page(pillow, following, day_us + DAY_US, MAX_PAGE)
        assert page is not None, f"{pillow} is not in the history"
        count, following = count + len(page.states), page.following
    return count


def _any_pillow(history: LargeHistory) -> str:
    return f"cloud-{random.randint(1, history.pillows)}"  # noqa: S311 - any one


class _Gateway(Program):
    """The command, with its HTTP port."""

    def __init__(self, broker: Broker, history: LargeHistory) -> None:
        self.port, ops_port = ports.free(), ports.free()
        env = {
            **broker.env_for("gateway"),
            "HISTORY_URL": history.url,
            "GATEWAY_PORT": str(self.port),
            "GATEWAY_OPS_PORT": str(ops_port),
            "LOG_LEVEL": "warning",
        }
        ready = partial(http_answers, ports.HOST, ops_port, "/readyz", status=200)
        super().__init__("gateway", [COMMANDS / "gateway"], ready=ready, env=env)


async def _requests(history: LargeHistory) -> Figures:
    week = f"/api/pillows/cloud-{{}}/activity?step={_HOUR_S}&from="
    week += time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7 * 86_400))
    async with Broker() as broker, _Gateway(broker, history) as gateway:
        return {
            "/api/today": await _load(gateway, lambda _: "/api/today", _REQUESTS),
            "/activity of 7 days": await _load(
                gateway, lambda number: week.format(number % history.pillows + 1), 400
            ),
        }


async def _load(gateway: _Gateway, path: Callable[[int], str], count: int) -> Figures:
    """Request paths over a few kept connections, as many pages do by a proxy."""
    assert gateway.pid is not None
    numbers = iter(range(count))
    took_ms: list[float] = []
    size = 0

    async def ask() -> None:
        nonlocal size
        reader, writer = await asyncio.open_connection(ports.HOST, gateway.port)
        for number in numbers:
            began_s = time.perf_counter()
            head = (
                f"GET {path(number)} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"
            )
            writer.write(head.encode())
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            assert lines[0].startswith("http/1.1 200"), lines[0]
            [length] = [one[15:] for one in lines if one.startswith("content-length:")]
            size += len(await reader.readexactly(int(length)))
            took_ms.append((time.perf_counter() - began_s) * 1000)
        writer.close()

    used_s = cpu_s(gateway.pid)
    await asyncio.gather(*(ask() for _ in range(_CONNECTIONS)))
    used_us = (cpu_s(gateway.pid) - used_s) / count * 1e6
    took_ms.sort()
    return {
        "requests": count,
        "kib": size / count / 1024,
        "p50_ms": statistics.median(took_ms),
        "p99_ms": took_ms[-1 - len(took_ms) // 100],
        "cpu_us": used_us,
        "pages_percent": used_us / 1e6 * 10_000 / 60 * 100,
    }
