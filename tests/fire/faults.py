"""What the proxies share: which faults there are, when they happen, and how often they did."""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from devstack import ports

PATIENCE_S: Final = 15.0
"""How long an upstream may take before the proxy gives up: something hangs that should not."""


class Fault(StrEnum):
    """What a proxy does to a connection or to one request."""

    RESET = "reset"
    """The connection is reset; what was on its way in it is lost."""
    CUT = "cut short"
    """Reset after so many bytes, in the middle of a request, an answer or a packet."""
    LOST_ANSWER = "answer lost"
    """The request took effect, and the connection is reset instead of answered."""
    MUTE = "half-open, no answers"
    """What is said arrives and takes effect; answers are swallowed, then the connection reset."""
    DEAF = "half-open, no requests"
    """What is said is swallowed; answers still arrive; then the connection is reset."""
    STALL = "stalled"
    """Nothing passes for a while; then everything does, late."""
    SLOW = "slow"
    """A few bytes at a time."""
    GARBAGE = "garbage"
    """Bytes that nobody has sent stand where an answer begins, then the connection is reset."""
    BUSY = "503 ServerBusy"
    """Refused with Retry-After."""
    TIMED_OUT = "500 OperationTimedOut"
    """Said of a request that took effect, or of one that did not: nobody can know."""
    STALE = "404 for a stale receipt"
    """What Azure may say where Azurite says 400 PopReceiptMismatch."""
    SHUT = "shut"
    """Not let in."""


class Faults:
    """A proxy's chance, its tally, and whether it is calm: then it forwards everything."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.tally: Counter[Fault] = Counter()
        self.calm = True

    def begin(self, fault: Fault) -> None:
        """Count a fault that is about to happen."""
        self.tally[fault] += 1

    async def while_it_lasts(self, *, most_s: float) -> None:
        """Wait as long as a fault takes, drawn up to `most_s`."""
        await asyncio.sleep(self.chance.uniform(most_s / 8, most_s))

    def garbage(self) -> bytes:
        """Bytes that are no HTTP, no MQTT and no UTF-8, wherever in a stream they come.

        They must not pass for anything: bytes altered inside an answer would be another message
        to any client, and only TLS could tell.
        """
        return bytes(self.chance.choices(range(0xF8, 0x100), k=self.chance.randint(4, 200)))


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """A port, and a task for each connection to it; all of them end with it."""

    def __init__(self, serve: Serve) -> None:
        self.port = ports.free()
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.errors: list[BaseException] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, ports.HOST, self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A transport that was aborted closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, TimeoutError):
            pass  # one side is gone, which is what this is about
        except asyncio.CancelledError:
            pass  # by __aexit__; asyncio's server would log a connection that ends cancelled
        except Exception as error:
            self.errors.append(error)
        finally:
            reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset; what it has not sent yet is dropped."""
    plain = writer.get_extra_info("socket")
    if plain is not None and plain.fileno() >= 0:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def dribble(writer: asyncio.StreamWriter, data: bytes, faults: Faults) -> None:
    """Write a few bytes at a time, over at most a second or so."""
    step = max(1, len(data) // 16)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
        await writer.drain()
        await faults.while_it_lasts(most_s=0.1)
