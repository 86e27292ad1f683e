"""Encoded frames, read back by an independent reader."""

import zlib

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as WebSocketFrame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from contract.cursors import Cursor
from gateway.fanout import encoding
from gateway.fanout.encoding import MIN_DEFLATE_BYTES, Encoding, Frame


def read(data: bytes, *, deflate: bool = False) -> list[bytes]:
    """Return the messages that the client of the `websockets` library reads."""
    client = ClientProtocol(parse_uri("ws://x/"), state=OPEN)
    if deflate:
        client.extensions = [PerMessageDeflate(True, True, 15, 15)]
    client.receive_data(data)
    assert client.parser_exc is None
    events = client.events_received()
    assert all(isinstance(one, WebSocketFrame) and one.fin for one in events)
    return [bytes(one.data) for one in events if isinstance(one, WebSocketFrame)]


sizes = st.sampled_from((0, 1, 125, 126, 1023, 1024, 1025, 65_535, 65_536, 70_000))


@given(st.lists(sizes, max_size=4))
def test_a_websocket_client_reads_the_frames_of_every_length(lengths: list[int]) -> None:
    """One after the other, compressed or not."""
    frames = [Frame(msgspec.json.encode("ab" * (length // 2))) for length in lengths]

    for one_encoding in (Encoding.WEBSOCKET, Encoding.DEFLATED):
        data = b"".join(frame.encoded(one_encoding) for frame in frames)
        assert read(data, deflate=one_encoding is Encoding.DEFLATED) == [
            frame.data for frame in frames
        ]


def test_a_frame_is_encoded_once_for_each_encoding() -> None:
    """All subscribers share the object."""
    frame = Frame(b"{}" * 1000, Cursor("ep", 1))

    for one_encoding in Encoding:
        assert frame.encoded(one_encoding) is frame.encoded(one_encoding)


def test_frames_below_min_deflate_bytes_are_not_compressed() -> None:
    """Compression would cost time on both sides and save next to nothing."""
    short, long = Frame(b" " * (MIN_DEFLATE_BYTES - 1)), Frame(b" " * MIN_DEFLATE_BYTES)

    assert short.deflated is short.websocket
    assert len(long.deflated) < 100
    assert long.deflated[0] & 0x40
    inflate = zlib.decompressobj(wbits=-15)
    assert inflate.decompress(long.deflated[2:] + b"\0\0\xff\xff") == long.data


def test_pings_and_pongs_are_control_frames_of_rfc_6455() -> None:
    """Section 5.5."""
    assert encoding.ping(b"") == b"\x89\x00"
    assert encoding.pong(b"hi") == b"\x8a\x02hi"


def test_each_line_of_a_frame_is_a_data_field_of_the_event() -> None:
    """A state may have line breaks between its tokens; a data field cannot."""
    frame = Frame(b'{"a":\n1,\r\n"b":\r2}', Cursor("ep", 7))

    assert frame.event == b'id: ep:7\ndata: {"a":\ndata: 1,\ndata: "b":\ndata: 2}\n\n'
    assert frame.chunk == b"%x\r\n%b\r\n" % (len(frame.event), frame.event)


def test_an_event_without_a_cursor_has_no_id() -> None:
    """An empty id would reset the cursor of the client."""
    assert Frame(b"{}").event == b"data: {}\n\n"


@given(st.text(alphabet=" \r\nab", max_size=20))
def test_an_event_reads_back_as_the_frame_with_line_feeds(text: str) -> None:
    """The parser of the standard joins data fields with a line feed."""
    event = Frame(text.encode()).event.decode()

    assert event.endswith("\n\n")
    lines = event[:-2].split("\n")
    assert all(line.startswith("data: ") for line in lines)
    joined = "\n".join(line.removeprefix("data: ") for line in lines)
    assert joined == text.replace("\r\n", "\n").replace("\r", "\n")
