"""Playback: a recording is played as it was, or renamed, multiplied and with new times."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, decode_message
from simulator.recording.playback import PlaybackOptions, play
from simulator.recording.recording_file import (
    InvalidRecording,
    Line,
    encode_header,
    encode_line,
    read_recording,
)
from simulator.stream.items import StreamItem

START_US = 1_763_791_200_000_000

STATE = b'{"pillow":"cloud-1","state":"hugging","at":"2025-01-01T00:00:00.000Z","n":1.50,"hops":{"queued":1}}'  # noqa: E501


def played(lines: list[Line], **options: object) -> list[StreamItem]:
    """Return the items of a recording's lines."""
    return list(
        play(
            lines,
            PlaybackOptions(**options),  # type: ignore[arg-type]
            lambda due_s: START_US + round(due_s * 1e6),
        )
    )


@given(bodies=st.lists(st.binary(max_size=100)))
def test_a_body_that_is_not_a_json_object_is_played_unchanged(bodies: list[bytes]) -> None:
    """Byte for byte, also where it is not text."""
    recording = [encode_header("queue", START_US)]
    recording += [encode_line(at, "a", body) for at, body in enumerate(bodies)]
    items = played(list(read_recording(recording, name="a.jsonl")))

    for item, body in zip(items, bodies, strict=True):
        try:
            msgspec.json.decode(body, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError):
            assert item.body == body


def test_a_state_is_played_with_a_new_name_and_time_and_without_hops() -> None:
    """All other fields are unchanged."""
    (item,) = played(
        [Line(2.5, "cloud-1", STATE.decode())], renames=(("cloud-1", "x"),), prefix="re-"
    )
    message = decode_message(item.body, default_pillow="?", queued_us=START_US + 10**7)

    assert isinstance(message, ParsedMessage)
    assert (item.pillow, message.pillow) == ("re-x", "re-x")
    assert message.order[0] == START_US + 2_500_000
    assert b'"n":1.50' in item.body
    assert b"hops" not in item.body


def test_without_restamp_a_state_keeps_its_recorded_time() -> None:
    """As `--keep-at` asks."""
    (item,) = played([Line(2.5, "cloud-1", STATE.decode())], restamp=False)

    assert b"2025-01-01T00:00:00.000Z" in item.body


@given(
    times=st.lists(st.floats(0, 50), max_size=10).map(sorted),
    copies=st.integers(1, 5),
    stagger_s=st.sampled_from([0, 0.5, 20]),
)
def test_every_copy_has_every_line_in_order_and_staggered(
    times: list[float], copies: int, stagger_s: float
) -> None:
    """Copies are named by their number, from 2."""
    lines = [Line(round(t, 3), "a", f'{{"pillow":"a","n":{n}}}') for n, t in enumerate(times)]
    items = played(lines, times=copies, stagger_s=stagger_s)

    assert len(items) == len(lines) * copies
    assert [item.due_s for item in items] == sorted(item.due_s for item in items)
    assert {item.pillow for item in items} == (
        {"a", *(f"a-{n}" for n in range(2, copies + 1))} if lines else set()
    )
    for copy in range(copies):
        name = "a" if copy == 0 else f"a-{copy + 1}"
        assert [item.due_s for item in items if item.pillow == name] == [
            round(line.t + copy * stagger_s, 3) for line in lines
        ]


def test_retained_messages_are_not_played_and_availability_is_a_network_change() -> None:
    """A retained message was published before the recording began."""
    items = played(
        [
            Line(0, "a", "{}", retained=True),
            Line(1, "a", availability="online"),
            Line(2, "a", availability="offline"),
        ]
    )

    assert [item.network for item in items] == ["up", "down"]


def test_an_invalid_pillow_id_is_refused() -> None:
    """Before a broker refuses it."""
    with pytest.raises(InvalidRecording, match="'Re:a' is not a pillow id"):
        played([Line(0, "a", "{}")], prefix="Re:")
