"""A broker's bytes, read by the session's packet reader and by paho alone.

Intended differences:

- Properties are not looked into: a broker that breaks them is not noticed, where paho ends the
  connection.
- A message above the limit is discarded with its topic reported; paho has no limit.
- A length of more than four bytes is refused at its fourth, by paho at its fifth.
- Acknowledgements of one piece leave together.
"""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.mqtt.packets import MalformedPacket, Message
from runtime.mqtt.paho_loop import PahoLoop
from runtime.mqtt.reader import PacketHandlers, PacketReader
from tests.hypothesis_profiles import examples
from tests.unit.runtime.mqtt.packets import Publish, packet, publishes
from tests.unit.runtime.mqtt.paho_client import MemorySocket

Seen = tuple[str, bytes, bool]

TOO_LONG = b"\x30\xff\xff\xff\xff\x7f"
others = st.sampled_from(
    [
        packet(0xD0, b""),  # PINGRESP
        packet(0x90, b"\x00\x01\x00"),  # SUBACK
        packet(0x40, b"\x00\x09"),  # PUBACK
        packet(0x34, b"\x00\x01t\x00\x07\x00payload"),  # PUBLISH, QoS 2
        packet(0x36, b"\x00\x01t"),  # no QoS
        packet(0x00, b""),
        packet(0xF0, b"\x00"),
        packet(0x30, b"\x00\x05abc"),  # a topic without its end
        TOO_LONG,
    ]
)


class Paho:
    """A paho client, and the messages that it was given."""

    def __init__(self, *, v5: bool) -> None:
        self.messages: list[Seen] = []
        self.loop = PahoLoop("test", v5=v5)
        self.loop.client.on_message = self._receive
        self.loop.client.on_socket_register_write = None
        self.loop.connect(MemorySocket(), lambda: None, host="h")  # type: ignore[arg-type]

    def _receive(self, _client: Any, _userdata: Any, message: Any) -> None:
        self.messages.append((message.topic, bytes(message.payload), bool(message.retain)))

    def read(self, data: bytes) -> bool:
        """Read a packet; return whether the connection stays open."""
        try:
            return self.loop.read(data)
        except MalformedPacket:
            return False


def by_reader(stream: bytes, sizes: list[int], *, v5: bool) -> tuple[list[Seen], bool]:
    """Return the messages of a stream that is read in pieces, and whether it stays open."""
    paho = Paho(v5=v5)
    is_open = True

    def receive(message: Message) -> None:
        paho.messages.append((message.topic, message.payload, message.retained))

    def on_other(data: bytes) -> bool:
        nonlocal is_open
        is_open = paho.read(data)
        return is_open

    reader = PacketReader(
        PacketHandlers(receive, lambda _ids: None, lambda *_: None, on_other, lambda *_: None),
        v5=v5,
        max_packet_bytes=100_000,
    )
    at = number = 0
    try:
        while at < len(stream) and is_open:
            size = sizes[number % len(sizes)]
            reader.feed(stream[at : at + size])
            at, number = at + size, number + 1
    except MalformedPacket:
        is_open = False
    finally:
        paho.loop.end()
    return paho.messages, is_open


def by_paho(stream: bytes, *, v5: bool) -> tuple[list[Seen], bool]:
    """Return what paho makes of the whole stream."""
    paho = Paho(v5=v5)
    try:
        return paho.messages, paho.read(stream)
    finally:
        paho.loop.end()


@settings(max_examples=examples(150))
@given(
    st.booleans(),
    st.lists(publishes | others, max_size=6),
    st.lists(st.integers(1, 300), min_size=1, max_size=3),
    st.integers(0, 3),
)
@example(True, [Publish("t", b"x", qos=0), Publish("t", b"y", retained=True)], [1], 0)
async def test_a_stream_has_the_messages_that_paho_reads(
    v5: bool, packets: list[Publish | bytes], sizes: list[int], missing: int
) -> None:
    """However it is cut; and where paho ends the connection, no message behind that is read."""
    stream = b"".join(one if isinstance(one, bytes) else one.encode(v5=v5) for one in packets)
    stream = stream[: len(stream) - missing]
    ours, is_open = by_reader(stream, sizes, v5=v5)
    theirs, paho_is_open = by_paho(stream, v5=v5)

    if stream.endswith(TOO_LONG[:-1]):
        assert (ours, is_open) == (theirs, False)
    elif paho_is_open:
        assert (ours, is_open) == (theirs, True)
    elif not v5:
        assert (ours, is_open) == (theirs, False)
    else:
        assert ours[: len(theirs)] == theirs
