"""The message reader: messages in pieces of any size, and readers that are replaced when idle."""

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from gateway.transport.message_reader import MessageReader, TextMessage
from tests.gateway import TEXT, client_frame, close_code


def compressed(text: bytes) -> bytes:
    """A compressed message of a client."""
    deflate = PerMessageDeflate(True, True, 15, 15)
    return Frame(Opcode.TEXT, text).serialize(mask=True, extensions=[deflate])


controls = st.tuples(st.sampled_from((Opcode.PING, Opcode.PONG)), st.binary(max_size=125))


@st.composite
def conversations(draw: st.DrawFn) -> bytes:
    """Whole and fragmented messages with control frames between them, then an end or a fault."""
    sent = b""
    for _ in range(draw(st.integers(0, 5))):
        text = draw(st.text(max_size=100)).encode()
        opcode = draw(st.sampled_from((Opcode.TEXT, Opcode.BINARY)))
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        for number, piece in enumerate(pieces):
            sent += client_frame(opcode if number == 0 else 0, piece, fin=number == len(pieces) - 1)
            for kind, payload in draw(st.lists(controls, max_size=1)):
                sent += client_frame(kind, payload)
    return sent + draw(
        st.sampled_from((b"", b"", client_frame(8, b"\x03\xe8"), b"\xff\xff", b"\x81\x7e"))
    )


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes as TCP may cut them."""
    at = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True) if a != b]


def taken(reader: MessageReader, piece: bytes, *, keeps: bool) -> list[Any]:
    """The events of a piece, which is kept if it may be."""
    return [] if keeps and reader.keep(piece) else list(reader.feed(piece))


@given(conversations(), st.lists(st.integers(0, 2000), max_size=20), st.booleans())
def test_replacing_an_idle_reader_changes_nothing(
    data: bytes, cuts: list[int], keeps: bool
) -> None:
    """The events and the answers are those of one reader that gets everything at once."""
    whole = MessageReader(deflate=False)
    expected: list[Any] = list(whole.feed(data))
    expected_answers = whole.data_to_send()

    found: list[Any] = []
    answers = b""
    reader: MessageReader | None = None
    for piece in chunks(data, cuts):
        reader = reader or MessageReader(deflate=False)
        found += taken(reader, piece, keeps=keeps)
        answers += reader.data_to_send()
        if reader.is_idle:
            reader = None

    assert found == expected
    assert answers == expected_answers
    assert (reader is None or reader.is_open) == whole.is_open
    if data and reader is None:
        assert whole.is_idle


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_end_in_a_close_code_or_in_an_open_connection(
    data: bytes, cuts: list[int]
) -> None:
    """Without an exception."""
    reader = MessageReader(deflate=True)
    sent = b""
    for piece in chunks(data, cuts):
        for event in taken(reader, piece, keeps=True):
            assert event is not None
        sent += reader.data_to_send()
    if reader.has_failed:
        assert close_code(b"\r\n\r\n" + sent) in (1002, 1007, 1009)
        assert not reader.is_idle


@given(st.integers(1, 200), st.integers(1, 200))
def test_what_ends_no_frame_is_kept(cut: int, size: int) -> None:
    """Not the end of one, nor its header, nor anything once a close has begun."""
    frame = client_frame(1, b"x" * 200)
    header = len(frame) - 200
    reader = MessageReader(deflate=False)
    assert reader.keep(frame[:cut]) == 0
    list(reader.feed(frame[:cut]))
    piece = frame[cut : cut + size]

    left = max(0, len(frame) - cut - size) if cut >= header else 0
    assert reader.keep(piece) == left
    assert not reader.is_idle

    closing = MessageReader(deflate=False)
    list(closing.feed(frame[:-100]))
    closing.close(1008)
    assert not closing.keep(b"x")


def test_a_reader_is_idle_only_between_messages() -> None:
    """Not within a header or a payload, nor between two fragments."""
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
def test_compressed_messages_are_inflated(texts: list[str], between: bool) -> None:
    """Without context takeover, so each by itself."""
    reader: MessageReader | None = None
    found: list[Any] = []
    for text in texts:
        reader = reader or MessageReader(deflate=True)
        found += reader.feed(compressed(text.encode()))
        if between and reader.is_idle:
            reader = None

    assert found == [TextMessage(text) for text in texts]


def test_a_message_that_inflates_above_the_limit_is_closed_with_1009() -> None:
    """A few bytes on the wire may be megabytes in memory."""
    reader = MessageReader(deflate=True)

    assert list(reader.feed(compressed(b"x" * 10_000_000))) == []
    assert close_code(b"\r\n\r\n" + reader.data_to_send()) == 1009


def test_empty_fragments_without_an_end_take_no_memory() -> None:
    """The library has no limit for their number."""
    reader = MessageReader(deflate=False)
    list(reader.feed(client_frame(TEXT, b"a", fin=False)))
    empty = client_frame(0, b"", fin=False) * 1000
    list(reader.feed(empty))
    tracemalloc.start()
    try:
        for _ in range(20):
            list(reader.feed(empty))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 30_000
    (event,) = reader.feed(client_frame(0, b"b"))
    assert event == TextMessage("ab")
