"""The clients of the benchmark: WebSockets over TLS 1.3 from a compiled program."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Self

from bench.gateway.load import BENCH_FOLDER, CommandedProcess, compile_program
from devstack import ports

SOURCES: Final = 4
"""Addresses of loopback that the clients have, because an address has only some 28,000 ports."""

BURST: Final = 500
_SOURCE: Final = Path(__file__).with_name("load.c")
_PROGRAM: Final = BENCH_FOLDER / "tls-load"


def build() -> None:
    """Compile the clients. Raises CannotMeasure without a C compiler or OpenSSL's headers."""
    compile_program(_SOURCE, _PROGRAM, "-lssl", "-lcrypto", needs=" (it needs libssl-dev)")


class TlsClients(CommandedProcess):
    """The connections of one process of load.c."""

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, port: int, count: int, authority: Path) -> AsyncIterator[Self]:
        """Start a process for `count` connections to `port`."""
        arguments = (ports.HOST, *map(str, (port, count, authority, SOURCES, BURST)))
        async with cls._running(_PROGRAM, *arguments) as clients:
            yield clients

    async def connect(self) -> dict[str, Any]:
        """Open all with a full handshake; return when each has received its first frame."""
        return await self._send("connect")

    async def resume(self) -> dict[str, Any]:
        """Open all with the TLS session that each had before, as browsers do."""
        return await self._send("resume")

    async def close(self) -> None:
        """Close all."""
        await self._send("close")
