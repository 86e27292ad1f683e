"""A program of the stack: started, awaited until it is ready, stopped, and started again.

A program runs in a session of its own, so that Ctrl-C on the terminal reaches only the stack, which
then stops its programs in order. Whatever a program has started ends with it.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import ProgramFailed
from devstack.output import OutputLog, OutputProtocol
from devstack.probes import Probe
from devstack.reaper import reaper, signal_group

ROOT = Path(__file__).resolve().parent.parent
"""The root of the repository."""

Show = Callable[[str, str], None]
"""Receives a program's name and each line that it prints."""

PROBE_INTERVAL_S = 0.05
OUTPUT_TIMEOUT_S = 2.0
"""How long the output of a process that has ended may stay open."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a program may take to become ready, and to end after SIGTERM, in seconds."""

    ready_s: float = 60.0
    stop_s: float = 15.0


class Program:
    """A program, and the one process, if any, that runs it now."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        ready: Probe | None = None,
        env: Mapping[str, str | None] | None = None,
        timeouts: Timeouts = Timeouts(),
        show: Show | None = None,
    ) -> None:
        """`env` is added to this process's environment; a None removes a variable."""
        self.name = name
        self.command = [str(word) for word in command]
        self.env: dict[str, str | None] = dict(env or {})
        self.log = OutputLog()
        self._ready = ready
        self._timeouts = timeouts
        self._show = show
        self._process: asyncio.SubprocessTransport | None = None
        self._exit_status: asyncio.Task[int] | None = None
        self._end_requested = False

    @property
    def pid(self) -> int | None:
        """The process id, also after the process has ended; None before the first start."""
        return self._process.get_pid() if self._process else None

    @property
    def running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.get_returncode() is None

    @property
    def returncode(self) -> int | None:
        """The last process's exit status, negative for a signal; None while there is none."""
        return self._process.get_returncode() if self._process else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether the last process ended without a signal from here."""
        return self._process is not None and not self.running and not self._end_requested

    def describe_end(self) -> str:
        """Return a sentence about how the last process ended."""
        code = self.returncode
        if code is None:
            return f"{self.name} is running" if self.running else f"{self.name} was never started"
        if code < 0:
            return f"{self.name} was ended by {signal.Signals(-code).name}"
        return f"{self.name} ended with exit code {code}"

    async def start(self) -> None:
        """Start the program and wait until it is ready.

        Raises ProgramFailed, and kills the process, when it does not become ready.
        """
        await self.spawn()
        try:
            await self.until_ready()
        except BaseException:
            self.kill()
            await self.wait()
            raise

    async def spawn(self) -> None:
        """Start the program without waiting until it is ready; raises ProgramFailed."""
        if self.running and not self._end_requested:
            raise RuntimeError(f"{self.name} is already running")
        if self._exit_status is not None:
            await self._exit_status
        env = {**os.environ, **self.env}
        self._end_requested = False
        try:
            self._process, output = await asyncio.get_running_loop().subprocess_exec(
                lambda: OutputProtocol(self._add_line),
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={name: value for name, value in env.items() if value is not None},
                cwd=ROOT,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramFailed(
                f"{self.name} cannot be started: {error.strerror}: {self.command[0]}; "
                "run scripts/setup"
            ) from None
        reaper().watch(self._process.get_pid())
        self._exit_status = asyncio.create_task(
            self._wait_for_exit(self._process, output), name=f"wait for {self.name}"
        )

    async def until_ready(self, *, within_s: float | None = None) -> None:
        """Wait until the program answers its probe; raises ProgramFailed if it does not."""
        within_s = self._timeouts.ready_s if within_s is None else within_s
        deadline = time.monotonic() + within_s
        while True:
            if not self.running:
                await self.wait()
                raise ProgramFailed(f"{self.describe_end()} before it was ready", self.log.tail())
            problem = await self._ready() if self._ready else None
            if problem is None:
                return
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"{self.name} is not ready after {within_s:g} s: {problem}", self.log.tail()
                )
            await asyncio.sleep(PROBE_INTERVAL_S)

    async def wait(self) -> int:
        """Wait for the end of the process and of its output; return the exit status."""
        if self._exit_status is None:
            raise RuntimeError(f"{self.name} was never started")
        return await asyncio.shield(self._exit_status)

    def terminate(self) -> None:
        """Send SIGTERM to the process."""
        self._signal(signal.SIGTERM, to_group=False)

    def kill(self) -> None:
        """Send SIGKILL to the process and to all that it has started."""
        self._signal(signal.SIGKILL, to_group=True)

    def pause(self) -> None:
        """Send SIGSTOP: the process keeps its connections and answers nothing."""
        if self.running and self._process:
            signal_group(self._process.get_pid(), signal.SIGSTOP)

    def resume(self) -> None:
        """Send SIGCONT to a paused process."""
        if self.running and self._process:
            signal_group(self._process.get_pid(), signal.SIGCONT)

    async def stop(self) -> None:
        """Send SIGTERM, then SIGKILL if the process has not ended in time."""
        if self._exit_status is None:
            return
        self.resume()
        self.terminate()
        try:
            async with asyncio.timeout(self._timeouts.stop_s):
                await self.wait()
        except TimeoutError:
            self._add_line(f"did not end within {self._timeouts.stop_s:g} s of SIGTERM; killed")
            self.kill()
            await self.wait()

    async def close(self) -> None:
        """Stop the program, and release what it uses; it is not started again."""
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
        self._end_requested = True
        if to_group:
            signal_group(self._process.get_pid(), number)
        else:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _add_line(self, line: str) -> None:
        self.log.append(line)
        if self._show is not None:
            self._show(self.name, line)

    async def _wait_for_exit(
        self, process: asyncio.SubprocessTransport, output: OutputProtocol
    ) -> int:
        await output.exited.wait()
        # Processes that it left behind would keep its output open, and perhaps a port.
        signal_group(process.get_pid(), signal.SIGKILL)
        reaper().forget(process.get_pid())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OUTPUT_TIMEOUT_S):
                await output.output_ended.wait()
        code = process.get_returncode()
        process.close()
        return -1 if code is None else code
