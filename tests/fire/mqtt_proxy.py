"""A byte proxy between poller and broker, whose connections end with a fault.

The fault of a connection is drawn when it is made, with the number of bytes from the poller after
which it begins. So faults follow the traffic, and happen in the middle of packets.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from devstack import ports
from tests.fire.faults import Fault, Faults, Listener, dribble, reset

WEIGHTS: Final = {
    Fault.RESET: 3,
    Fault.CUT: 3,
    Fault.MUTE: 4,
    Fault.DEAF: 2,
    Fault.STALL: 2,
    Fault.SLOW: 1,
    Fault.GARBAGE: 2,
}

MIN_BYTES, MAX_BYTES = 500, 40_000
"""The number of bytes from the poller after which a fault begins; a state has about 300."""

EARLY_RATE: Final = 0.1
"""The share of connections whose fault begins earlier, during the connect."""

MAX_STALL_S: Final = 3.0


@dataclass(slots=True)
class _Link:
    """One connection: the bytes left until its fault, and the effect of the fault."""

    left: int
    fault: Fault
    mute: bool = False
    stalled: asyncio.Event | None = None
    slow: bool = False


class MqttProxy(Listener):
    """A proxy on a port of its own, before the broker at the port `upstream`."""

    def __init__(self, upstream: int, rng: random.Random) -> None:
        super().__init__(self._connection)
        self.faults = Faults(rng)
        self.opened = False
        """Whether connections are accepted: only while the recorder is subscribed."""
        self.active_faults = 0
        """The number of connections with a fault that has begun and not ended."""
        self._upstream = upstream

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.opened:
            self.faults.begin(Fault.SHUT)
            return
        rng = self.faults.rng
        (fault,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        is_early = rng.random() < EARLY_RATE
        link = _Link(rng.randint(*((1, MIN_BYTES) if is_early else (MIN_BYTES, MAX_BYTES))), fault)
        up_reader, up_writer = await asyncio.open_connection(ports.HOST, self._upstream)
        directions = {
            asyncio.create_task(self._forward_requests(reader, up_writer, writer, link)),
            asyncio.create_task(self._forward_responses(up_reader, writer, link)),
        }
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reset(up_writer)
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _forward_requests(
        self,
        reader: asyncio.StreamReader,
        up: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        link: _Link,
    ) -> None:
        """Forward the poller's bytes; returns when the connection is to be reset."""
        while data := await reader.read(65_536):
            if len(data) < link.left or self.faults.paused:
                link.left -= len(data)
                await (dribble(up, data, self.faults) if link.slow else _write(up, data))
                continue
            before, after = data[: max(0, link.left)], data[max(0, link.left) :]
            if link.fault is not Fault.RESET:
                await _write(up, before)
            self.faults.begin(link.fault)
            self.active_faults += 1
            try:
                goes_on = await self._apply(link, up, back, after, reader)
            finally:
                self.active_faults -= 1
            if not goes_on:
                return

    async def _apply(
        self,
        link: _Link,
        up: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        after: bytes,
        reader: asyncio.StreamReader,
    ) -> bool:
        """Apply a fault until it ends; returns whether the connection goes on."""
        faults = self.faults
        match link.fault:
            case Fault.MUTE:
                link.mute = True
                await _write(up, after)
                until = asyncio.create_task(faults.wait_duration(at_most_s=MAX_STALL_S))
                try:
                    while not until.done():
                        reading = asyncio.ensure_future(reader.read(65_536))
                        await asyncio.wait((until, reading), return_when=asyncio.FIRST_COMPLETED)
                        if not reading.done():
                            reading.cancel()
                        elif data := reading.result():
                            await _write(up, data)
                        else:
                            break
                finally:
                    until.cancel()
                return False
            case Fault.DEAF:
                await faults.wait_duration(at_most_s=MAX_STALL_S)
                return False
            case Fault.GARBAGE:
                link.mute = True
                await _write(back, faults.garbage())
                await faults.wait_duration(at_most_s=0.1)
                return False
            case Fault.STALL:
                link.stalled = asyncio.Event()
                await faults.wait_duration(at_most_s=MAX_STALL_S)
                link.stalled.set()
                link.stalled = None
            case Fault.SLOW:
                link.slow = True
                await dribble(up, after, faults)
                after = b""
            case _:
                return False
        await _write(up, after)
        (link.fault,) = faults.rng.choices((Fault.RESET, Fault.CUT, Fault.MUTE))
        link.left = faults.rng.randint(MIN_BYTES, MAX_BYTES) // 4
        return True

    async def _forward_responses(
        self, up: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link
    ) -> None:
        """Forward the broker's bytes, unless a fault drops or delays them."""
        while data := await up.read(65_536):
            if link.stalled is not None:
                await link.stalled.wait()
            if not link.mute:
                await _write(writer, data)
        # What a broker sent before it was killed has to arrive before the reset.
        if not link.mute and not writer.is_closing():
            writer.write_eof()


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
