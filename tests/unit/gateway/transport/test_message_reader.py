"""What browsers say, in pieces of any size: a machine that comes and goes reads like one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from gateway.transport.message_reader import Inbound, Said
from tests.gateway import client_frame


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
    whole = Inbound(deflate=False)
    expected: list[Any] = list(whole.feed(data))
    answered = whole.take()

    found: list[Any] = []
    answers = b""
    inbound: Inbound | None = None
    for piece in chunks(data, cuts):
        inbound = inbound or Inbound(deflate=False)
        found += inbound.feed(piece)
        answers += inbound.take()
        if inbound.is_at_rest:
            inbound = None

    assert found == expected
    assert answers == answered
    assert (inbound is None or inbound.is_open) == whole.is_open
    if data and inbound is None:
        assert whole.is_at_rest


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_at_all_are_read(data: bytes, cuts: list[int]) -> None:
    """And end in a close code, or in nothing yet."""
    inbound = Inbound(deflate=True)
    for piece in chunks(data, cuts):
        for said in inbound.feed(piece):
            assert said is not None
    if inbound.is_broken:
        assert inbound.close_code in (1002, 1007, 1009)
        assert not inbound.is_at_rest


def test_in_the_middle_of_anything_it_is_not_at_rest() -> None:
    """Of a head, of a payload, between two fragments."""
    frame = client_frame(1, b"x" * 200)
    for cut in range(1, len(frame)):
        inbound = Inbound(deflate=False)
        list(inbound.feed(frame[:cut]))
        assert not inbound.is_at_rest, cut
    inbound = Inbound(deflate=False)
    assert inbound.is_at_rest
    list(inbound.feed(client_frame(1, b"", fin=False)))
    assert not inbound.is_at_rest
    assert list(inbound.feed(client_frame(0, b""))) == [Said("")]
    assert inbound.is_at_rest


@given(st.lists(st.text(min_size=1, max_size=50), max_size=4), st.booleans())
def test_compressed_messages_are_read(texts: list[str], between: bool) -> None:
    """Each on its own: no context is kept between them."""
    inbound: Inbound | None = None
    found: list[Any] = []
    for text in texts:
        inbound = inbound or Inbound(deflate=True)
        found += inbound.feed(compressed(text.encode()))
        if between and inbound.is_at_rest:
            inbound = None

    assert found == [Said(text) for text in texts]


def test_a_message_that_swells_is_refused() -> None:
    """A few bytes on the wire may be megabytes in memory."""
    inbound = Inbound(deflate=True)

    assert list(inbound.feed(compressed(b"x" * 10_000_000))) == []
    assert inbound.close_code == 1009
