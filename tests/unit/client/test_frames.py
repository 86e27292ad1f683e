"""Frames: the golden examples that the JavaScript client reads too."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.processes import ROOT
from pillowcast.errors import FrameError
from pillowcast.frames import Changes, Snapshot, Unknown, parse_frame
from pillowcast.pillow_state import STATES

EXAMPLES: Final = ROOT / "packages/contract/examples/frames.json"
CASES: Final[list[dict[str, Any]]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_golden_frames_are_read_as_the_javascript_client_reads_them(
    case: dict[str, Any],
) -> None:
    """Valid ones are parsed, others are refused with why."""
    if case["valid"]:
        parse_frame(case["text"])
    else:
        with pytest.raises(FrameError):
            parse_frame(case["text"])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["cursor", "recovered", "broker", "sent", "pillows", "reconnect_ms", "code", "message"]
)
TYPES = st.sampled_from(
    ["snapshot", "update", "removed", "status", "heartbeat", "pong", "goodbye", "error", "new"]
)


@given(st.text() | st.binary() | st.builds(
    lambda kind, more: json.dumps({"type": kind, **more}), TYPES, st.dictionaries(FIELDS, JSON)
))  # fmt: skip
def test_nothing_else_than_a_frame_error_comes_of_any_message(message: str | bytes) -> None:
    """Whoever sends it."""
    try:
        parse_frame(message)
    except FrameError as error:
        assert str(error)  # noqa: PT017 - it need not be raised


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"type":"pong","sent":NaN,"received":1}', "9" * 9_999]
)
def test_what_the_parser_of_json_gives_up_on_is_no_frame(text: str) -> None:
    """Nesting without end, numbers without end."""
    with pytest.raises(FrameError):
        parse_frame(text)


def test_a_type_of_a_newer_gateway_is_no_error() -> None:
    """And means nothing."""
    assert parse_frame('{"type":"surprise"}') == Unknown()


def test_all_fields_of_a_state_are_kept() -> None:
    """Also those that nobody knows, and a state that is new."""
    frame = parse_frame(
        '{"type":"snapshot","cursor":"k:1","recovered":false,"broker":"online","sent":1,"pillows":'
        '[{"pillow":"cloud-1","state":"dancing","at":"2026-11-29T14:00:00.1234567Z","battery":2,"x":[1]}]}'
    )

    assert isinstance(frame, Snapshot)
    [state] = frame.states
    assert state.fields["x"] == [1]
    assert state.battery is None, "2 is no share"
    assert state.at is not None
    assert state.at.isoformat() == "2026-11-29T14:00:00.123456+00:00"


def test_the_states_are_those_of_the_contract() -> None:
    """The package has no part of it, so a change there is a change here."""
    declared = ROOT / "packages/contract/src/contract/states.json"

    assert set(STATES) == set(json.loads(declared.read_text(encoding="utf-8")))


def test_a_pillow_that_is_invalid_does_not_hide_the_others() -> None:
    """It is left out and reported; without somebody who hears it the frame is invalid."""
    errors: list[str] = []
    at = "2026-11-29T14:00:00Z"
    good = {"pillow": "cloud-1", "state": "hugging", "at": at}
    frame = {"type": "update", "cursor": "k:1", "sent": 1, "pillows": [{"pillow": "b"}, good, 5]}
    found = parse_frame(json.dumps(frame), lambda error: errors.append(str(error)))

    assert isinstance(found, Changes)
    assert [one.pillow for one in found.states] == ["cloud-1"]
    assert errors == [
        "update.pillows[0] is wrong: {'pillow': 'b'}",
        "update.pillows[2] is wrong: 5",
    ]
    with pytest.raises(FrameError):
        parse_frame(json.dumps(frame))
