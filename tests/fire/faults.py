"""What the proxies share: the kinds of faults, their counts, and a listener on a port."""

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

UPSTREAM_TIMEOUT_S: Final = 15.0
"""How long an upstream may take before the proxy gives up, in seconds."""


class Fault(StrEnum):
    """What a proxy does to a connection or to one request."""

    RESET = "reset"
    """The connection is reset, and what is in transit is lost."""
    CUT = "cut short"
    """The connection is reset in the middle of a request, a response or a packet."""
    LOST_ANSWER = "answer lost"
    """The request takes effect, and the connection is reset instead of a response."""
    MUTE = "half-open, no answers"
    """Requests take effect, responses are dropped, and then the connection is reset."""
    DEAF = "half-open, no requests"
    """Requests are dropped, responses still arrive, and then the connection is reset."""
    STALL = "stalled"
    """Everything is delayed for a while."""
    SLOW = "slow"
    """A few bytes are forwarded at a time."""
    GARBAGE = "garbage"
    """Random bytes precede a response, and then the connection is reset."""
    BUSY = "503 ServerBusy"
    """The request is refused with Retry-After."""
    TIMED_OUT = "500 OperationTimedOut"
    """The response to a request that may or may not have taken effect."""
    STALE = "404 for a stale receipt"
    """The response of Azure to a stale pop receipt, where Azurite responds 400."""
    SHUT = "shut"
    """The connection is refused, or the request waits."""


class Faults:
    """The faults of a proxy: its random numbers, its counts, and whether faults are paused."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.counts: Counter[Fault] = Counter()
        self.paused = True

    def begin(self, fault: Fault) -> None:
        """Count a fault that happens now."""
        self.counts[fault] += 1

    async def wait_duration(self, *, at_most_s: float) -> None:
        """Wait for the random duration of a fault, at most `at_most_s` seconds."""
        await asyncio.sleep(self.rng.uniform(at_most_s / 8, at_most_s))

    def garbage(self) -> bytes:
        """Return bytes that are invalid as HTTP, MQTT and UTF-8 at any place of a stream.

        They must not be valid, because a client cannot detect changed bytes inside a valid
        response; only TLS could.
        """
        return bytes(self.rng.choices(range(0xF8, 0x100), k=self.rng.randint(4, 200)))


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """A port with a task for each connection; all of them end with it."""

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
        # An aborted transport closes its socket in the next turn of the loop.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, TimeoutError):
            pass  # one side has ended, which is what the tests are about
        except asyncio.CancelledError:
            pass  # by __aexit__; asyncio would log a connection task that ends cancelled
        except Exception as error:
            self.errors.append(error)
        finally:
            reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset; unsent data is dropped."""
    plain = writer.get_extra_info("socket")
    if plain is not None and plain.fileno() >= 0:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def dribble(writer: asyncio.StreamWriter, data: bytes, faults: Faults) -> None:
    """Write a few bytes at a time, within about a second."""
    step = max(1, len(data) // 16)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
        await writer.drain()
        await faults.wait_duration(at_most_s=0.1)
