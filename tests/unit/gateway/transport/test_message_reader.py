"""What browsers say, in pieces of any size: a machine that comes and goes reads like one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from gateway.transport.message_reader import MessageReader, TextMessage
from tests.gateway import client_frame, close_code


def compressed(text: bytes) -> bytes:
    """A message from a browser that compresses."""
    deflate = PerMessageDeflate(True, True, 15, 15)
    return Frame(Opcode.TEXT, text).serialize(mask=True, extensions=[deflate])


controls = st.tuples(st.sampled_from((Opcode.PING, Opcode.PONG)), st.binary(max_size=125))


@st.composite
def conversations(draw: st.DrawFn) -> bytes:
    """What a browser may say: messages whole or in fragments, and control frames between them."""
    said = b""
    for _ in range(draw(st.integers(0, 5))):
        text = draw(st.text(max_size=100)).encode()
        opcode = draw(st.sampled_from((Opcode.TEXT, Opcode.BINARY)))
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        for number, piece in enumerate(pieces):
            said += client_frame(opcode if number == 0 else 0, piece, fin=number == len(pieces) - 1)
            for kind, payload in draw(st.lists(controls, max_size=1)):
                said += client_frame(kind, payload)
    return said + draw(
        st.sampled_from((b"", b"", client_frame(8, b"\x03\xe8"), b"\xff\xff", b"\x81\x7e"))
    )


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes as TCP may bring them."""
    at = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True) if a != b]


@given(conversations(), st.lists(st.integers(0, 2000), max_size=20))
def test_a_machine_that_is_dropped_at_rest_misses_nothing(data: bytes, cuts: list[int]) -> None:
    """However the bytes come, the same is read, and the same is answered."""
    whole = MessageReader(deflate=False)
    expected: list[Any] = list(whole.feed(data))
    answered = whole.data_to_send()

    found: list[Any] = []
    answers = b""
    reader: MessageReader | None = None
    for piece in chunks(data, cuts):
        reader = reader or MessageReader(deflate=False)
        found += reader.feed(piece)
        answers += reader.data_to_send()
        if reader.is_idle:
            reader = None

    assert found == expected
    assert answers == answered
    assert (reader is None or reader.is_open) == whole.is_open
    if data and reader is None:
        assert whole.is_idle


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_at_all_are_read(data: bytes, cuts: list[int]) -> None:
    """And end in a close code, or in nothing yet."""
    reader = MessageReader(deflate=True)
    sent = b""
    for piece in chunks(data, cuts):
        for event in reader.feed(piece):
            assert event is not None
        sent += reader.data_to_send()
    if reader.has_failed:
        assert close_code(b"\r\n\r\n" + sent) in (1002, 1007, 1009)
        assert not reader.is_idle


def test_in_the_middle_of_anything_it_is_not_at_rest() -> None:
    """Of a head, of a payload, between two fragments."""
    frame = client_frame(1, b"x" * 200)
    for cut in range(1, len(frame)):
        reader = MessageReader(deflate=False)
        list(reader.feed(frame[:cut]))
        assert not reader.is_idle, cut
    reader = MessageReader(deflate=False)
    assert reader.is_idle
    list(reader.feed(client_frame(1, b"", fin=False)))
    assert not reader.is_idle
    assert list(reader.feed(client_frame(0, b""))) == [TextMessage("")]
    assert reader.is_idle


@given(st.lists(st.text(min_size=1, max_size=50), max_size=4), st.booleans())
def test_compressed_messages_are_read(texts: list[str], between: bool) -> None:
    """Each on its own: no context is kept between them."""
    reader: MessageReader | None = None
    found: list[Any] = []
    for text in texts:
        reader = reader or MessageReader(deflate=True)
        found += reader.feed(compressed(text.encode()))
        if between and reader.is_idle:
            reader = None

    assert found == [TextMessage(text) for text in texts]


def test_a_message_that_swells_is_refused() -> None:
    """A few bytes on the wire may be megabytes in memory."""
    reader = MessageReader(deflate=True)

    assert list(reader.feed(compressed(b"x" * 10_000_000))) == []
    assert close_code(b"\r\n\r\n" + reader.data_to_send()) == 1009
