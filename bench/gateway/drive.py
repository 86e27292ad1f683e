"""What drives a server in a run: compiled browsers and a compiled publisher, and what they saw."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from devstack.processes import ROOT

HERE: Final = Path(__file__).parent
KEPT: Final = ROOT / ".bench"
"""What is built, installed and measured; not in the repository."""

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_ANSWER_S: Final = 90.0


class CannotMeasure(Exception):
    """Something that a run needs is not on this machine; the message says what."""


def build() -> None:
    """Compile what is compiled, where it is older than its source."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CannotMeasure(
            "no C compiler (cc, gcc or clang): the browsers of this benchmark are compiled, "
            "because a client in Python would be measured instead of the server"
        )
    KEPT.mkdir(exist_ok=True)
    for source in HERE.glob("*.c"):
        target = program(source.stem)
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            command = [compiler, "-O2", "-Wall", "-o", str(target), str(source)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise CannotMeasure(f"{source.name} does not compile:\n{done.stderr}")


def program(name: str) -> Path:
    """Return where a compiled program is."""
    return KEPT / f"gateway-{name}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used: CPU in seconds, resident memory in bytes."""

    user_s: float
    system_s: float
    resident: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Read what a process and its children have used until now."""
        user = system = resident = 0
        for one in (pid, *_children(pid)):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                user += int(fields[11])
                system += int(fields[12])
                resident += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        return cls(user / _TICKS_A_SECOND, system / _TICKS_A_SECOND, resident)

    @property
    def cpu_s(self) -> float:
        """All the CPU."""
        return self.user_s + self.system_s

    def since(self, before: "Usage") -> "Usage":
        """Return what was used between two readings; the memory is the later one."""
        return Usage(self.user_s - before.user_s, self.system_s - before.system_s, self.resident)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_children(int(child))]
    return found


def pin(pid: int, cpu: int) -> None:
    """Keep a process and its threads on one CPU, where there is more than one."""
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        for one in (pid, *_children(pid)):
            for task in Path(f"/proc/{one}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), {cpu})


SERVER_CPU: Final = 0
OTHERS_CPU: Final = (os.cpu_count() or 1) - 1


class Browsers:
    """Many WebSockets of one compiled client."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @contextlib.asynccontextmanager
    async def at(
        cls, port: int, count: int, *options: str, host: str = "127.0.0.1"
    ) -> AsyncIterator[Self]:
        """Start a client that will connect to `port`; it is not connected yet."""
        process = await asyncio.create_subprocess_exec(
            program("load"),
            *(host, str(port), str(count)),
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        pin(process.pid, OTHERS_CPU)
        try:
            yield cls(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @property
    def pid(self) -> int:
        """The client's process."""
        return self._process.pid

    async def connect(self) -> dict[str, Any]:
        """Open all connections; how long it took, and how many were refused."""
        return await self._ask("connect")

    async def reset(self) -> None:
        """Begin to count anew."""
        await self._ask("reset")

    async def report(self) -> dict[str, Any]:
        """Return what was counted since the last reset."""
        return await self._ask("report")

    async def until(self, enough: Any, within_s: float = 20.0) -> dict[str, Any]:
        """Return the first report that is enough, or the last one before it took too long."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            report = await self.report()
            if enough(report) or asyncio.get_running_loop().time() > deadline:
                return report
            await asyncio.sleep(0.05)

    async def _ask(self, word: str) -> dict[str, Any]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise CannotMeasure("the compiled client was started without pipes")
        process.stdin.write(word.encode() + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            line = await process.stdout.readline()
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a server hears of states: MQTT through a broker, or datagrams."""

    kind: str
    port: int
    topic: str = "pillow/%s/state"

    async def publish(
        self, rate: float, seconds: float, *, pillows: int = 1000, size: int = 200
    ) -> dict[str, Any]:
        """Publish at a rate for so long; returns how many were sent, and in how long."""
        process = await asyncio.create_subprocess_exec(
            program("publish"),
            *(self.kind, "127.0.0.1", str(self.port), str(rate), str(seconds)),
            *(str(pillows), str(size), self.topic, "simulator", "simulator"),
            stdout=asyncio.subprocess.PIPE,
        )
        pin(process.pid, OTHERS_CPU)
        try:
            async with asyncio.timeout(seconds + _ANSWER_S):
                said, _ = await process.communicate()
        except BaseException:
            process.kill()
            raise
        done: dict[str, Any] = json.loads(said)
        return done
