"""The frames that the code encodes are those that the AsyncAPI document describes."""

import json
from typing import Any, get_args

import msgspec
import pytest

from contract.cursors import Cursor
from contract.documents.gateway_channels import EVENTS, EXAMPLES, channels
from contract.frames import (
    BrowserFrame,
    Error,
    Goodbye,
    Heartbeat,
    Ping,
    Pong,
    Removed,
    ServerFrame,
    Shown,
    Status,
    Subscribe,
    Token,
    decode_request,
    encode_frame,
    encode_snapshot,
    encode_updates,
)
from contract.motion import SubscribeMotion, encode_motion, split_motion
from tests.published import ASYNCAPI, schema_accepts, schema_errors
from tests.unit.contract.examples import Case, cases

STATE = (
    b'{"pillow":"cloud-1","state":"hugging","at":"2025-11-22T06:00:00.123Z","seq":7,"battery":0.5}'
)
FULL_FRAMES = {
    "Snapshot": encode_snapshot(
        Cursor("k3f9", 1),
        recovered=False,
        status=Status("online", retained=False),
        sent_ms=1,
        watching=3,
        pillows=[STATE],
        queue_offset_ms=-5,
        has_more=True,
        is_continued=True,
        shown_share=0.5,
        has_motion=False,
    ),
    "Updates": encode_updates(Cursor("k3f9", 1), sent_ms=1, pillows=[STATE]),
    "Removed": encode_frame(Removed("k3f9:1", ["cloud-1"])),
    "Status": encode_frame(Status("online", retained=False)),
    "Heartbeat": encode_frame(Heartbeat(1, 3, 5)),
    "Pong": encode_frame(Pong(1.5, 2, 5)),
    "Goodbye": encode_frame(Goodbye((200, 5000))),
    "Error": encode_frame(Error(4400, "no")),
    "Subscribe": msgspec.json.encode(Subscribe(["cloud-1"])),
    "Ping": msgspec.json.encode(Ping(1)),
    "Shown": msgspec.json.encode(Shown("cloud-1", 2, 1, "00-…")),
    "Motion": encode_motion([split_motion(STATE[:-1] + b',"motion":[[0,1,0]]}').samples or b""]),
    "SubscribeMotion": msgspec.json.encode(SubscribeMotion(["cloud-1"])),
    "Token": msgspec.json.encode(Token("a.b.c")),
}
"""A frame of each type with every field that it can have."""

SCHEMAS: dict[str, Any] = ASYNCAPI["components"]["schemas"]
FRAMES = [frame.__name__ for frame in (*get_args(ServerFrame), *get_args(BrowserFrame))]
OF_TYPE = {frame.__struct_config__.tag: frame.__name__ for frame in get_args(ServerFrame)}


def test_every_frame_of_the_code_is_in_the_document_and_in_this_file() -> None:
    """A new frame needs an entry here; the document has it by itself."""
    assert set(FRAMES) == set(channels()["stream"]["messages"])
    assert set(FRAMES) == set(FULL_FRAMES)
    assert set(FRAMES) == {type(one).__name__ for one in EXAMPLES}
    assert set(EVENTS) < set(FRAMES)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_matches_its_schema_and_has_no_other_field(name: str) -> None:
    """With all of its fields."""
    frame = msgspec.json.decode(FULL_FRAMES[name])

    assert schema_errors(ASYNCAPI, name, frame) == []
    assert set(frame) == set(SCHEMAS[name]["properties"])


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_with_a_changed_field_is_refused(name: str) -> None:
    """A value of another type, and a required field that is missing or has another name."""
    frame = msgspec.json.decode(FULL_FRAMES[name])

    for field in frame:
        assert not schema_accepts(ASYNCAPI, name, {**frame, field: None}), field
        assert not schema_accepts(ASYNCAPI, name, {**frame, field: {"x": 1}}), field
        without = {key: value for key, value in frame.items() if key != field}
        is_required = field in SCHEMAS[name]["required"]
        assert schema_accepts(ASYNCAPI, name, without) != is_required, field
        assert schema_accepts(ASYNCAPI, name, {**without, "renamed": 1}) != is_required, field


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_a_field_of_a_newer_contract(name: str) -> None:
    """A client that validates must not refuse what it does not know."""
    frame = msgspec.json.decode(FULL_FRAMES[name])

    assert schema_accepts(ASYNCAPI, name, {**frame, "new": 1})


@pytest.mark.parametrize("case", cases("frames.json"))
def test_the_valid_examples_of_frames_match(case: Case) -> None:
    """A type that nobody knows has no schema."""
    if not case["valid"]:
        return
    frame = json.loads(case["text"])
    if frame["type"] in OF_TYPE:
        assert schema_errors(ASYNCAPI, OF_TYPE[frame["type"]], frame) == []


@pytest.mark.parametrize("case", cases("requests.json", having="text"))
def test_the_document_accepts_the_requests_that_the_gateway_reads(case: Case) -> None:
    """And refuses what the gateway refuses."""
    try:
        frame = msgspec.json.decode(case["text"])
    except msgspec.MsgspecError:
        return  # no JSON, or a lone surrogate in it
    accepted = [
        one.__name__
        for one in get_args(BrowserFrame)
        if schema_accepts(ASYNCAPI, one.__name__, frame)
    ]

    assert bool(accepted) == (not isinstance(decode_request(case["text"]), str))
