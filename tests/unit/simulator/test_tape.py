"""Tapes: what was recorded comes back as it was, or renamed, multiplied and said anew."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, decode_message
from simulator.recording.tape import (
    Line,
    Playing,
    TapeWrong,
    pillow_of,
    play,
    read_tape,
    write_head,
    write_line,
)
from simulator.stream.faults import Item

START_US = 1_763_791_200_000_000

GOOD = b'{"pillow":"cloud-1","state":"hugging","at":"2025-01-01T00:00:00.000Z","n":1.50,"hops":{"queued":1}}'  # noqa: E501


def played(lines: list[Line], **how: object) -> list[Item]:
    """What comes of a tape."""
    return list(
        play(lines, Playing(**how), lambda due_s: START_US + round(due_s * 1e6))  # type: ignore[arg-type]
    )


@given(bodies=st.lists(st.binary(max_size=100)))
def test_any_body_comes_back(bodies: list[bytes]) -> None:
    """Text or not, byte for byte."""
    tape = [write_head("queue", START_US)]
    tape += [write_line(at, "a", one) for at, one in enumerate(bodies)]
    lines = list(read_tape(tape, name="a.jsonl"))

    assert [line.t for line in lines] == list(range(len(bodies)))
    for item, one in zip(played(lines), bodies, strict=True):
        try:
            msgspec.json.decode(one, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError):
            assert item.body == one


def test_a_state_is_said_anew_under_another_name() -> None:
    """Now, without the hops of its first journey, and with all else as it came."""
    (item,) = played([Line(2.5, "cloud-1", GOOD.decode())], names=(("cloud-1", "x"),), prefix="re-")
    read = decode_message(item.body, default_pillow="?", queued_us=START_US + 10**7)

    assert isinstance(read, ParsedMessage)
    assert (item.pillow, read.pillow, read.order[0]) == ("re-x", "re-x", START_US + 2_500_000)
    assert b'"n":1.50' in item.body
    assert b"hops" not in item.body


def test_times_may_be_left_as_they_were() -> None:
    """For who wants to see what a system does with old news."""
    (item,) = played([Line(2.5, "cloud-1", GOOD.decode())], restamp=False)

    assert b"2025-01-01T00:00:00.000Z" in item.body


@given(
    times=st.lists(st.floats(0, 50), max_size=10).map(sorted),
    copies=st.integers(1, 5),
    stagger_s=st.sampled_from([0, 0.5, 20]),
)
def test_multiplied_it_is_all_there_and_in_order(
    times: list[float], copies: int, stagger_s: float
) -> None:
    """Each copy under a name of its own, later by its turn."""
    lines = [Line(round(t, 3), "a", f'{{"pillow":"a","n":{n}}}') for n, t in enumerate(times)]
    found = played(lines, times=copies, stagger_s=stagger_s)

    assert len(found) == len(lines) * copies
    assert [item.due_s for item in found] == sorted(item.due_s for item in found)
    assert {item.pillow for item in found} == (
        {"a", *(f"a-{n}" for n in range(2, copies + 1))} if lines else set()
    )
    for copy in range(copies):
        name = "a" if copy == 0 else f"a-{copy + 1}"
        mine = [item for item in found if item.pillow == name]
        assert [item.due_s for item in mine] == [
            round(one.t + copy * stagger_s, 3) for one in lines
        ]


def test_what_was_there_before_is_not_played_and_availability_is_a_network() -> None:
    """Retained messages are no news."""
    found = played(
        [
            Line(0, "a", "{}", retained=True),
            Line(1, "a", availability="online"),
            Line(2, "a", availability="offline"),
        ]
    )

    assert [item.link for item in found] == ["up", "down"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "a.jsonl:1: no recording"),
        ([b'{"t":1}'], "a.jsonl:1: no recording"),
        ([b'{"pillowcast-recording":9,"from":"mqtt"}'], "of version 9"),
        ([write_head("mqtt", 0), b"\n", b'{"t":"soon"}'], "a.jsonl:3: "),
    ],
)
def test_what_is_no_recording_is_said_with_its_line(lines: list[bytes], says: str) -> None:
    """And why."""
    with pytest.raises(TapeWrong, match=says):
        list(read_tape(lines, name="a.jsonl"))


def test_a_name_that_is_none_is_refused() -> None:
    """Before a broker refuses it."""
    with pytest.raises(TapeWrong, match="'Re:a' is no pillow's id"):
        played([Line(0, "a", "{}")], prefix="Re:")


@pytest.mark.parametrize(
    ("text", "pillow"), [(GOOD, "cloud-1"), (b"HUGGING", ""), (b"{", ""), (b"\xff", "")]
)
def test_whose_a_message_is(text: bytes, pillow: str) -> None:
    """Where it says so."""
    assert pillow_of(text) == pillow
