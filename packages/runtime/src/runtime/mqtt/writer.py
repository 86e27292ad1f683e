"""Collects packets and writes all of one turn of the event loop together.

A system call for each packet would cost more than the packets themselves: see docs/performance.md.
"""

import asyncio


class PacketWriter:
    """Writes packets to a transport in the order of the calls."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._packets: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def write(self, packet: bytes) -> None:
        """Write `packet` (or several packets, joined) at the end of this turn."""
        if not self._packets:
            self._loop.call_soon(self.flush)
        self._packets.append(packet)

    def flush(self) -> None:
        """Write now what was collected; nothing once the connection is closed."""
        packets, self._packets = self._packets, []
        if packets and not self._transport.is_closing():
            self._transport.write(b"".join(packets))
