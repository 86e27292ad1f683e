"""The format of a recording: every body is read as it was written, and errors name their line."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.recording.recording_file import (
    InvalidRecording,
    Line,
    encode_header,
    encode_line,
    pillow_of,
    read_recording,
)

START_US = 1_763_791_200_000_000


def content(line: Line) -> bytes:
    """Return the body of a line."""
    return line.body.encode() if line.body is not None else b64decode(line.base64 or "")


@given(bodies=st.lists(st.binary(max_size=100)))
def test_every_body_is_read_as_it_was_written(bodies: list[bytes]) -> None:
    """UTF-8 as text, anything else as Base64."""
    recording = [encode_header("queue", START_US)]
    recording += [encode_line(at, "a", body) for at, body in enumerate(bodies)]
    lines = list(read_recording(recording, name="a.jsonl"))

    assert [line.t for line in lines] == list(range(len(bodies)))
    for line, body in zip(lines, bodies, strict=True):
        assert content(line) == body


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "a.jsonl:1: not a recording"),
        ([b'{"t":1}'], "a.jsonl:1: not a recording"),
        ([b'{"pillowcast-recording":9,"from":"mqtt"}'], "of version 9"),
        ([encode_header("mqtt", 0), b"\n", b'{"t":"soon"}'], "a.jsonl:3: "),
    ],
)
def test_an_invalid_recording_is_refused_with_file_and_line(
    lines: list[bytes], message: str
) -> None:
    """Another version too."""
    with pytest.raises(InvalidRecording, match=message):
        list(read_recording(lines, name="a.jsonl"))


@pytest.mark.parametrize(
    ("text", "pillow"),
    [
        (b'{"pillow":"cloud-1","state":"hugging"}', "cloud-1"),
        (b"HUGGING", ""),
        (b"{", ""),
        (b"\xff", ""),
    ],
)
def test_the_pillow_of_a_message_is_its_id_or_unknown(text: bytes, pillow: str) -> None:
    """A word and an invalid message contain no id."""
    assert pillow_of(text) == pillow
