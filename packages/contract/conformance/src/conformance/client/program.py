"""The program under test: a few lines around a client, which report its updates and errors."""

import asyncio
import contextlib
import os
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from conformance.client import steps
from conformance.session_format import Transport

END_S: Final = 2.0
"""How long a program may take to end when its standard input has."""

T = TypeVar("T")


class Program:
    """A process with its settings in the environment, which reports on standard output.

    It ends when its standard input does.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self.lines: list[str] = []
        """What it has reported so far."""

    async def start(self, url: str, session: steps.Session, transport: Transport) -> None:
        """Start it with what it has to connect to."""
        self._process = await asyncio.create_subprocess_shell(
            f"exec {self._command}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "PILLOWCAST_URL": url,
                "PILLOWCAST_PILLOWS": ",".join(session.pillows) or "all",
                "PILLOWCAST_TOKEN": session.token,
                "PILLOWCAST_TRANSPORT": transport,
            },
        )

    async def next_line(self) -> str:
        """Return its next report."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        assert line, "the program has ended"
        self.lines.append(line)
        return line

    async def while_it_runs(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something that the program does; fail if it ends instead."""
        assert self._process is not None
        task = asyncio.ensure_future(waiting)
        end = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
            assert task.done(), f"the program has ended with status {self._process.returncode}"
            return task.result()
        finally:
            task.cancel()
            end.cancel()

    def close_input(self) -> None:
        """Close its standard input, so that it ends."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def stop(self) -> None:
        """End it, by force if it does not end by itself."""
        process = self._process
        if process is None:
            return
        self.close_input()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await process.communicate()
        if process.returncode is None:
            process.kill()
            await process.wait()
