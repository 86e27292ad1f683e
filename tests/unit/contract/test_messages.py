"""Decoding: every form that pillows send is a message, any other body a rejection."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.json_limits import MAX_NESTING
from contract.messages import (
    MAX_STATE_BYTES,
    ParsedMessage,
    Reason,
    Rejection,
    decode_message,
)
from contract.states import STATES
from contract.timestamps import (
    FIRST_PLAUSIBLE_US,
    MAX_CLOCK_SKEW_MS,
    format_timestamp,
    parse_timestamp,
)
from tests.unit.contract.examples import Case, body, cases, read
from tests.unit.contract.strategies import (
    KNOWN,
    QUEUED_US,
    as_json,
    hostile,
    messages,
    texts,
)

QUEUED = 1_763_791_200_000_000
MAX_SKEW_US = MAX_CLOCK_SKEW_MS * 1000


def decode(message: bytes | str, queued_us: int = QUEUED) -> ParsedMessage | Rejection:
    """The result, with the default id and insertion time of the examples."""
    return decode_message(message, default_pillow="cloud", queued_us=queued_us)


def parsed(message: bytes | str, queued_us: int = QUEUED) -> ParsedMessage:
    """The result, which must be a message."""
    result = decode(message, queued_us)
    assert isinstance(result, ParsedMessage), result
    return result


def rejection(message: bytes | str) -> Rejection:
    """The result, which must be a rejection."""
    result = decode(message)
    assert isinstance(result, Rejection), result
    return result


def queued_us(case: Case) -> int:
    """The insertion time of an example."""
    given: int = case.get("queued_ms", read("messages.json")["queued_ms"])
    return given * 1000


@pytest.mark.parametrize("case", cases("messages.json", having="expect"))
def test_a_valid_example_decodes_to_the_stated_message(case: Case) -> None:
    """Every field, and unchanged text where the example names some."""
    state = parsed(body(case), queued_us(case))

    assert json.loads(state.content) == case["expect"]
    assert (state.pillow, state.state) == (case["expect"]["pillow"], case["expect"]["state"])
    assert state.order[1] == case["expect"].get("seq", 0)
    for part in case.get("contains", []):
        assert part in state.content.decode()


@pytest.mark.parametrize("case", cases("messages.json", having="expect_state"))
def test_a_large_valid_example_decodes_to_the_stated_state(case: Case) -> None:
    """Its content is too long to be written out in the example."""
    assert parsed(body(case), queued_us(case)).state == case["expect_state"]


@pytest.mark.parametrize("case", cases("messages.json", having="dead_letter"))
def test_an_invalid_example_is_rejected_with_the_stated_reason(case: Case) -> None:
    """In bounded time, with a short sentence for people on one line."""
    started = time.perf_counter()
    refused = rejection(body(case))

    assert refused.reason == case["dead_letter"]
    assert 0 < len(refused.detail) <= 300
    assert refused.detail.isprintable()
    assert time.perf_counter() - started < 1


def test_every_reason_but_too_many_attempts_has_an_example() -> None:
    """The poller counts attempts; no message contains them."""
    shown = {
        case["dead_letter"] for case in read("messages.json")["cases"] if "dead_letter" in case
    }

    assert shown == set(Reason) - {Reason.TOO_MANY_ATTEMPTS}


def test_every_state_and_every_alias_has_an_example() -> None:
    """A new state needs examples."""
    shown = " ".join(str(case.get("text")) for case in read("messages.json")["cases"])

    for name, look in STATES.items():
        for word in (name, *look.aliases):
            assert f'"state":"{word}"' in shown


@given(hostile, QUEUED_US)
@example("('HUGGING',\xa0'NEUTRAL')", QUEUED)
@example('{"pillow":"a","state":"hugging","seq":' + "9" * 5000 + "}", QUEUED)
@example("[" * 60_000, QUEUED)
@example('{"a":' * 13_000, QUEUED)
def test_any_body_gives_a_message_or_a_rejection(message: bytes | str, queued: int) -> None:
    """The same for every delivery, and never an exception."""
    result = decode(message, queued)

    assert result == decode(message, queued)
    if isinstance(result, ParsedMessage):
        assert result.state in STATES
        assert len(result.content) <= MAX_STATE_BYTES


@given(hostile)
def test_bytes_and_their_text_decode_alike(message: bytes | str) -> None:
    """The queue's client returns text; other queues may return bytes."""
    try:
        other = message.encode() if isinstance(message, str) else message.decode()
    except UnicodeError:
        assert rejection(message).reason == Reason.NOT_TEXT
        return

    assert decode(message) == decode(other)


@given(texts, QUEUED_US)
def test_plain_text_and_base64_decode_alike(text: str, queued: int) -> None:
    """No setting distinguishes them."""
    packed = base64.b64encode(text.encode()).decode()
    broken = "\r\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))

    assert decode(text, queued) == decode(packed, queued) == decode(broken, queued)


@given(st.sampled_from(sorted(STATES)), st.data())
def test_a_state_is_recognised_in_any_letter_case(name: str, data: st.DataObject) -> None:
    """As a bare word, in a tuple, and as the field of an object."""
    spelled = data.draw(st.sampled_from([name, *STATES[name].aliases]))
    word = "".join(data.draw(st.sampled_from([one.lower(), one.upper()])) for one in spelled)

    bare = parsed(word)
    assert (bare.pillow, bare.state, bare.order) == ("cloud", name, (QUEUED, 0))
    assert bare == parsed(f"('{word}', 'NEUTRAL')") == parsed(f"({word!r},)")
    assert bare == parsed(as_json({"pillow": "cloud", "state": word}))


@given(messages(), QUEUED_US)
def test_a_valid_message_keeps_every_field(message: dict[str, Any], queued: int) -> None:
    """Only `at` and `clock` are added, and no value changes."""
    state = parsed(as_json(message), queued)
    content = json.loads(state.content)

    assert {**content, "at": None} == {**message, "at": None, **_clock(content)}
    assert list(content)[:3] == ["pillow", "state", "at"]
    assert state.order == (parse_timestamp(content["at"]), message.get("seq", 0))
    assert state.order[0] <= queued + MAX_SKEW_US
    if "at" not in message:
        assert state.order[0] == queued


def _clock(content: dict[str, Any]) -> dict[str, Any]:
    return {"clock": content["clock"]} if content.get("clock") in ("ahead", "behind") else {}


@given(messages(), QUEUED_US)
def test_unknown_fields_are_forwarded_byte_for_byte(message: dict[str, Any], queued: int) -> None:
    """In their order."""
    unknown = [
        f"{as_json(name)}:{as_json(value)}" for name, value in message.items() if name not in KNOWN
    ]
    content = parsed(as_json(message), queued).content.decode()

    place = 0
    for part in unknown:
        assert part in content[place:]
        place = content.index(part, place) + len(part)


@given(QUEUED_US, st.integers(-3 * MAX_SKEW_US, 3 * MAX_SKEW_US))
@example(QUEUED, MAX_SKEW_US)
@example(QUEUED, MAX_SKEW_US + 1)
@example(FIRST_PLAUSIBLE_US + MAX_SKEW_US, -MAX_SKEW_US - 1)
@example(FIRST_PLAUSIBLE_US, -MAX_SKEW_US - 1)
@example(FIRST_PLAUSIBLE_US, -MAX_SKEW_US)
def test_an_at_that_no_set_clock_shows_is_replaced_by_the_insertion_time(
    queued: int, ahead_us: int
) -> None:
    """More than five minutes ahead, or before 2020 though the queue's clock is later."""
    at = format_timestamp(queued + ahead_us)
    content = json.loads(
        parsed(as_json({"pillow": "a", "state": "hugging", "at": at}), queued).content
    )

    if ahead_us > MAX_SKEW_US:
        assert (content["at"], content["clock"]) == (format_timestamp(queued), "ahead")
    elif ahead_us < -MAX_SKEW_US and queued + ahead_us < FIRST_PLAUSIBLE_US:
        assert (content["at"], content["clock"]) == (format_timestamp(queued), "behind")
    else:
        assert (content["at"], content.get("clock")) == (at, None)


def test_an_at_that_is_after_year_9999_in_utc_is_rejected() -> None:
    """It cannot be written in UTC, and a queue whose clock is there would accept it."""
    queued = parse_timestamp("9999-12-31T23:59:59Z")
    assert queued is not None
    at = "9999-12-31T23:59:59-00:01"

    result = decode(as_json({"pillow": "a", "state": "hugging", "at": at}), queued)

    assert isinstance(result, Rejection)
    assert result.reason == Reason.BAD_FIELD


def test_a_clock_field_of_a_message_is_kept_unless_at_is_replaced() -> None:
    """It is an unknown field like any other."""
    text = '{"pillow":"a","state":"hugging","clock":"quartz","at":"%s"}'

    kept = json.loads(parsed(text % "2025-11-22T06:00:00Z").content)
    replaced = json.loads(parsed(text % "2999-01-01T00:00:00Z").content)

    assert (kept["clock"], replaced["clock"]) == ("quartz", "ahead")


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (
            '"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"',
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ('"00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01"', None),
        ('"not one"', None),
        ("7", None),
        ("null", None),
    ],
)
def test_only_a_valid_traceparent_is_used_as_one(sent: str, understood: str | None) -> None:
    """An invalid one is forwarded like any other field."""
    state = parsed(f'{{"pillow":"a","state":"hugging","traceparent":{sent}}}')

    assert state.traceparent == understood
    assert f'"traceparent":{sent}' in state.content.decode()


def test_a_state_of_48_kib_is_accepted_and_one_byte_more_is_rejected() -> None:
    """The limit applies to the published state, not to the message that contained it."""
    empty = '{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00.000Z","x":"%s"}'
    room = MAX_STATE_BYTES - len(empty % "")

    assert len(parsed(empty % ("x" * room)).content) == MAX_STATE_BYTES
    assert rejection(empty % ("x" * (room + 1))).reason == Reason.TOO_LARGE


@given(st.integers(1, 200))
def test_a_message_nested_deeper_than_the_limit_is_rejected(depth: int) -> None:
    """Before a recursive decoder sees it."""
    result = decode('{"pillow":"a","state":"hugging","x":' + "[" * depth + "]" * depth + "}")

    assert isinstance(result, ParsedMessage) == (depth + 1 <= MAX_NESTING)
