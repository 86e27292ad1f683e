"""The conformance kit: its patterns, what it knows of the documents, and its sessions as files."""

import json
import re
from typing import Any

import msgspec
import pytest
from conformance.__main__ import main
from conformance.client.runner import read_sessions as read_client_sessions
from conformance.client.server import compact
from conformance.client.steps import Accept, Refuse, Say
from conformance.gateway.runner import read_sessions
from conformance.gateway.steps import Publish, Session
from conformance.gateway.tokens import signed
from conformance.patterns import Names, Received, mismatches
from conformance.published import MqttMessage, Published
from conformance.result import Result, shown

from contract.cursors import parse_cursor
from contract.frames import (
    ServerFrame,
    Status,
    encode_frame,
    encode_snapshot,
    encode_updates,
)

NOW_MS = 1_795_000_000_000
PUBLISHED = Published(strict=True)
STATE = b'{"pillow":"cloud-1","state":"hugging","at":"2025-11-22T06:00:00.123Z","seq":7}'


def compare(expected: Any, value: Any, names: Names | None = None) -> list[str]:
    """Compare a value with a pattern."""
    data = json.dumps(value).encode()
    return mismatches(expected, Received(value, data, NOW_MS), names or Names())


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("<any>", [None, 1, {}], []),
        ("<text>", ["x"], ["", 1, None]),
        ("<number>", [0, -1.5], ["1", True, None]),
        ("<ms>", [NOW_MS, NOW_MS - 5000], [NOW_MS - 90_000_000, 1.5, "1", True]),
        ("<count>", [1, 9], [0, 1.5, True]),
        ("<timestamp>", ["2025-11-22T06:00:00Z"], ["2025-11-22", 5]),
        ("<cursor>", ["k3f9:118"], ["k3f9", 118]),
        ("word", ["word"], ["Word", 1]),
        (1, [1, 1.0], [True, "1"]),
        (True, [True], [1]),
        ([1, "<any>"], [[1, 2]], [[1], [1, 2, 3], {}]),
        ({"a": 1, "b?": 2}, [{"a": 1}, {"a": 1, "b": 2, "c": 3}], [{}, {"a": 1, "b": 3}, []]),
        ({"!a": 0}, [{}, {"b": 1}], [{"a": 1}]),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: Any, fits: list[Any], others: list[Any]) -> None:
    """And nothing else, also below a field."""
    for value in fits:
        assert compare(pattern, value) == []
        assert compare({"x": [pattern]}, {"x": [value]}) == []
    for value in others:
        assert compare(pattern, value) != []
        assert compare({"x": [pattern]}, {"x": [value]})[0].startswith("/x/0")


def test_a_name_is_what_was_matched() -> None:
    """And only if everything else matched too."""
    names = Names({"a": "k1-a"})

    assert compare(
        {"cursor": "<cursor:seen>", "type": "other"}, {"cursor": "x:1", "type": ""}, names
    )
    assert "seen" not in names.texts
    assert compare({"cursor": "<cursor:seen>"}, {"cursor": "x:1"}, names) == []
    assert names.fill({"{a}": ["{seen}", "{unknown}", 1]}) == {"k1-a": ["x:1", "{unknown}", 1]}


def test_a_state_is_compared_byte_for_byte() -> None:
    """Another spelling of the same JSON is none."""
    names = Names(states={"s": b'{"pillow": "a", "battery": 0.50}'})
    value = {"pillow": "a", "battery": 0.5}
    exact = Received([value], b"[" + names.states["s"] + b"]", NOW_MS)

    assert mismatches(["<state s>"], exact, names) == []
    assert "byte for byte" in compare(["<state s>"], [value], names)[0]
    assert compare(["<state s>"], [{**value, "battery": 0.6}], names) != []


def test_a_wildcard_that_nobody_knows_is_an_error() -> None:
    """Otherwise a typing error would pass for a text."""
    with pytest.raises(ValueError, match="<sms>"):
        compare("<sms>", 1)


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        ({"type": "status", "broker": "online"}, None),
        ({"type": "status", "broker": "on"}, "broker"),
        ({"type": "status"}, "broker"),
        ({"type": "shout"}, "shout"),
        ({"type": "status", "broker": "online", "renamed": 1}, "renamed"),
        ([], "object"),
    ],
)
def test_a_frame_is_checked_with_the_document(frame: Any, fault: str | None) -> None:
    """A renamed or new field too, where that is asked for."""
    errors = PUBLISHED.frame_errors(frame)

    assert not errors if fault is None else fault in str(errors)
    assert "shout" in str(PUBLISHED.request_errors({"type": "shout"}))
    assert PUBLISHED.request_errors({"type": "ping", "sent": 1}) == []
    assert PUBLISHED.request_errors(5) != []


def test_a_pong_is_no_event() -> None:
    """A stream that receives nothing answers nothing."""
    pong = {"type": "pong", "sent": 1, "received": 2}

    assert PUBLISHED.frame_errors(pong) == []
    assert PUBLISHED.frame_errors(pong, channel="events") != []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (MqttMessage("x/cloud-1/state", STATE, 1, True), None),
        (MqttMessage("x/cloud-1/state", b"", 1, True), None),
        (MqttMessage("x/cloud-1/state", STATE, 0, True), "QoS"),
        (MqttMessage("x/cloud-1/state", STATE, 1, False), "retain"),
        (MqttMessage("x/cloud-1/state", STATE.replace(b"seq", b"no"), 1, True), None),
        (MqttMessage("x/cloud-1/state", STATE.replace(b'"at"', b'"on"'), 1, True), "at"),
        (MqttMessage("x/cloud-1/state", STATE.replace(b":7", b':"7"'), 1, True), "seq"),
        (MqttMessage("x/cloud-1/state", b"hugging", 1, True), "json"),
        (MqttMessage("x/cloud-1/mood", STATE, 1, True), "no channel"),
        (MqttMessage("y/cloud-1/state", STATE, 1, True), "no channel"),
        (MqttMessage("x/bridge/gateway/one/status", b"online", 1, True), None),
        (MqttMessage("x/bridge/gateway/one/status", b"up", 1, True), "up"),
        (MqttMessage("x/bridge/gateway/one/watching", b"-1", 1, True), "-1"),
    ],
)
def test_an_mqtt_message_is_checked_with_the_document(
    message: MqttMessage, fault: str | None
) -> None:
    """Topic, QoS, retention and payload."""
    errors = PUBLISHED.mqtt_errors(message, "x")

    assert not errors if fault is None else fault in str(errors)


@pytest.mark.parametrize(
    ("path", "status", "media_type", "body", "fault"),
    [
        ("/api/pillows/cloud-1", 200, "application/json", STATE, None),
        ("/api/pillows/cloud-1", 200, "text/html", b"", "text/html"),
        ("/api/pillows/cloud-1?x=1", 200, "application/json", b"{}", "pillow"),
        ("/api/pillows/x/history", 404, "application/problem+json", b'{"status":404}', "title"),
        ("/nothing", 200, "application/json", b"{}", "no path"),
        ("/metrics", 500, "text/plain", b"", "not documented"),
    ],
)
def test_a_response_is_checked_with_the_document(
    path: str, status: int, media_type: str, body: bytes, fault: str | None
) -> None:
    """Status, content type and body."""
    headers = {"content-type": f"{media_type}; charset=utf-8"}

    errors = PUBLISHED.response_errors("GET", path, status, headers, body)

    assert not errors if fault is None else fault in str(errors)


def test_every_session_is_complete() -> None:
    """What it refers to is there, and a reader is told what it is about."""
    sessions = read_sessions()

    assert len(sessions) > 25
    for name, session in sessions.items():
        assert session.about.endswith("."), name
        text = msgspec.json.encode(session).decode()
        states = {step.name for step in session.steps if isinstance(step, Publish)}
        many = set(re.findall(r'"do":"publish many".*?"name":"(\w+)"', text))
        assert set(re.findall(r"<state (\w+)>", text)) <= states | many, name
        known = {*session.pillows, "now", *re.findall(r"<cursor:(\w+)>", text)}
        assert set(re.findall(r"\{(\w+)\}", text)) <= known, name


def golden_frames() -> list[Any]:
    """Every frame that the golden server sends as an object, with the name of its session."""
    return [
        pytest.param(step.frame, id=f"{name}-{number}")
        for name, session in read_client_sessions().items()
        for number, step in enumerate(session.steps, 1)
        if isinstance(step, Say) and step.frame is not None and "new" not in step.frame
        if step.frame["type"] != "weather"
    ]


@pytest.mark.parametrize("frame", golden_frames())
def test_a_golden_frame_is_what_the_gateway_encodes(frame: dict[str, Any]) -> None:
    """Byte for byte, so that other clients can be tested with the same bytes."""
    assert PUBLISHED.frame_errors(frame) == []
    assert encoded(frame) == compact(frame)


def encoded(frame: dict[str, Any]) -> bytes:
    """Encode a frame with the gateway's own encoders."""
    pillows = [compact(one) for one in frame.get("pillows", ()) if isinstance(one, dict)]
    cursor = parse_cursor(frame.get("cursor", ""))
    if frame["type"] == "snapshot":
        assert cursor
        return encode_snapshot(
            cursor,
            recovered=frame["recovered"],
            status=Status(frame["broker"]),
            sent_ms=frame["sent"],
            watching=frame["watching"],
            pillows=pillows,
            has_more=frame.get("more", False),
            is_continued=frame.get("continued", False),
        )
    if frame["type"] == "update":
        assert cursor
        return encode_updates(cursor, sent_ms=frame["sent"], pillows=pillows)
    return encode_frame(msgspec.convert(frame, ServerFrame))


def test_every_client_session_is_complete() -> None:
    """A reader is told what it is about, and it begins with a connection."""
    sessions = read_client_sessions()

    assert len(sessions) > 20
    for name, session in sessions.items():
        assert session.about.endswith("."), name
        assert isinstance(session.steps[0], Accept | Refuse), name


def test_a_misspelt_step_is_refused() -> None:
    """With its name."""
    with pytest.raises(msgspec.ValidationError, match="clint"):
        msgspec.json.decode(
            b'{"about":"x.","steps":[{"do":"disconnect","clint":"a"}]}', type=Session
        )


def test_a_token_is_one_that_a_gateway_reads() -> None:
    """By the library that it uses."""
    jwt = pytest.importorskip("jwt")
    token = signed({"exp": 60, "pillows": ["a"]}, "s" * 32, 1000)

    claims = jwt.decode(token, "s" * 32, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {"exp": 1060, "pillows": ["a"]}


def test_results_are_a_line_each_and_a_sum() -> None:
    """For people."""
    text = shown([Result("a", True, "x"), Result("b", False, "y"), Result("c", None, "z")])

    assert text.splitlines()[-1] == "1 conform, 1 do not, 1 were not run"


def test_the_command_lists_the_sessions_and_refuses_what_it_does_not_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what to do."""
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert "gateway  auth  auth-token: " in listed
    assert "client         resume: " in listed
    assert main(["client", "--session", "nothing", "true"]) == 2
    assert "see `list`" in capsys.readouterr().err
    assert main(["client"]) == 2
    assert "COMMAND" in capsys.readouterr().err
