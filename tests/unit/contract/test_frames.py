"""Frames: what the encoders join decodes as its type, and any request gives a result."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor, parse_cursor
from contract.frames import (
    MAX_REQUEST_BYTES,
    MAX_SUBSCRIBED,
    Error,
    Goodbye,
    Heartbeat,
    Ping,
    Pong,
    Removed,
    ServerFrame,
    Shown,
    Snapshot,
    Status,
    Subscribe,
    Updates,
    decode_request,
    encode_frame,
    encode_removed,
    encode_snapshot,
    encode_updates,
)
from contract.messages import MAX_STATE_BYTES
from contract.motion import MAX_MOTION, Motion, SubscribeMotion
from contract.topics import is_pillow_id
from contract.watching import MAX_WATCHING
from tests.unit.contract.examples import Case, body, cases, read
from tests.unit.contract.strategies import any_text, as_json, messages, pillow_ids
from tests.unit.contract.test_cursors import cursors

SENT = st.integers(0, 4_102_444_800_000)
WATCHING = st.integers(0, MAX_WATCHING)
STATUSES = st.builds(
    Status, st.sampled_from(["online", "offline"]), st.sampled_from([msgspec.UNSET, False])
)

_decoder: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)
TYPES = {
    str(kind.__struct_config__.tag)
    for kind in (Snapshot, Updates, Removed, Status, Heartbeat, Pong, Goodbye, Error, Motion)
}


def problem(text: str) -> str | None:
    """Return what is wrong with a frame by its type, and by rules that types cannot express."""
    try:
        frame = _decoder.decode(text)
    except msgspec.MsgspecError as error:
        return str(error)
    if isinstance(frame, Snapshot | Updates | Removed) and parse_cursor(frame.cursor) is None:
        return "cursor"
    if isinstance(frame, Snapshot | Updates):
        for pillow in frame.pillows:
            if not is_pillow_id(pillow.get("pillow")) or not isinstance(pillow.get("state"), str):
                return "pillow"
    if isinstance(frame, Removed) and not all(map(is_pillow_id, frame.pillows)):
        return "id"
    if isinstance(frame, Motion) and not all(is_pillow_id(one.pillow) for one in frame.pillows):
        return "id"
    if isinstance(frame, Goodbye) and list(frame.reconnect_ms) != sorted(frame.reconnect_ms):
        return "range"
    if isinstance(frame, Error) and not 1000 <= frame.code <= 4999:
        return "code"
    return None


def is_known(text: str) -> bool:
    """Return whether the types have this frame's type; a newer gateway may have further ones."""
    try:
        frame = json.loads(text)
    except ValueError:
        return True
    kind = frame.get("type") if isinstance(frame, dict) else None
    return not isinstance(kind, str) or kind in TYPES


@pytest.mark.parametrize(
    "case", [one for one in cases("frames.json") if is_known(one.values[0]["text"])]
)
def test_an_example_is_valid_or_invalid_as_stated(case: Case) -> None:
    """By the types; the JavaScript tests check the page against the same examples."""
    found = problem(case["text"])

    assert (found is None) == case["valid"], found


def test_every_type_of_frame_has_valid_and_invalid_examples() -> None:
    """A new frame needs examples."""
    examples = read("frames.json")["cases"]
    for valid in (True, False):
        shown = {
            kind for kind in TYPES for case in examples
            if case["valid"] == valid and f'"type":"{kind}"' in case["text"]
        }  # fmt: skip

        assert shown == TYPES


@given(
    cursors,
    st.booleans(),
    STATUSES,
    SENT,
    st.tuples(WATCHING, st.floats(0, 1)),
    st.lists(messages(), max_size=3),
)
def test_an_encoded_snapshot_decodes_as_its_type(
    cursor: Cursor,
    recovered: bool,
    status: Status,
    sent: int,
    counts: tuple[int, float],
    pillows: list[dict[str, Any]],
) -> None:
    """Each pillow in it is unchanged, byte for byte."""
    watching, share = counts
    states = [as_json(pillow).encode() for pillow in pillows]
    frame = encode_snapshot(
        cursor,
        recovered=recovered,
        status=status,
        sent_ms=sent,
        watching=watching,
        pillows=states,
        shown_share=share,
    )

    assert _decoder.decode(frame) == Snapshot(
        str(cursor),
        recovered,
        status.broker,
        sent,
        watching,
        pillows,
        retained=status.retained,
        shown=share or msgspec.UNSET,
    )
    assert all(state in frame for state in states)


@given(cursors, SENT, st.lists(messages(), max_size=3))
def test_an_encoded_update_decodes_as_its_type(
    cursor: Cursor, sent: int, pillows: list[dict[str, Any]]
) -> None:
    """Each pillow in it is unchanged, byte for byte."""
    states = [as_json(pillow).encode() for pillow in pillows]
    frame = encode_updates(cursor, sent_ms=sent, pillows=iter(states))

    assert _decoder.decode(frame) == Updates(str(cursor), sent, pillows)
    assert all(state in frame for state in states)


@given(cursors, st.lists(pillow_ids, max_size=3))
def test_an_encoded_removal_decodes_as_its_type(cursor: Cursor, pillows: list[str]) -> None:
    """It has only ids."""
    assert _decoder.decode(encode_removed(cursor, pillows)) == Removed(str(cursor), pillows)


@given(
    STATUSES
    | st.builds(Heartbeat, SENT, WATCHING)
    | st.builds(Pong, SENT | st.floats(allow_nan=False, allow_infinity=False), SENT)
    | st.builds(Goodbye, st.tuples(SENT, SENT))
    | st.builds(Error, st.integers(1000, 4999), st.text(st.characters(exclude_categories=["Cs"])))
)
def test_an_encoded_frame_without_states_decodes_as_its_type(frame: ServerFrame) -> None:
    """Its type is the first field, because people read frames too."""
    text = encode_frame(frame)

    assert _decoder.decode(text) == frame
    assert text.startswith(b'{"type":"')


def test_a_frame_with_the_largest_state_is_below_64_kib() -> None:
    """Many proxies and clients have this limit."""
    cursor = Cursor("x" * 32, 10**18 - 1)
    frame = encode_snapshot(
        cursor,
        recovered=False,
        status=Status("online", retained=False),
        sent_ms=9_999_999_999_999,
        watching=MAX_WATCHING,
        pillows=[b"x" * (MAX_STATE_BYTES + 1024)],
    )

    assert len(frame) < 65_536


@pytest.mark.parametrize("case", cases("requests.json"))
def test_an_example_of_a_request_is_accepted_or_refused_as_stated(case: Case) -> None:
    """A refusal is a short sentence that can be sent to the browser."""
    text = str(body(case))
    for answer in (decode_request(text), decode_request(text.encode())):
        assert isinstance(answer, Subscribe | Ping | Shown | SubscribeMotion) == case["valid"], (
            answer
        )
        if isinstance(answer, str):
            assert 0 < len(answer) < 300
            assert len(text) <= MAX_REQUEST_BYTES


@given(
    any_text
    | st.binary()
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["ping", "subscribe", "token", "pong", "shown", "motion"])},
        optional={
            "sent": st.integers() | st.floats() | st.text() | st.none(),
            "pillow": pillow_ids | st.text(),
            "shown": st.integers() | st.floats(),
            "pillows": st.just("all") | st.lists(st.text() | pillow_ids) | st.none(),
        },
    ).map(json.dumps)
)
def test_any_bytes_give_a_request_or_a_sentence(text: str | bytes) -> None:
    """Never an exception; the sentence can be encoded in a frame."""
    answer = decode_request(text)

    if isinstance(answer, str):
        assert _decoder.decode(encode_frame(Error(4400, answer))) == Error(4400, answer)
    elif isinstance(answer, Ping):
        assert json.loads(encode_frame(Pong(answer.sent, 1)))["sent"] == answer.sent
    elif isinstance(answer, Subscribe | SubscribeMotion) and answer.pillows != "all":
        assert all(map(is_pillow_id, answer.pillows))
    elif isinstance(answer, Shown):
        assert is_pillow_id(answer.pillow)
        assert answer.shown >= 0


@given(st.integers(0, 10**4000))
def test_the_sent_of_a_ping_is_returned_unchanged_whatever_its_size(sent: int) -> None:
    """Integers of any size."""
    answer = decode_request(b'{"type":"ping","sent":%d}' % sent)

    assert answer == Ping(sent)
    assert encode_frame(Pong(sent, 1)) == b'{"type":"pong","sent":%d,"received":1}' % sent


def test_a_refusal_names_the_id_or_the_limit() -> None:
    """With the limit as a number."""
    assert decode_request('{"type":"subscribe","pillows":["a","#"]}') == "pillow id '#' is not one"
    many = json.dumps({"type": "subscribe", "pillows": ["a"] * (MAX_SUBSCRIBED + 1)})
    assert decode_request(many) == '1001 pillows; name at most 1000, or use "all"'
    many = json.dumps({"type": "motion", "pillows": ["a"] * (MAX_MOTION + 1)})
    assert decode_request(many) == "the motion of 257 pillows; name at most 256"


@pytest.mark.parametrize(
    "value", ["x" * 60_000, "eyJhbGciOiJIUzI1NiJ9.e30.sesame", "it's\n' - at `$`"]
)
def test_a_refusal_does_not_repeat_an_unknown_type(value: str) -> None:
    """It may be long, or a token in the wrong field; the sentence names the field."""
    reason = decode_request(json.dumps({"type": value}))

    assert reason == "not a frame this gateway reads: Invalid value - at `$.type`"
