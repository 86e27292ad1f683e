"""Standard output as a target: a line of JSON a state, and nothing else."""

import asyncio
import os
import select
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from simulator.stream.faults import Item
from simulator.targets.target import Closed

STDOUT: Final = 1


@asynccontextmanager
async def stdout_target() -> AsyncIterator["StdoutTarget"]:
    """Write to standard output, which stays open."""
    yield StdoutTarget()


class StdoutTarget:
    """Writes lines as fast as they are read."""

    unsaid = 0

    def network(self, pillow: str, *, up: bool) -> None:
        """Do nothing: a line is a message."""

    async def ready(self) -> None:
        """Return at once."""

    async def send(self, batch: Sequence[Item]) -> None:
        """Write a line for each state; raises Closed when the reader has gone."""
        left = memoryview(b"".join(one.body + b"\n" for one in batch))
        try:
            while left:
                # In pieces that do not block once there is room: a reader that pauses must not
                # keep us from hearing SIGTERM. To make the descriptor non-blocking instead would
                # change it for everyone else who writes to the same terminal.
                if _has_room(0) or await asyncio.to_thread(_has_room, 0.1):
                    left = left[os.write(STDOUT, left[: select.PIPE_BUF]) :]
        except BrokenPipeError:
            raise Closed from None


def _has_room(timeout_s: float) -> bool:
    return bool(select.select([], [STDOUT], [], timeout_s)[1])
