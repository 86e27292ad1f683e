"""Follows a page of the documentation: writes its files, runs its commands, reads their output."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from docsite.blocks import Block, shows
from tests.waiting import until

START_S, SHOW_S = 120.0, 40.0
STOP_S = 45.0
"""Longer than `scripts/dev` takes if it has to kill a program of each of its two rounds."""


class Started:
    """A command that goes on in a terminal of its own."""

    def __init__(self, command: str, process: asyncio.subprocess.Process) -> None:
        self.command = command
        self._process = process
        self.output = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            self.output += line.decode()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def stop(self) -> None:
        """Press Ctrl-C in its terminal; everything that it started ends by itself."""
        before = len(self.output)
        if self.running:
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
                await self._reading
        except TimeoutError:
            raise AssertionError(f"{self.command} does not end: {self.output[before:]}") from None
        assert "did not end within" not in self.output[before:], self.output[before:]


class Walkthrough:
    """One reader of a page, in one folder.

    `rewrite` changes what is different on a machine with other programs: ports.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], rewrite: Callable[[str], str]) -> None:
        self._folder = folder
        self._env = {**os.environ, **env}
        self._rewrite = rewrite
        self._started: list[Started] = []
        self._output = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for started in self._started:
            await started.stop()

    async def follow(self, block: Block, following: Block | None) -> None:
        """Do what the page says of a block; `following` is the next block."""
        text = self._rewrite(block.text)
        if block.act == "file":
            (self._folder / block.detail).write_text(text, encoding="utf-8")
        elif block.act == "run" and block.detail.startswith("background until "):
            await self._start(block, text, block.detail.removeprefix("background until "))
        elif block.act == "run" and block.detail == "again until it shows":
            assert following is not None, f"{block}: nothing to show"
            await self._run_until(block, text, self._rewrite(following.text))
        elif block.act == "run":
            status, self._output = await self._run(text)
            assert status == 0, f"{block}: {self._output}"
        elif block.act == "shows":
            expected = self._rewrite(block.text)
            assert shows(expected, self._output), (
                f"{block}: {expected!r} is not in {self._output!r}"
            )

    async def stop(self, command: str) -> None:
        """Press Ctrl-C where a command runs that contains this."""
        for started in [started for started in self._started if command in started.command]:
            await started.stop()
            self._started.remove(started)

    async def _start(self, block: Block, text: str, ready: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"exec {text}" if "=" not in text.split()[0] else f"env {text}",
            cwd=self._folder,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        started = Started(text, process)
        self._started.append(started)
        await until(
            lambda: ready in started.output or not started.running,
            f"{block}: {ready!r}",
            within_s=START_S,
        )
        assert ready in started.output, f"{block}: {started.output}"
        self._output = started.output

    async def _run_until(self, block: Block, text: str, expected: str) -> None:
        deadline = asyncio.get_running_loop().time() + SHOW_S
        while True:
            _, self._output = await self._run(text)
            if shows(expected, self._output):
                return
            assert asyncio.get_running_loop().time() < deadline, f"{block}: {self._output!r}"
            await asyncio.sleep(0.1)

    async def _run(self, text: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", text),
            cwd=self._folder,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        status = process.returncode
        assert status is not None
        return status, output.decode()


def with_ports(ports: Mapping[int, int], texts: Mapping[str, str]) -> Callable[[str], str]:
    """Return what replaces each port and text of a page by the one of a test."""

    def rewrite(text: str) -> str:
        for old, new in texts.items():
            text = text.replace(old, new)
        return re.sub(
            r"(?<![\w.-])(" + "|".join(map(str, ports)) + r")(?!\w)",
            lambda found: str(ports[int(found[0])]),
            text,
        )

    return rewrite
