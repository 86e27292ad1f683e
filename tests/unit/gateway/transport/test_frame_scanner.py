"""The frame scanner beside the `websockets` library's frames."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from gateway.transport.frame_scanner import FrameScanner, empty_pongs
from gateway.transport.message_reader import PIECE_FRAMES, piece_bytes


def compressed(frame: bytes) -> bytes:
    """Return a frame with the bit that permessage-deflate sets."""
    return bytes([frame[0] | 0x40]) + frame[1:]


frames = st.builds(
    lambda opcode, size, mask, rsv1: (compressed if rsv1 else bytes)(
        Frame(opcode, bytes(size)).serialize(mask=mask)
    ),
    st.sampled_from((Opcode.TEXT, Opcode.CONT)),
    st.sampled_from((0, 1, 125, 126, 127, 65_535, 65_536)),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(frames, min_size=1, max_size=4), st.lists(st.integers(0, 1 << 18), max_size=6))
def test_a_boundary_is_where_the_library_begins_and_ends_a_frame(
    sent: list[bytes], cuts: list[int]
) -> None:
    """With every form of a length, masked or not, however the bytes are cut."""
    boundaries = {sum(map(len, sent[:count])) for count in range(len(sent) + 1)}
    data = b"".join(sent)
    # Just before and behind each boundary, where a scanner would be off by one.
    near = {place + offset for place in boundaries for offset in (-1, 1, 2)}
    at = sorted({cut % len(data) for cut in cuts} | {place for place in near if place > 0})
    scanner = FrameScanner()
    for start, end in zip([0, *at], [*at, len(data)], strict=True):
        scanner.feed(data[start:end])
        assert scanner.is_at_boundary == (min(end, len(data)) in boundaries)


def test_a_frame_that_arrives_byte_by_byte_has_one_boundary() -> None:
    """Its last byte."""
    data = Frame(Opcode.TEXT, bytes(126)).serialize(mask=True)
    scanner = FrameScanner()
    for index in range(len(data)):
        scanner.feed(data[index : index + 1])
        assert scanner.is_at_boundary == (index == len(data) - 1)


@given(st.lists(frames, min_size=1, max_size=6), st.integers(0, 1 << 18), st.integers(1, 7))
def test_a_reach_ends_with_a_frame_or_the_data(sent: list[bytes], cut: int, count: int) -> None:
    """Wherever the stream was cut before; the frame that was cut counts too.

    A compressed frame is the last one, unless the stream was cut in its payload.
    """
    data = b"".join(sent)
    start = cut % len(data)
    scanner = FrameScanner()
    scanner.feed(data[:start])

    reach = scanner.reach(data[start:], count)

    end, left = 0, count
    for frame in sent:
        begin, end = end, end + len(frame)
        if end <= start:
            continue
        is_compressed = frame[0] & 0x40 and start < begin + header_bytes(frame)
        left = 0 if is_compressed else left - 1
        if left == 0:
            break
    assert start + reach == end
    assert scanner.reach(data[start : start + reach - 1], count) == reach - 1


def header_bytes(frame: bytes) -> int:
    """Return the size of a frame's header."""
    extended = {126: 2, 127: 8}.get(frame[1] & 0x7F, 0)
    return 2 + extended + (4 if frame[1] & 0x80 else 0)


def test_messages_that_inflate_are_parsed_one_at_a_time() -> None:
    """A hundred bytes may be 64 KiB: 32 of them took 27 ms."""
    deflated = compressed(Frame(Opcode.TEXT, b"x" * 100).serialize(mask=True))

    assert piece_bytes(None, deflated * 40) == len(deflated)
    plain = Frame(Opcode.TEXT, b"x").serialize(mask=True)
    assert piece_bytes(None, plain * 40) == PIECE_FRAMES * len(plain)
    assert piece_bytes(None, plain * 5) == 5 * len(plain)


@given(
    st.lists(
        st.builds(
            lambda opcode, size, mask: Frame(opcode, bytes(size)).serialize(mask=mask),
            st.sampled_from((Opcode.PONG, Opcode.PONG, Opcode.PING, Opcode.TEXT)),
            st.sampled_from((0, 0, 0, 1, 6)),
            st.sampled_from((True, True, False)),
        ),
        max_size=5,
    ),
    st.integers(0, 5),
)
def test_empty_pongs_are_counted_if_there_is_nothing_else(sent: list[bytes], cut: int) -> None:
    """Masked, as a client's frames are, and all of them whole."""
    data = b"".join(sent)
    data = data[: len(data) - cut]
    left, expected = data, 0
    while left[:2] == b"\x8a\x80" and len(left) >= 6:
        left, expected = left[6:], expected + 1

    assert empty_pongs(data) == (0 if left else expected)
