"""Frames are read back from the bytes of every encoding."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout import encoding
from gateway.fanout.encoding import Encoding, Frame
from gateway.ops.frame_texts import frame_texts

DATA = st.text('abc {}":,0é', max_size=3000)


@given(st.lists(DATA, max_size=4), st.sampled_from(Encoding))
def test_each_frame_of_a_write_is_read_back(texts: list[str], kind: Encoding) -> None:
    data = b"".join(Frame(text.encode()).encoded(kind) for text in texts)

    assert frame_texts(data, kind) == texts


def test_other_frames_are_left_out() -> None:
    data = encoding.ping(b"") + Frame(b"{}").websocket + encoding.pong(b"x")

    assert frame_texts(data, Encoding.WEBSOCKET) == ["{}"]
