"""Standard output as a target: one line of JSON for each state, and nothing else."""

import asyncio
import os
import select
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from simulator.stream.items import StreamItem
from simulator.targets.target import OutputClosed

STDOUT: Final = 1


@asynccontextmanager
async def stdout_target() -> AsyncIterator["StdoutTarget"]:
    """Return a target that writes to standard output and does not close it."""
    yield StdoutTarget()


class StdoutTarget:
    """Writes lines as fast as they are read."""

    replaced = 0

    def set_network(self, pillow: str, *, up: bool) -> None:
        """Do nothing, because a line needs no connection."""

    async def wait_ready(self) -> None:
        """Return at once."""

    async def send(self, batch: Sequence[StreamItem]) -> None:
        """Write a line for each state; raises OutputClosed when the reader has closed the pipe."""
        remaining = memoryview(b"".join(item.body + b"\n" for item in batch))
        try:
            while remaining:
                # PIPE_BUF bytes do not block once the pipe is writable, so SIGTERM is handled even
                # when the reader pauses. A non-blocking descriptor would change it for every
                # process that writes to the same terminal.
                if _is_writable(0) or await asyncio.to_thread(_is_writable, 0.1):
                    remaining = remaining[os.write(STDOUT, remaining[: select.PIPE_BUF]) :]
        except BrokenPipeError:
            raise OutputClosed from None


def _is_writable(timeout_s: float) -> bool:
    return bool(select.select([], [STDOUT], [], timeout_s)[1])
