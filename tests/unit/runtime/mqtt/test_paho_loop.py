"""paho on a transport in memory: what it sends, and when it is called."""

import asyncio
from typing import Any

import pytest
from paho.mqtt.client import Client

from runtime.mqtt import paho_loop
from runtime.mqtt.packets import MalformedPacket
from runtime.mqtt.paho_loop import PahoLoop, TransportSocket
from runtime.mqtt.writer import PacketWriter
from tests.unit.runtime.mqtt.packets import Publish, packet
from tests.unit.runtime.mqtt.paho_client import MemorySocket, MemoryTransport
from tests.waiting import until

CONNACK = b"\x20\x03\x00\x00\x00"


class Driven:
    """A paho client that has sent CONNECT over a transport in memory."""

    def __init__(self) -> None:
        self.ticks = 0
        self.transport = MemoryTransport()
        self.paho = PahoLoop("test", v5=True)
        self.disconnects: list[Any] = []
        self.paho.client.on_disconnect = lambda *answer: self.disconnects.append(answer)
        self.paho.connect(
            TransportSocket(self.transport, PacketWriter(self.transport)), self._tick, host="h"
        )

    def _tick(self) -> None:
        self.ticks += 1


async def test_paho_uses_the_connection_that_it_is_given() -> None:
    """It opens none of its own, which would block, and sends CONNECT in one write."""
    driven = Driven()
    await until(lambda: bool(driven.transport.writes), "CONNECT")

    (connect,) = driven.transport.writes
    assert connect[0] == 0x10
    assert connect[2:8] == b"\x00\x04MQTT"
    driven.paho.end()


async def test_a_paho_that_makes_its_socket_elsewhere_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session must not run on a connection that paho made, and blocked for."""
    monkeypatch.setattr(Client, "_create_socket", lambda _self: MemorySocket())
    monkeypatch.delattr(paho_loop._Client, "_create_socket")
    with pytest.raises(RuntimeError, match="makes its socket elsewhere"):
        Driven()


async def test_packets_are_read_whole_by_one_call() -> None:
    """Also a large one, which paho reads in parts."""
    driven = Driven()
    received: list[Any] = []
    driven.paho.client.on_message = lambda *call: received.append(call[2])

    assert driven.paho.read(CONNACK)
    assert driven.paho.read(Publish("t", bytes(100_000)).encode(v5=True))
    assert len(received[0].payload) == 100_000
    driven.paho.end()


async def test_a_packet_that_paho_refuses_ends_the_connection() -> None:
    """The transport is closed, and `on_disconnect` is called once."""
    driven = Driven()
    assert not driven.paho.read(packet(0x00, b""))

    assert driven.transport.is_closed
    assert len(driven.disconnects) == 1
    assert not driven.paho.read(CONNACK)


async def test_whatever_paho_raises_is_a_malformed_packet() -> None:
    """Its versions differ in what they raise for a broken packet."""
    driven = Driven()

    def fail(*_call: object) -> None:
        raise KeyError("an unknown property")

    driven.paho.client.on_message = fail
    with pytest.raises(MalformedPacket, match="an unknown property"):
        driven.paho.read(Publish("t").encode(v5=True))
    driven.paho.end()


async def test_the_clock_ticks_while_the_connection_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection's checks depend on it; after the end nothing is left in the event loop."""
    monkeypatch.setattr(paho_loop, "_TICK_S", 0.001)
    driven = Driven()
    await until(lambda: driven.ticks >= 2, "two ticks")
    driven.paho.end()
    ticks = driven.ticks
    timer = driven.paho._timer

    assert timer is not None
    assert timer.cancelled()
    await asyncio.sleep(0)
    assert driven.ticks == ticks


async def test_a_disconnect_is_written_before_the_connection_is_closed() -> None:
    """The broker discards the last will only if it arrives."""
    driven = Driven()
    driven.paho.read(CONNACK)
    driven.paho.disconnect()

    assert driven.transport.writes[-1].endswith(b"\xe0\x00")
    assert driven.transport.is_closed
