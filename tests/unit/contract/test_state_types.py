"""The schemas of states and messages accept what the code accepts."""

import json
from typing import Any

import pytest

from contract.messages import ParsedMessage, Reason, decode_message
from contract.updates import Update, decode_state, encode_state
from tests.published import ASYNCAPI, schema_accepts, schema_errors
from tests.unit.contract.examples import Case, body, cases

UNSAYABLE = {
    "at is the 30th of February",
    "at is in year 0",
    "seq is a whole number written as a fraction",  # JSON Schema takes 7.0 for an integer
}
"""What the poller refuses and no schema can."""

STATE: dict[str, Any] = {
    "pillow": "cloud-1",
    "state": "hugging",
    "at": "2025-11-22T06:00:00.123Z",
    "seq": 7,
    "confidence": 0.93,
    "battery": 0.81,
    "motion": [[0, 1, -1]],
    "clock": "behind",
    "hops": {"queued": 1, "polled": 2, "published": 3},
}


def plain_object(case: Case) -> Any:
    """The message of a case if it is a JSON object; None if it is not."""
    text = body(case)
    if isinstance(text, bytes) or not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return None
    try:
        return json.loads(text.strip("\ufeff \t\r\n"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


@pytest.mark.parametrize("case", cases("messages.json"))
def test_a_message_is_accepted_as_the_poller_does(case: Case) -> None:
    """What is too large, nested too deeply or no Unicode has a schema that cannot say so."""
    message = plain_object(case)
    if message is None:
        return
    read = decode_message(body(case), default_pillow="cloud", queued_us=1_763_791_200_000_000)
    if isinstance(read, ParsedMessage):
        assert schema_errors(ASYNCAPI, "QueueMessage", message) == []
        fields = json.loads(encode_state(read, queued_ms=1, polled_ms=2, published_ms=3))
        assert schema_errors(ASYNCAPI, "State", fields) == []
        assert schema_errors(ASYNCAPI, "ReceivedState", fields) == []
    elif (
        read.reason not in (Reason.MALFORMED, Reason.TOO_LARGE, Reason.NOT_TEXT)
        and case["name"] not in UNSAYABLE
    ):
        assert not schema_accepts(ASYNCAPI, "QueueMessage", message)


@pytest.mark.parametrize("case", cases("states.json"))
def test_a_state_is_accepted_as_the_gateway_does(case: Case) -> None:
    """The schema of received states is as lenient as the code."""
    try:
        fields = json.loads(body(case))
    except (ValueError, RecursionError):
        return
    if isinstance(decode_state(case["pillow"], _bytes(case)), Update):
        assert schema_errors(ASYNCAPI, "ReceivedState", fields) == []


@pytest.mark.parametrize("field", STATE)
def test_a_state_with_a_changed_field_is_refused(field: str) -> None:
    """As a poller publishes it every field has its type."""
    assert schema_errors(ASYNCAPI, "State", STATE) == []
    for value in (None, {"x": [None]}, -1, "x y"):
        if not (field == "hops" and value == {"x": [None]}):
            assert not schema_accepts(ASYNCAPI, "State", {**STATE, field: value}), value


@pytest.mark.parametrize("hop", STATE["hops"])
def test_a_hop_is_a_number_of_milliseconds(hop: str) -> None:
    """Whole, and not in seconds with a fraction."""
    for value in ("1", 1.5, -1, None):
        hops = {**STATE["hops"], hop: value}
        assert not schema_accepts(ASYNCAPI, "State", {**STATE, "hops": hops})


def _bytes(case: Case) -> bytes:
    content = body(case)
    return content.encode(errors="surrogatepass") if isinstance(content, str) else content
