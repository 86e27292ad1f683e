"""Decoding: every form pillows send is a state, all else a reason, nothing an exception."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.messages import (
    MAX_AHEAD_S,
    MAX_NESTING,
    MAX_STATE_BYTES,
    ParsedMessage,
    Reason,
    Rejection,
    abbreviated,
    decode_message,
    nesting_depth,
)
from contract.states import STATES
from contract.timestamps import format_timestamp, parse_timestamp
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


def decode(message: bytes | str, queued_us: int = QUEUED) -> ParsedMessage | Rejection:
    """The decision, with what the examples take for granted."""
    return decode_message(message, default_pillow="cloud", queued_us=queued_us)


def reading(message: bytes | str, queued_us: int = QUEUED) -> ParsedMessage:
    """The decision, which must be a state."""
    decision = decode(message, queued_us)
    assert isinstance(decision, ParsedMessage), decision
    return decision


def rejection(message: bytes | str) -> Rejection:
    """The decision, which must be a reason."""
    decision = decode(message)
    assert isinstance(decision, Rejection), decision
    return decision


def queued_us(case: Case) -> int:
    """When the queue took the message of an example."""
    given: int = case.get("queued_ms", read("messages.json")["queued_ms"])
    return given * 1000


@pytest.mark.parametrize("case", cases("messages.json", having="expect"))
def test_a_good_example_becomes_its_state(case: Case) -> None:
    """Field by field, and what is kept as it came, to the letter."""
    state = reading(body(case), queued_us(case))

    assert json.loads(state.content) == case["expect"]
    assert (state.pillow, state.state) == (case["expect"]["pillow"], case["expect"]["state"])
    assert state.order[1] == case["expect"].get("seq", 0)
    for part in case.get("contains", []):
        assert part in state.content.decode()


@pytest.mark.parametrize("case", cases("messages.json", having="expect_state"))
def test_a_big_good_example_becomes_its_state(case: Case) -> None:
    """Where the state is too long to be written out, its name is enough."""
    assert reading(body(case), queued_us(case)).state == case["expect_state"]


@pytest.mark.parametrize("case", cases("messages.json", having="dead_letter"))
def test_a_bad_example_is_a_dead_letter_with_its_reason(case: Case) -> None:
    """And with a short sentence for people, on one line."""
    started = time.perf_counter()
    refused = rejection(body(case))

    assert refused.reason == case["dead_letter"]
    assert 0 < len(refused.detail) <= 300
    assert refused.detail.isprintable()
    assert time.perf_counter() - started < 1


def test_every_reason_but_too_many_attempts_has_an_example() -> None:
    """Attempts are the poller's to count, no message says them."""
    shown = {
        case["dead_letter"] for case in read("messages.json")["cases"] if "dead_letter" in case
    }

    assert shown == set(Reason) - {Reason.TOO_MANY_ATTEMPTS}


def test_every_state_and_every_alias_has_an_example() -> None:
    """Whoever adds a state adds an example."""
    shown = " ".join(str(case.get("text")) for case in read("messages.json")["cases"])

    for name, look in STATES.items():
        for word in (name, *look.aliases):
            assert f'"state":"{word}"' in shown


@given(hostile, QUEUED_US)
@example("('HUGGING',\xa0'NEUTRAL')", QUEUED)
@example('{"pillow":"a","state":"hugging","seq":' + "9" * 5000 + "}", QUEUED)
@example("[" * 60_000, QUEUED)
@example('{"a":' * 13_000, QUEUED)
def test_anything_at_all_gives_a_decision(message: bytes | str, queued: int) -> None:
    """And the same one each time: a message is decided alike at every delivery."""
    decision = decode(message, queued)

    assert decision == decode(message, queued)
    if isinstance(decision, ParsedMessage):
        assert decision.state in STATES
        assert len(decision.content) <= MAX_STATE_BYTES


@given(hostile)
def test_bytes_and_their_text_are_decided_alike(message: bytes | str) -> None:
    """The queue's client gives text; a test or another queue may give bytes."""
    try:
        other = message.encode() if isinstance(message, str) else message.decode()
    except UnicodeError:
        assert rejection(message).reason == Reason.NOT_TEXT
        return

    assert decode(message) == decode(other)


@given(texts, QUEUED_US)
def test_plain_and_base64_are_decided_alike(text: str, queued: int) -> None:
    """No setting tells them apart."""
    packed = base64.b64encode(text.encode()).decode()
    broken = "\r\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))

    assert decode(text, queued) == decode(packed, queued) == decode(broken, queued)


@given(st.sampled_from(sorted(STATES)), st.data())
def test_a_word_is_the_same_word_in_any_letter_case(name: str, data: st.DataObject) -> None:
    """As a bare word, in a tuple, and as the field of an object."""
    spelled = data.draw(st.sampled_from([name, *STATES[name].aliases]))
    word = "".join(data.draw(st.sampled_from([one.lower(), one.upper()])) for one in spelled)

    bare = reading(word)
    assert (bare.pillow, bare.state, bare.order) == ("cloud", name, (QUEUED, 0))
    assert bare == reading(f"('{word}', 'NEUTRAL')") == reading(f"({word!r},)")
    assert bare == reading(as_json({"pillow": "cloud", "state": word}))


@given(messages(), QUEUED_US)
def test_a_good_message_keeps_all_it_says(message: dict[str, Any], queued: int) -> None:
    """Nothing is lost, nothing is added but `at` and `clock`, nothing changes its value."""
    state = reading(as_json(message), queued)
    content = json.loads(state.content)

    assert {**content, "at": None} == {**message, "at": None, **_clock(content)}
    assert list(content)[:3] == ["pillow", "state", "at"]
    assert state.order == (parse_timestamp(content["at"]), message.get("seq", 0))
    assert state.order[0] <= queued + MAX_AHEAD_S * 1_000_000
    if "at" not in message:
        assert state.order[0] == queued


def _clock(content: dict[str, Any]) -> dict[str, Any]:
    return {"clock": "ahead"} if content.get("clock") == "ahead" else {}


@given(messages(), QUEUED_US)
def test_fields_nobody_knows_leave_byte_for_byte_as_they_came(
    message: dict[str, Any], queued: int
) -> None:
    """In the order in which they came."""
    unknown = [
        f"{as_json(name)}:{as_json(value)}" for name, value in message.items() if name not in KNOWN
    ]
    content = reading(as_json(message), queued).content.decode()

    place = 0
    for part in unknown:
        assert part in content[place:]
        place = content.index(part, place) + len(part)


@given(QUEUED_US, st.integers(-MAX_AHEAD_S * 3_000_000, MAX_AHEAD_S * 3_000_000))
@example(QUEUED, MAX_AHEAD_S * 1_000_000)
@example(QUEUED, MAX_AHEAD_S * 1_000_000 + 1)
def test_a_clock_more_than_five_minutes_ahead_is_not_believed(queued: int, ahead_us: int) -> None:
    """Its state counts from when the queue took it, and is marked."""
    at = format_timestamp(queued + ahead_us)
    content = json.loads(
        reading(as_json({"pillow": "a", "state": "hugging", "at": at}), queued).content
    )

    if ahead_us > MAX_AHEAD_S * 1_000_000:
        assert (content["at"], content["clock"]) == (format_timestamp(queued), "ahead")
    else:
        assert (content["at"], content.get("clock")) == (at, None)


def test_a_clock_field_of_the_pillows_own_is_kept_unless_ours_replaces_it() -> None:
    """It is a field like any other."""
    text = '{"pillow":"a","state":"hugging","clock":"quartz","at":"%s"}'

    kept = json.loads(reading(text % "2025-11-22T06:00:00Z").content)
    replaced = json.loads(reading(text % "2999-01-01T00:00:00Z").content)

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
def test_only_a_traceparent_that_is_one_is_understood(sent: str, understood: str | None) -> None:
    """One that is not is kept like any other field, and harms nothing."""
    state = reading(f'{{"pillow":"a","state":"hugging","traceparent":{sent}}}')

    assert state.traceparent == understood
    assert f'"traceparent":{sent}' in state.content.decode()


def test_a_state_just_small_enough_passes_and_one_byte_more_does_not() -> None:
    """The limit is on what is passed on, not on how it was wrapped."""
    empty = '{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00.000Z","x":"%s"}'
    room = MAX_STATE_BYTES - len(empty % "")

    assert len(reading(empty % ("x" * room)).content) == MAX_STATE_BYTES
    assert rejection(empty % ("x" * (room + 1))).reason == Reason.TOO_LARGE


@given(st.text('[]{}"\\a ', max_size=40))
def test_nesting_counts_no_bracket_in_a_string(text: str) -> None:
    """Whatever stands in a string, and around a list of known depth."""
    assert nesting_depth(json.dumps([[[text]]])) == 3
    assert nesting_depth(text) <= len(text)


@given(st.integers(1, 200))
def test_what_nests_too_deep_is_refused_however_deep(depth: int) -> None:
    """Before anything that recurses has seen it."""
    decision = decode('{"pillow":"a","state":"hugging","x":' + "[" * depth + "]" * depth + "}")

    assert isinstance(decision, ParsedMessage) == (depth + 1 <= MAX_NESTING)


def test_what_is_shown_of_a_value_fits_in_a_sentence() -> None:
    """Short ones whole, long ones cut and marked."""
    assert abbreviated({"a": 1}) == "{'a': 1}"
    assert (len(abbreviated("x" * 9999)), abbreviated("x" * 9999)[-3:]) == (80, "...")
