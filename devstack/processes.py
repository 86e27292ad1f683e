"""One program of the stack: started, watched until it is ready, stopped, started again.

A program runs in a session of its own, so that a Ctrl-C on the terminal reaches only the stack,
which then stops its programs in order; and all that a program has started ends with it.
"""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import ProgramFailed
from devstack.guardian import guardian, signal_group
from devstack.probes import Probe

ROOT = Path(__file__).resolve().parent.parent

Show = Callable[[str, str], None]
"""Takes a program's name and a line it printed."""

KEPT_LINES = 10_000
TAIL_LINES = 15
POLL_S = 0.05
OUTPUT_DEADLINE_S = 2.0
"""How long after a process's end its last lines may take."""


class Log:
    """The newest lines a program has printed, over all its starts."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._grew = asyncio.Event()

    @property
    def lines(self) -> list[str]:
        """The lines so far, oldest first."""
        return list(self._lines)

    @property
    def text(self) -> str:
        """The lines so far as one text."""
        return "\n".join(self._lines)

    def tail(self) -> list[str]:
        """The last few lines, for a message."""
        return self.lines[-TAIL_LINES:]

    def append(self, line: str) -> None:
        """Add a line and wake who waits for one."""
        self._lines.append(line)
        self._grew.set()
        self._grew = asyncio.Event()

    def clear(self) -> None:
        """Forget the lines so far."""
        self._lines.clear()

    async def wait_for(self, pattern: str, *, within_s: float = 10.0) -> str:
        """Return the first line that `pattern` is found in, waiting for one if need be."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for line in self._lines:
                        if re.search(pattern, line):
                            return line
                    await self._grew.wait()
        except TimeoutError:
            said = "\n".join(self.tail())
            raise TimeoutError(
                f"no line with {pattern!r} in {within_s:g} s; last:\n{said}"
            ) from None


class _Child(asyncio.SubprocessProtocol):
    """One process's end and output, each on its own.

    asyncio's streams know of a process's end only when its output has ended too, and a child
    that it has left behind may hold that open for ever.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.ended = asyncio.Event()
        self.output_ended = asyncio.Event()
        self._on_line = on_line
        self._rest = b""

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))

    def pipe_connection_lost(self, _fd: int, _error: Exception | None) -> None:
        if self._rest:
            self._on_line(self._rest.decode(errors="replace"))
        self.output_ended.set()

    def process_exited(self) -> None:
        self.ended.set()


class Program:
    """A program and the one process, if any, that runs it now."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        ready: Probe | None = None,
        env: Mapping[str, str | None] | None = None,
        ready_within_s: float = 60.0,
        stop_within_s: float = 15.0,
        show: Show | None = None,
    ) -> None:
        """`env` is added to this process's own environment; a None takes a variable away."""
        self.name = name
        self.command = [str(word) for word in command]
        self.env: dict[str, str | None] = dict(env or {})
        self.log = Log()
        self._ready = ready
        self._ready_within_s = ready_within_s
        self._stop_within_s = stop_within_s
        self._show = show
        self._process: asyncio.SubprocessTransport | None = None
        self._life: asyncio.Task[int] | None = None
        self._told_to_end = False

    @property
    def pid(self) -> int | None:
        """The process's number, also after its end; None before the first start."""
        return self._process.get_pid() if self._process else None

    @property
    def running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.get_returncode() is None

    @property
    def returncode(self) -> int | None:
        """How the last process ended, negative for a signal; None while there is none."""
        return self._process.get_returncode() if self._process else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether the last process ended without having been asked to here."""
        return self._process is not None and not self.running and not self._told_to_end

    def describe_end(self) -> str:
        """Say how the last process ended."""
        code = self.returncode
        if code is None:
            return f"{self.name} is running" if self.running else f"{self.name} was never started"
        if code < 0:
            return f"{self.name} was ended by {signal.Signals(-code).name}"
        return f"{self.name} ended with exit code {code}"

    async def start(self) -> None:
        """Start the program and wait until it is ready; stop it again when it does not get so."""
        await self.spawn()
        try:
            await self.until_ready()
        except BaseException:
            self.kill()
            await self.wait()
            raise

    async def spawn(self) -> None:
        """Start the program without waiting for it to be ready."""
        if self.running and not self._told_to_end:
            raise RuntimeError(f"{self.name} is already running")
        if self._life is not None:
            await self._life
        given = {**os.environ, **self.env}
        self._told_to_end = False
        try:
            self._process, child = await asyncio.get_running_loop().subprocess_exec(
                lambda: _Child(self._tell),
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={key: value for key, value in given.items() if value is not None},
                cwd=ROOT,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramFailed(
                f"{self.name} cannot be started: {error.strerror}: {self.command[0]}; "
                "run scripts/setup"
            ) from None
        guardian().watch(self._process.get_pid())
        self._life = asyncio.create_task(
            self._follow(self._process, child), name=f"follow {self.name}"
        )

    async def until_ready(self, *, within_s: float | None = None) -> None:
        """Wait until the program answers its probe; raise ProgramFailed if it does not."""
        within_s = self._ready_within_s if within_s is None else within_s
        deadline = time.monotonic() + within_s
        while True:
            if not self.running:
                await self.wait()
                raise ProgramFailed(f"{self.describe_end()} before it was ready", self.log.tail())
            why_not = await self._ready() if self._ready else None
            if why_not is None:
                return
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"{self.name} is not ready after {within_s:g} s: {why_not}", self.log.tail()
                )
            await asyncio.sleep(POLL_S)

    async def wait(self) -> int:
        """Wait for the end of the process and of its output; return how it ended."""
        if self._life is None:
            raise RuntimeError(f"{self.name} was never started")
        return await asyncio.shield(self._life)

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM)."""
        self._signal(signal.SIGTERM, to_group=False)

    def kill(self) -> None:
        """End the process and all it has started, at once (SIGKILL)."""
        self._signal(signal.SIGKILL, to_group=True)

    def pause(self) -> None:
        """Stop the process where it is (SIGSTOP): up, but answering nobody."""
        if self.running and self._process:
            signal_group(self._process.get_pid(), signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on (SIGCONT)."""
        if self.running and self._process:
            signal_group(self._process.get_pid(), signal.SIGCONT)

    async def stop(self) -> None:
        """Ask the process to end, and kill it at the deadline."""
        if self._life is None:
            return
        self.resume()
        self.terminate()
        try:
            async with asyncio.timeout(self._stop_within_s):
                await self.wait()
        except TimeoutError:
            self._tell(f"did not end within {self._stop_within_s:g} s of SIGTERM; killed")
            self.kill()
            await self.wait()

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _signal(self, number: signal.Signals, *, to_group: bool) -> None:
        if not self.running or self._process is None:
            return
        self._told_to_end = True
        if to_group:
            signal_group(self._process.get_pid(), number)
        else:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _tell(self, line: str) -> None:
        self.log.append(line)
        if self._show is not None:
            self._show(self.name, line)

    async def _follow(self, process: asyncio.SubprocessTransport, child: _Child) -> int:
        await child.ended.wait()
        # What it started and left behind would hold its output open, and a port perhaps.
        signal_group(process.get_pid(), signal.SIGKILL)
        guardian().forget(process.get_pid())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OUTPUT_DEADLINE_S):
                await child.output_ended.wait()
        code = process.get_returncode()
        process.close()
        return -1 if code is None else code
