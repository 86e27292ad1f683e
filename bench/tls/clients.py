"""The clients of the benchmark: WebSockets over TLS 1.3 from a compiled program."""

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Self

from bench.gateway.load import BENCH_FOLDER, CannotMeasure
from devstack import ports

SOURCES: Final = 4
"""Addresses of loopback that the clients have, because an address has only some 28,000 ports."""

BURST: Final = 500
_SOURCE: Final = Path(__file__).with_name("load.c")
_PROGRAM: Final = BENCH_FOLDER / "tls-load"
_TIMEOUT_S: Final = 90.0


def build() -> None:
    """Compile the clients. Raises CannotMeasure without a C compiler or OpenSSL's headers."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise CannotMeasure("no C compiler (cc, gcc or clang)")
    BENCH_FOLDER.mkdir(exist_ok=True)
    if _PROGRAM.exists() and _PROGRAM.stat().st_mtime >= _SOURCE.stat().st_mtime:
        return
    command = [compiler, "-O2", "-Wall", "-o", str(_PROGRAM), str(_SOURCE), "-lssl", "-lcrypto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMeasure(f"load.c does not compile (it needs libssl-dev):\n{done.stderr}")


class TlsClients:
    """The connections of one process of load.c."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, port: int, count: int, authority: Path) -> AsyncIterator[Self]:
        """Start a process for `count` connections to `port`."""
        process = await asyncio.create_subprocess_exec(
            _PROGRAM,
            *(ports.HOST, str(port), str(count), str(authority), str(SOURCES), str(BURST)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield cls(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def connect(self) -> dict[str, Any]:
        """Open all with a full handshake; return when each has received its first frame."""
        return await self._send("connect")

    async def resume(self) -> dict[str, Any]:
        """Open all with the TLS session that each had before, as browsers do."""
        return await self._send("resume")

    async def close(self) -> None:
        """Close all."""
        await self._send("close")

    async def _send(self, command: str) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(command.encode() + b"\n")
        async with asyncio.timeout(_TIMEOUT_S):
            line = await process.stdout.readline()
        reply: dict[str, Any] = json.loads(line)
        return reply
