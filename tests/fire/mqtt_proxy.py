"""A proxy between poller and broker: bytes both ways, until a fault ends it.

Every connection is given its fault when it is made: which, and after how many bytes of the
poller's. So faults fall in step with the traffic, and in the middle of packets.
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

FEWEST, MOST = 500, 40_000
"""After how many bytes of the poller's a fault begins; a state is some 300."""

EARLY: Final = 0.1
"""How many connections meet theirs before that: while they are being made."""

LONGEST_S: Final = 3.0


@dataclass(slots=True)
class _Link:
    """One connection: what is left until its fault, and what the fault has made of it."""

    left: int
    fault: Fault
    mute: bool = False
    stalled: asyncio.Event | None = None
    slow: bool = False


class MqttProxy(Listener):
    """Stands at a port of its own before the broker at `upstream`."""

    def __init__(self, upstream: int, chance: random.Random) -> None:
        super().__init__(self._connection)
        self.faults = Faults(chance)
        self.opened = False
        """Whether connections are let in: only while the recorder listens (see `recorder`)."""
        self.troubled = 0
        """How many connections are in the midst of a fault."""
        self._upstream = upstream

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.opened:
            self.faults.begin(Fault.SHUT)
            return
        chance = self.faults.chance
        (fault,) = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        is_early = chance.random() < EARLY
        link = _Link(chance.randint(*((1, FEWEST) if is_early else (FEWEST, MOST))), fault)
        up_reader, up_writer = await asyncio.open_connection(ports.HOST, self._upstream)
        ways = {
            asyncio.create_task(self._say(reader, up_writer, writer, link)),
            asyncio.create_task(self._answer(up_reader, writer, link)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reset(up_writer)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _say(
        self,
        reader: asyncio.StreamReader,
        up: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        link: _Link,
    ) -> None:
        """Forward what the poller says; ends when the connection is to be reset."""
        while data := await reader.read(65_536):
            if len(data) < link.left or self.faults.calm:
                link.left -= len(data)
                await (dribble(up, data, self.faults) if link.slow else _write(up, data))
                continue
            before, after = data[: max(0, link.left)], data[max(0, link.left) :]
            if link.fault is not Fault.RESET:
                await _write(up, before)
            self.faults.begin(link.fault)
            self.troubled += 1
            try:
                goes_on = await self._suffer(link, up, back, after, reader)
            finally:
                self.troubled -= 1
            if not goes_on:
                return

    async def _suffer(
        self,
        link: _Link,
        up: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        after: bytes,
        reader: asyncio.StreamReader,
    ) -> bool:
        """Let a fault take its course; say whether the connection goes on."""
        faults = self.faults
        match link.fault:
            case Fault.MUTE:
                link.mute = True
                await _write(up, after)
                until = asyncio.create_task(faults.while_it_lasts(most_s=LONGEST_S))
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
                await faults.while_it_lasts(most_s=LONGEST_S)
                return False
            case Fault.GARBAGE:
                link.mute = True
                await _write(back, faults.garbage())
                await faults.while_it_lasts(most_s=0.1)
                return False
            case Fault.STALL:
                link.stalled = asyncio.Event()
                await faults.while_it_lasts(most_s=LONGEST_S)
                link.stalled.set()
                link.stalled = None
            case Fault.SLOW:
                link.slow = True
                await dribble(up, after, faults)
                after = b""
            case _:
                return False
        await _write(up, after)
        (link.fault,) = faults.chance.choices((Fault.RESET, Fault.CUT, Fault.MUTE))
        link.left = faults.chance.randint(FEWEST, MOST) // 4
        return True

    async def _answer(
        self, up: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link
    ) -> None:
        """Forward what the broker says, unless it is to be swallowed or held up."""
        while data := await up.read(65_536):
            if link.stalled is not None:
                await link.stalled.wait()
            if not link.mute:
                await _write(writer, data)
        # What a broker said before it was killed was said: it is to arrive before the reset does.
        if not link.mute and not writer.is_closing():
            writer.write_eof()


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
