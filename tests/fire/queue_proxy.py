"""A proxy between poller and queue that knows HTTP: one request, one answer, and a fault at times.

It also gives answers that Azurite never gives and Azure does.
"""

import asyncio
import random
import re
from email.utils import formatdate
from typing import Final

from devstack import ports
from tests.fire.faults import PATIENCE_S, Fault, Faults, Listener, dribble, reset

RATE: Final = 0.025
"""How many requests meet a fault."""

LETTER_RATE: Final = 0.25
"""How many puts do: a poller puts dead letters only, so they are few, and each is the last copy."""

WEIGHTS: Final = {
    Fault.RESET: 3,
    Fault.CUT: 3,
    Fault.LOST_ANSWER: 6,
    Fault.MUTE: 1,
    Fault.DEAF: 1,
    Fault.STALL: 3,
    Fault.SLOW: 2,
    Fault.GARBAGE: 3,
    Fault.BUSY: 4,
    Fault.TIMED_OUT: 4,
}

LONGEST_S: Final = 4.0
"""The longest stall: longer than a lease."""

_STALE: Final = (
    404,
    "MessageNotFound",
    "The specified message does not exist.",
)
_BUSY: Final = (503, "ServerBusy", "The server is currently unable to receive requests.")
_TIMED_OUT: Final = (
    500,
    "OperationTimedOut",
    "The operation could not be completed within the permitted time.",
)


class QueueProxy(Listener):
    """Stands at a port of its own before the queue at `upstream`."""

    def __init__(self, upstream: int, chance: random.Random) -> None:
        super().__init__(self._connection)
        self.faults = Faults(chance)
        self.opened = asyncio.Event()
        """While it is not set, requests wait; they are not refused."""
        self.opened.set()
        self.takes_letters = asyncio.Event()
        """While it is not set, puts wait: a poller puts nothing but dead letters."""
        self.takes_letters.set()
        self.asking = 0
        """How many requests have been let in and not answered yet."""
        self._upstream = upstream

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up: _Upstream | None = None
        try:
            while request := await _message(reader):
                while not self._lets_in(request):
                    self.faults.begin(Fault.SHUT)
                    await self.opened.wait()
                    if request.startswith(b"POST"):
                        await self.takes_letters.wait()
                self.asking += 1
                try:
                    # Azurite ends a connection that was idle for five seconds; ours goes on.
                    if up is None or up.reader.at_eof():
                        if up is not None:
                            reset(up.writer)
                        up = _Upstream(*await asyncio.open_connection(ports.HOST, self._upstream))
                    if not await self._exchange(request, writer, up):
                        return
                finally:
                    self.asking -= 1
        finally:
            if up is not None:
                reset(up.writer)

    def _lets_in(self, request: bytes) -> bool:
        return self.opened.is_set() and (
            self.takes_letters.is_set() or not request.startswith(b"POST")
        )

    async def _exchange(
        self, request: bytes, writer: asyncio.StreamWriter, up: "_Upstream"
    ) -> bool:
        """Pass on one request and its answer; False when the connection is to be reset."""
        faults = self.faults
        fault = None
        rate = LETTER_RATE if request.startswith(b"POST") else RATE
        if not faults.calm and faults.chance.random() < rate:
            (fault,) = faults.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            faults.begin(fault)
        match fault:
            case Fault.RESET:
                return False
            case Fault.DEAF:
                await faults.while_it_lasts(most_s=LONGEST_S)
                return False
            case Fault.BUSY:
                writer.write(_answer(*_BUSY, "Retry-After: 1\r\n"))
                await writer.drain()
                return True
            case Fault.TIMED_OUT if faults.chance.random() < 0.5:
                writer.write(_answer(*_TIMED_OUT))
                await writer.drain()
                return True
            case Fault.CUT if faults.chance.random() < 0.5:
                up.writer.write(request[: faults.chance.randrange(len(request))])
                await up.writer.drain()
                reset(up.writer)
                return False
        answer = await up.ask(request)
        if (
            request.startswith(b"DELETE")
            and b"PopReceiptMismatch" in answer
            and faults.chance.random() < 0.5
        ):
            faults.begin(Fault.STALE)
            answer = _answer(*_STALE)
        match fault:
            case Fault.LOST_ANSWER:
                return False
            case Fault.MUTE:
                await faults.while_it_lasts(most_s=LONGEST_S)
                return False
            case Fault.CUT:
                writer.write(answer[: faults.chance.randrange(len(answer))])
                await writer.drain()
                # What has been written is to arrive before the end does.
                writer.write_eof()
                return False
            case Fault.GARBAGE:
                writer.write(faults.garbage() + answer)
                await writer.drain()
                writer.write_eof()
                return False
            case Fault.STALL:
                await faults.while_it_lasts(most_s=LONGEST_S)
            case Fault.TIMED_OUT:
                answer = _answer(*_TIMED_OUT)
            case Fault.SLOW:
                await dribble(writer, answer, faults)
                return True
        writer.write(answer)
        await writer.drain()
        return True


class _Upstream:
    """A connection to the queue itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes) -> bytes:
        """Send a request and read the whole answer; raises EOFError when there is none."""
        self.writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            await self.writer.drain()
            answer = await _message(self.reader)
        if not answer:
            raise EOFError("the queue hung up")
        return answer


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read a whole request or answer, as it is; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return b""
    length = re.search(rb"\r\ncontent-length: *(\d+)\r\n", head, re.IGNORECASE)
    if length:
        return head + await reader.readexactly(int(length[1]))
    if re.search(rb"\r\ntransfer-encoding: *chunked\r\n", head, re.IGNORECASE) is None:
        return head
    parts = [head]
    size = 1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line, 16)
        parts += [line, await reader.readexactly(size + 2)]
    return b"".join(parts)


def _answer(status: int, code: str, says: str, more: str = "") -> bytes:
    """Write an error as Azure does."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
        f"<Message>{says}</Message></Error>"
    )
    return (
        f"HTTP/1.1 {status} {code}\r\nx-ms-error-code: {code}\r\n{more}"
        f"Date: {formatdate(usegmt=True)}\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
