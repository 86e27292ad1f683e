"""Frames: what the encoders join by hand is what the types say, and any request is answered."""

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
    BrokerStatus,
    Error,
    Goodbye,
    Heartbeat,
    Ping,
    Pong,
    Removed,
    ServerFrame,
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
from contract.topics import is_pillow_id
from tests.unit.contract.examples import Case, body, cases, read
from tests.unit.contract.strategies import any_text, as_json, messages, pillow_ids
from tests.unit.contract.test_cursors import cursors

SENT = st.integers(0, 4_102_444_800_000)
BROKER: st.SearchStrategy[BrokerStatus] = st.sampled_from(["online", "offline"])

_decoder: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)
TYPES = {
    str(kind.__struct_config__.tag)
    for kind in (Snapshot, Updates, Removed, Status, Heartbeat, Pong, Goodbye, Error)
}


def problem(text: str) -> str | None:
    """Say what is wrong with a frame by the types, and by what the types cannot say."""
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
    if isinstance(frame, Goodbye) and list(frame.reconnect_ms) != sorted(frame.reconnect_ms):
        return "range"
    if isinstance(frame, Error) and not 1000 <= frame.code <= 4999:
        return "code"
    return None


def is_known(text: str) -> bool:
    """Say whether the types have this frame's type; a newer gateway may say more."""
    try:
        frame = json.loads(text)
    except ValueError:
        return True
    kind = frame.get("type") if isinstance(frame, dict) else None
    return not isinstance(kind, str) or kind in TYPES


@pytest.mark.parametrize(
    "case", [one for one in cases("frames.json") if is_known(one.values[0]["text"])]
)
def test_an_example_is_a_frame_or_none(case: Case) -> None:
    """As the types say; the JavaScript tests hold the page to the same examples."""
    found = problem(case["text"])

    assert (found is None) == case["valid"], found


def test_every_type_of_frame_has_good_and_bad_examples() -> None:
    """Whoever adds a frame adds examples."""
    examples = read("frames.json")["cases"]
    for valid in (True, False):
        shown = {
            kind for kind in TYPES for case in examples
            if case["valid"] == valid and f'"type":"{kind}"' in case["text"]
        }  # fmt: skip

        assert shown == TYPES


@given(cursors, st.booleans(), BROKER, SENT, st.lists(messages(), max_size=3))
def test_a_snapshot_is_what_its_type_says(
    cursor: Cursor, recovered: bool, broker: BrokerStatus, sent: int, pillows: list[dict[str, Any]]
) -> None:
    """Each pillow in it byte for byte."""
    states = [as_json(pillow).encode() for pillow in pillows]
    frame = encode_snapshot(
        cursor, recovered=recovered, broker=broker, sent_ms=sent, pillows=states
    )

    assert _decoder.decode(frame) == Snapshot(str(cursor), recovered, broker, sent, pillows)
    assert all(state in frame for state in states)


@given(cursors, SENT, st.lists(messages(), max_size=3))
def test_an_update_is_what_its_type_says(
    cursor: Cursor, sent: int, pillows: list[dict[str, Any]]
) -> None:
    """Each pillow in it byte for byte."""
    states = [as_json(pillow).encode() for pillow in pillows]
    frame = encode_updates(cursor, sent_ms=sent, pillows=iter(states))

    assert _decoder.decode(frame) == Updates(str(cursor), sent, pillows)
    assert all(state in frame for state in states)


@given(cursors, st.lists(pillow_ids, max_size=3))
def test_removed_is_what_its_type_says(cursor: Cursor, pillows: list[str]) -> None:
    """By id alone."""
    assert _decoder.decode(encode_removed(cursor, pillows)) == Removed(str(cursor), pillows)


@given(
    st.builds(Status, BROKER)
    | st.builds(Heartbeat, SENT)
    | st.builds(Pong, SENT | st.floats(allow_nan=False, allow_infinity=False), SENT)
    | st.builds(Goodbye, st.tuples(SENT, SENT))
    | st.builds(Error, st.integers(1000, 4999), st.text(st.characters(exclude_categories=["Cs"])))
)
def test_a_frame_without_states_is_what_its_type_says(frame: ServerFrame) -> None:
    """Its type comes first, so that a person sees at once what it is."""
    text = encode_frame(frame)

    assert _decoder.decode(text) == frame
    assert text.startswith(b'{"type":"')


def test_the_largest_state_leaves_room_for_its_frame_below_64_kib() -> None:
    """Many proxies and clients stop there."""
    cursor = Cursor("x" * 32, 10**18 - 1)
    frame = encode_snapshot(
        cursor,
        recovered=False,
        broker="offline",
        sent_ms=9_999_999_999_999,
        pillows=[b"x" * (MAX_STATE_BYTES + 1024)],
    )

    assert len(frame) < 65_536


@pytest.mark.parametrize("case", cases("requests.json"))
def test_an_example_of_a_request_is_read_or_refused(case: Case) -> None:
    """A refusal is a short sentence that can be sent back."""
    text = str(body(case))
    for answer in (decode_request(text), decode_request(text.encode())):
        assert isinstance(answer, Subscribe | Ping) == case["valid"], answer
        if isinstance(answer, str):
            assert 0 < len(answer) < 300
            assert len(text) <= MAX_REQUEST_BYTES


@given(
    any_text
    | st.binary()
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["ping", "subscribe", "pong"])},
        optional={
            "sent": st.integers() | st.floats() | st.text() | st.none(),
            "pillows": st.just("all") | st.lists(st.text() | pillow_ids) | st.none(),
        },
    ).map(json.dumps)
)
def test_any_request_is_answered(text: str | bytes) -> None:
    """With a frame, or with a sentence that can itself be sent."""
    answer = decode_request(text)

    if isinstance(answer, str):
        assert _decoder.decode(encode_frame(Error(4400, answer))) == Error(4400, answer)
    elif isinstance(answer, Ping):
        assert json.loads(encode_frame(Pong(answer.sent, 1)))["sent"] == answer.sent
    elif answer.pillows != "all":
        assert all(map(is_pillow_id, answer.pillows))


@given(st.integers(0, 10**4000))
def test_a_ping_of_any_size_comes_back_as_it_went(sent: int) -> None:
    """However a browser counts."""
    answer = decode_request(b'{"type":"ping","sent":%d}' % sent)

    assert answer == Ping(sent)
    assert encode_frame(Pong(sent, 1)) == b'{"type":"pong","sent":%d,"received":1}' % sent


def test_a_refusal_names_what_is_wrong() -> None:
    """The id, or how many may be named."""
    assert decode_request('{"type":"subscribe","pillows":["a","#"]}') == "pillow id '#' is not one"
    many = json.dumps({"type": "subscribe", "pillows": ["a"] * (MAX_SUBSCRIBED + 1)})
    assert decode_request(many) == '1001 pillows; name at most 1000, or use "all"'
