"""An HTTP proxy between poller and queue: one request, one response, and sometimes a fault.

It also gives responses that Azure gives and Azurite does not.
"""

import asyncio
import random
import re
from email.utils import formatdate
from typing import Final

from devstack import ports
from tests.fire.faults import UPSTREAM_TIMEOUT_S, Fault, Faults, Listener, dribble, reset

RATE: Final = 0.025
"""The share of requests with a fault."""

PUT_RATE: Final = 0.25
"""The share of puts with a fault. A poller puts only dead letters, so there are few."""

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

MAX_STALL_S: Final = 4.0
"""The longest stall in seconds, longer than a lease."""

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
    """A proxy on a port of its own, before the queue at the port `upstream`."""

    def __init__(self, upstream: int, rng: random.Random) -> None:
        super().__init__(self._connection)
        self.faults = Faults(rng)
        self.opened = asyncio.Event()
        """While it is not set, requests wait."""
        self.opened.set()
        self.puts_allowed = asyncio.Event()
        """While it is not set, puts wait; a poller puts only dead letters."""
        self.puts_allowed.set()
        self.pending = 0
        """The number of requests that are forwarded and not answered yet."""
        self._upstream = upstream

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up: _Upstream | None = None
        try:
            while request := await _message(reader):
                while not self._is_allowed(request):
                    self.faults.begin(Fault.SHUT)
                    await self.opened.wait()
                    if request.startswith(b"POST"):
                        await self.puts_allowed.wait()
                self.pending += 1
                try:
                    # Azurite ends a connection after five idle seconds; that of the poller stays.
                    if up is None or up.reader.at_eof():
                        if up is not None:
                            reset(up.writer)
                        up = _Upstream(*await asyncio.open_connection(ports.HOST, self._upstream))
                    if not await self._exchange(request, writer, up):
                        return
                finally:
                    self.pending -= 1
        finally:
            if up is not None:
                reset(up.writer)

    def _is_allowed(self, request: bytes) -> bool:
        return self.opened.is_set() and (
            self.puts_allowed.is_set() or not request.startswith(b"POST")
        )

    async def _exchange(
        self, request: bytes, writer: asyncio.StreamWriter, up: "_Upstream"
    ) -> bool:
        """Forward a request and its response; returns False when the connection is to be reset."""
        fault = self._draw_fault(request)
        goes_on = await self._fault_before(fault, request, writer, up)
        if goes_on is not None:
            return goes_on
        response = await up.request(request)
        if (
            request.startswith(b"DELETE")
            and b"PopReceiptMismatch" in response
            and self.faults.rng.random() < 0.5
        ):
            self.faults.begin(Fault.STALE)
            response = response_of(*_STALE)
        return await self._fault_after(fault, response, writer)

    def _draw_fault(self, request: bytes) -> Fault | None:
        faults = self.faults
        rate = PUT_RATE if request.startswith(b"POST") else RATE
        if faults.paused or faults.rng.random() >= rate:
            return None
        (fault,) = faults.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        faults.begin(fault)
        return fault

    async def _fault_before(
        self, fault: Fault | None, request: bytes, writer: asyncio.StreamWriter, up: "_Upstream"
    ) -> bool | None:
        """Apply a fault that keeps the request from taking effect.

        Returns whether the connection goes on, None if the request is to be forwarded.
        """
        faults = self.faults
        match fault:
            case Fault.RESET:
                return False
            case Fault.DEAF:
                await faults.wait_duration(at_most_s=MAX_STALL_S)
                return False
            case Fault.BUSY:
                await _write(writer, response_of(*_BUSY, "Retry-After: 1\r\n"))
                return True
            case Fault.TIMED_OUT if faults.rng.random() < 0.5:
                await _write(writer, response_of(*_TIMED_OUT))
                return True
            case Fault.CUT if faults.rng.random() < 0.5:
                await _write(up.writer, request[: faults.rng.randrange(len(request))])
                reset(up.writer)
                return False
        return None

    async def _fault_after(
        self, fault: Fault | None, response: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        """Send a response, changed or delayed by a fault; returns whether to go on."""
        faults = self.faults
        match fault:
            case Fault.LOST_ANSWER:
                return False
            case Fault.MUTE:
                await faults.wait_duration(at_most_s=MAX_STALL_S)
                return False
            case Fault.CUT | Fault.GARBAGE:
                is_cut = fault is Fault.CUT
                cut = response[: faults.rng.randrange(len(response))] if is_cut else b""
                await _write(writer, cut if is_cut else faults.garbage() + response)
                # What has been written has to arrive before the reset.
                writer.write_eof()
                return False
            case Fault.SLOW:
                await dribble(writer, response, faults)
                return True
            case Fault.STALL:
                await faults.wait_duration(at_most_s=MAX_STALL_S)
            case Fault.TIMED_OUT:
                response = response_of(*_TIMED_OUT)
        await _write(writer, response)
        return True


class _Upstream:
    """A connection to the queue itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self, request: bytes) -> bytes:
        """Send a request and return the whole response; raises EOFError when there is none."""
        self.writer.write(request)
        async with asyncio.timeout(UPSTREAM_TIMEOUT_S):
            await self.writer.drain()
            response = await _message(self.reader)
        if not response:
            raise EOFError("the queue closed the connection")
        return response


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Return a whole request or response, empty at the end of the connection."""
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


def response_of(status: int, code: str, message: str, headers: str = "") -> bytes:
    """Return an error response in the form of Azure."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code>'
        f"<Message>{message}</Message></Error>"
    )
    return (
        f"HTTP/1.1 {status} {code}\r\nx-ms-error-code: {code}\r\n{headers}"
        f"Date: {formatdate(usegmt=True)}\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
