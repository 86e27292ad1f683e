"""Publishes as they are written, read again by our own reader and by paho."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.client import MQTTv5, MQTTv311
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from runtime.intake import packet_end, read_publish
from runtime.outflow import Outflow, encode_publish

topics = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100)


@given(topics, st.binary(max_size=70_000), st.integers(1, 65_535), st.booleans(), st.booleans())
def test_a_publish_is_read_as_it_was_meant(
    topic: str, payload: bytes, mid: int, retain: bool, v5: bool
) -> None:
    """Every field, and its length to the byte."""
    properties = b""
    if v5:
        said = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        said.ContentType = "application/json"
        said.MessageExpiryInterval = 604_800
        properties = said.pack()  # type: ignore[no-untyped-call]
    written = encode_publish(topic, payload, mid, retain=retain, properties=properties)
    bounds = packet_end(written, 0)

    assert bounds is not None
    assert bounds[1] == len(written)
    body = written[bounds[0] :]
    ours = read_publish(written[0], body, properties=v5)
    assert ours == (topic, payload, retain, mid)
    theirs = _packet.decode_publish(written[0], bytearray(body), MQTTv5 if v5 else MQTTv311)
    assert (bytes(theirs.topic).decode(), bytes(theirs.payload)) == (topic, payload)
    assert (theirs.mid, theirs.qos, bool(theirs.retain), bool(theirs.dup)) == (
        mid,
        1,
        retain,
        False,
    )


class Paho:
    """Counts ids, and takes what it is given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self.is_open = True
        self._last = 0

    def _mid_generate(self) -> int:
        self._last = self._last % 4 + 1
        return self._last

    def _packet_queue(self, _command: int, data: bytes, _mid: int, _qos: int) -> int:
        self.given.append(data)
        return 0

    def socket(self) -> object | None:
        return self if self.is_open else None


async def test_what_is_sent_in_one_turn_leaves_in_one_piece() -> None:
    """In the order of the calls, and with ids that nobody else has."""
    paho = Paho()
    outflow = Outflow(paho)
    mids = [
        outflow.send("t", b"%d" % number, retain=False, properties=b"", taken={2})
        for number in range(3)
    ]
    assert paho.given == []
    await asyncio.sleep(0)

    assert mids == [1, 3, 4]
    assert paho.given == [
        b"".join(
            encode_publish("t", b"%d" % number, mid, retain=False, properties=b"")
            for number, mid in enumerate(mids)
        )
    ]
    outflow.send("t", b"later", retain=False, properties=b"", taken=())
    await asyncio.sleep(0)
    assert len(paho.given) == 2


async def test_a_connection_that_has_ended_is_given_nothing() -> None:
    """Who waits for the confirmation is told by the session."""
    paho = Paho()
    outflow = Outflow(paho)
    outflow.send("t", b"x", retain=True, properties=b"", taken=())
    paho.is_open = False
    await asyncio.sleep(0)

    assert paho.given == []
