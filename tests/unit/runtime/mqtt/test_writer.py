"""The writer, on a transport in memory."""

import asyncio

from runtime.mqtt.writer import PacketWriter
from tests.unit.runtime.mqtt.paho_client import MemoryTransport


async def test_packets_of_one_turn_leave_in_one_write_and_in_order() -> None:
    """Those of the next turn in the next."""
    transport = MemoryTransport()
    writer = PacketWriter(transport)
    for packet in (b"one ", b"two ", b"three"):
        writer.write(packet)
    assert transport.writes == []
    await asyncio.sleep(0)
    writer.write(b"four")
    await asyncio.sleep(0)

    assert transport.writes == [b"one two three", b"four"]


async def test_a_flush_writes_at_once_and_only_once() -> None:
    """Before a connection is closed, for example."""
    transport = MemoryTransport()
    writer = PacketWriter(transport)
    writer.write(b"x")
    writer.flush()
    await asyncio.sleep(0)

    assert transport.writes == [b"x"]


async def test_nothing_is_written_to_a_closed_connection() -> None:
    """asyncio would log a warning; the session knows already."""
    transport = MemoryTransport()
    writer = PacketWriter(transport)
    writer.write(b"x")
    transport.close()
    await asyncio.sleep(0)

    assert transport.writes == []
