"""A program that runs beside a test, and the lines that it prints."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path


class Running:
    """A running program and its output; every wait ends after `within_s`."""

    def __init__(self, process: asyncio.subprocess.Process, within_s: float) -> None:
        self._process = process
        self._within_s = within_s

    async def read_until(self, matches: Callable[[str], bool]) -> list[str]:
        """Read lines until one matches; returns all of them."""
        assert self._process.stdout is not None
        lines: list[str] = []
        try:
            async with asyncio.timeout(self._within_s):
                while not lines or not matches(lines[-1]):
                    line = (await self._process.stdout.readline()).decode()
                    assert line, f"the program ended after {lines}"
                    lines.append(line.rstrip())
        except TimeoutError:
            raise AssertionError(f"no line matches in time: {lines}") from None
        return lines

    async def output(self) -> str:
        """Return what it writes until it ends."""
        async with asyncio.timeout(self._within_s):
            output, _ = await self._process.communicate()
        return output.decode()

    async def terminate(self) -> int:
        """Send SIGTERM and wait for the end; returns the exit status."""
        self._process.terminate()
        return await self.wait()

    async def wait(self) -> int:
        """Wait for the end; returns the exit status."""
        async with asyncio.timeout(self._within_s):
            return await self._process.wait()


@asynccontextmanager
async def running(
    *words: str | Path, cwd: Path, within_s: float, env: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run a program; it and its children are killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
    )
    try:
        yield Running(process, within_s)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
