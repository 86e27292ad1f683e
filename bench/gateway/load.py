"""The load on a server: compiled WebSocket clients, and a compiled publisher of states."""

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from bench.gateway.usage import LOAD_CPU, pin
from devstack.errors import CannotStart, ProgramFailed
from devstack.processes import ROOT

HERE: Final = Path(__file__).parent
BENCH_FOLDER: Final = ROOT / ".bench"
"""What a run compiles, installs and writes; git ignores it."""

_REPLY_TIMEOUT_S: Final = 90.0
_REPORT_INTERVAL_S: Final = 0.05


class CannotMeasure(Exception):
    """Something that a run needs is missing on this machine; the message says what."""


FAILURES: Final = (CannotMeasure, CannotStart, ProgramFailed, TimeoutError, OSError, ValueError)
"""Errors of one server, after which the run goes on with the others."""


def build() -> None:
    """Compile each C program that is older than its source.

    Raises CannotMeasure where there is no C compiler, or where a program does not compile.
    """
    for source in HERE.glob("*.c"):
        compile_program(source, compiled(source.stem))


def compile_program(source: Path, target: Path, *libraries: str, needs: str = "") -> None:
    """Compile a C program that is older than its source; `needs` is shown where that fails.

    Raises CannotMeasure where there is no C compiler, or where the program does not compile.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CannotMeasure(
            "no C compiler (cc, gcc or clang): the clients of this benchmark are compiled, because "
            "a client in Python would be slower than the server that it measures"
        )
    BENCH_FOLDER.mkdir(exist_ok=True)
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    command = [compiler, "-O2", "-Wall", "-o", str(target), str(source), *libraries]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMeasure(f"{source.name} does not compile{needs}:\n{done.stderr}")


def compiled(name: str) -> Path:
    """Return the path of a compiled program."""
    return BENCH_FOLDER / f"gateway-{name}"


class CommandedProcess:
    """A process that reads commands from its standard input; each reply is a line of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @contextlib.asynccontextmanager
    async def _running(cls, program: Path, *arguments: str) -> AsyncIterator[Self]:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield cls(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _send(self, command: str) -> dict[str, Any]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise CannotMeasure("the load clients were started without pipes")
        process.stdin.write(command.encode() + b"\n")
        async with asyncio.timeout(_REPLY_TIMEOUT_S):
            line = await process.stdout.readline()
        reply: dict[str, Any] = json.loads(line)
        return reply


class LoadClients(CommandedProcess):
    """The connections of one process of load.c."""

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls, port: int, count: int, *options: str, host: str = "127.0.0.1"
    ) -> AsyncIterator[Self]:
        """Start a process for `count` connections to `port`; `connect` opens them."""
        arguments = (host, str(port), str(count), *options)
        async with cls._running(compiled("load"), *arguments) as clients:
            pin(clients._process.pid, LOAD_CPU)
            yield clients

    async def connect(self) -> dict[str, Any]:
        """Open all connections; return the duration, and how many are open and refused."""
        return await self._send("connect")

    async def reset(self) -> None:
        """Set all counters to zero."""
        await self._send("reset")

    async def report(self) -> dict[str, Any]:
        """Return what was counted since the last reset."""
        return await self._send("report")

    async def report_when(
        self, enough: Callable[[dict[str, Any]], bool], within_s: float = 20.0
    ) -> dict[str, Any]:
        """Return the first report that is `enough`, or the last one within the time."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + within_s
        while True:
            report = await self.report()
            if enough(report) or clock() > deadline:
                return report
            await asyncio.sleep(_REPORT_INTERVAL_S)


@dataclass(frozen=True, slots=True)
class Publisher:
    """How states reach a server: MQTT or NATS through a broker, or UDP datagrams.

    `topic` contains `%s` for the pillow's id.
    """

    protocol: str
    port: int
    password: str
    """The simulator's at the broker; other servers do not ask for one."""
    topic: str = "pillow/%s/state"

    async def publish(
        self, rate: float, seconds: float, *, pillows: int = 1000, size: int = 200
    ) -> dict[str, Any]:
        """Publish `rate` states of `size` bytes a second; return how many, and the duration."""
        process = await asyncio.create_subprocess_exec(
            compiled("publish"),
            *(self.protocol, "127.0.0.1", str(self.port), str(rate), str(seconds)),
            *(str(pillows), str(size), self.topic, "simulator", self.password),
            stdout=asyncio.subprocess.PIPE,
        )
        pin(process.pid, LOAD_CPU)
        try:
            async with asyncio.timeout(seconds + _REPLY_TIMEOUT_S):
                output, _ = await process.communicate()
        except BaseException:
            process.kill()
            raise
        done: dict[str, Any] = json.loads(output)
        return done
