"""Updates: what the poller encodes every service decodes, and an invalid payload is refused."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.json_limits import MAX_SEQ
from contract.messages import MAX_STATE_BYTES, ParsedMessage, decode_message
from contract.states import NOT_CONNECTED
from contract.timestamps import MAX_CLOCK_SKEW_MS, format_timestamp, parse_timestamp
from contract.traces import parse_traceparent
from contract.updates import (
    MAX_HOP_AGE_MS,
    MAX_HOP_AHEAD_MS,
    Update,
    decode_state,
    encode_not_connected,
    encode_state,
    traceparent_in,
    with_publish_time,
    with_sign_of_life,
    with_traceparent,
)
from tests.unit.contract.examples import Case, body, cases
from tests.unit.contract.strategies import QUEUED_US, as_json, hostile, messages, mutated

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
HOPS = st.integers(0, 4_102_444_800_000)


def parsed(message: dict[str, Any], queued_us: int) -> ParsedMessage:
    """A message as the poller parses it."""
    result = decode_message(as_json(message), default_pillow="cloud", queued_us=queued_us)
    assert isinstance(result, ParsedMessage), result
    return result


def update(**fields: object) -> Update:
    """A state from MQTT with these fields."""
    payload = {"pillow": "cloud-1", "state": "hugging", "at": "2025-11-22T06:00:00.000Z", **fields}
    decoded = decode_state("cloud-1", json.dumps(payload).encode())
    assert isinstance(decoded, Update), decoded
    return decoded


@pytest.mark.parametrize("case", cases("states.json"))
def test_an_example_is_accepted_or_refused_as_stated(case: Case) -> None:
    """An accepted payload is kept byte for byte; a refusal is a short sentence on one line."""
    payload = str(body(case)).encode()
    decoded = decode_state(case["pillow"], payload)

    assert isinstance(decoded, Update) == case["valid"], decoded
    if isinstance(decoded, Update):
        assert (decoded.pillow, decoded.payload) == (case["pillow"], payload)
    else:
        assert 0 < len(decoded) < 300
        assert decoded.isprintable()


@given(messages(), QUEUED_US, HOPS, HOPS, HOPS)
def test_a_state_that_the_poller_encodes_is_decoded_byte_for_byte(
    message: dict[str, Any], queued_us: int, queued: int, polled: int, published: int
) -> None:
    """With the same pillow, state and order on both sides."""
    reading = parsed(message, queued_us)
    payload = encode_state(reading, queued_ms=queued, polled_ms=polled, published_ms=published)

    assert decode_state(reading.pillow, payload) == Update(
        reading.pillow, reading.state, reading.order, payload, queued, published
    )
    fields = json.loads(payload)
    assert fields.pop("hops") == {"queued": queued, "polled": polled, "published": published}
    assert fields == json.loads(reading.content)


def test_the_largest_state_of_a_poller_is_accepted() -> None:
    """Its hops are not part of the limit."""
    room = MAX_STATE_BYTES - len(
        b'{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00Z","x":""}'
    )
    text = {"pillow": "a", "state": "hugging", "at": "2025-11-22T06:00:00Z", "x": "x" * room}
    reading = parsed(text, 1_763_791_200_000_000)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=3)

    assert len(reading.content) > MAX_STATE_BYTES - 100
    assert isinstance(decode_state("a", payload), Update)


def test_a_payload_above_the_limit_is_refused_before_it_is_parsed() -> None:
    """No poller writes one."""
    assert decode_state("a", b" " * 60_000) == f"60000 bytes; a state has at most {MAX_STATE_BYTES}"


@given(
    st.binary(max_size=200) | mutated() | hostile.map(lambda one: str(one).encode(errors="replace"))
)
def test_any_payload_gives_an_update_or_a_sentence(payload: bytes) -> None:
    """Never an exception; an accepted payload is JSON for every decoder."""
    decoded = decode_state("cloud-1", payload)

    if isinstance(decoded, Update):
        assert json.loads(decoded.payload)["pillow"] == "cloud-1"
    else:
        assert len(decoded) < 300


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 3)), min_size=2, max_size=6))
def test_states_are_ordered_by_at_and_then_seq(times: list[tuple[int, int]]) -> None:
    """As numbers, not as text."""
    updates = [update(at=format_timestamp(at * 1000), seq=seq) for at, seq in times]

    assert sorted(one.order for one in updates) == sorted((at * 1000, seq) for at, seq in times)


def test_a_missing_seq_counts_as_0() -> None:
    """It is before 1 at the same time."""
    assert update().order < update(seq=1).order
    assert update().order == update(seq=0).order


def test_the_form_of_at_does_not_change_the_order() -> None:
    """In UTC, with an offset, with more decimals."""
    written = ("2025-11-22T06:00:00Z", "2025-11-22T08:00:00+02:00", "2025-11-22T06:00:00.000000Z")

    assert len({update(at=at).order for at in written}) == 1


def test_a_state_published_again_is_a_duplicate() -> None:
    """Its hops differ, and its fields may be in another order."""
    first = update(x=1, hops={"queued": 1, "polled": 2, "published": 3})
    again = update(hops={"queued": 1, "polled": 9, "published": 10}, x=1)

    assert first.is_duplicate_of(first)
    assert first.is_duplicate_of(again)
    assert again.is_duplicate_of(first)


@pytest.mark.parametrize(
    "other",
    [{"seq": 2}, {"at": "2025-11-22T06:00:01Z"}, {"state": "punching"}, {"x": 2}, {"y": 1}],
    ids=str,
)
def test_a_state_with_other_content_is_no_duplicate(other: dict[str, object]) -> None:
    """Also of equal order."""
    first, second = update(seq=1, x=1), update(**{"seq": 1, "x": 1, **other})

    assert not first.is_duplicate_of(second)
    assert not second.is_duplicate_of(first)


@given(messages(), QUEUED_US, HOPS)
def test_not_connected_has_the_last_state_and_since(
    message: dict[str, Any], queued_us: int, since_ms: int
) -> None:
    """It is a state like any other, of the same order, so that anything newer replaces it."""
    reading = parsed(message, queued_us)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=3)
    last = decode_state(reading.pillow, payload)
    assert isinstance(last, Update)

    said = encode_not_connected(last, since_ms=since_ms)

    silent = decode_state(reading.pillow, said)
    assert isinstance(silent, Update)
    assert (silent.state, silent.order) == (NOT_CONNECTED, last.order)
    fields = json.loads(said)
    assert fields["last"] == last.state
    assert parse_timestamp(fields["since"]) == since_ms * 1000


def test_a_silent_pillow_keeps_its_label() -> None:
    """People find it by that name also while it sleeps."""
    said = json.loads(encode_not_connected(update(label="Grandma’s cloud"), since_ms=1))

    assert said["label"] == "Grandma’s cloud"
    assert "label" not in json.loads(encode_not_connected(update(), since_ms=1))


@given(messages(), QUEUED_US, HOPS, HOPS)
def test_with_publish_time_changes_only_the_published_hop(
    message: dict[str, Any], queued_us: int, first_ms: int, again_ms: int
) -> None:
    """Every other byte of its fields is that of the first."""
    reading = parsed(message, queued_us)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=first_ms)
    first = decode_state(reading.pillow, payload)
    assert isinstance(first, Update)

    again = with_publish_time(first, again_ms)

    assert decode_state(reading.pillow, again.payload) == again
    assert again.is_duplicate_of(first)
    assert json.loads(again.payload)["hops"] == {"queued": 1, "polled": 2, "published": again_ms}
    assert with_publish_time(again, first_ms).payload == with_publish_time(first, first_ms).payload


@pytest.mark.parametrize("fields", [{}, {"hops": None}, {"hops": []}, {"hops": {"published": "x"}}])
def test_with_publish_time_adds_the_hop_to_a_state_without_hops(
    fields: dict[str, object],
) -> None:
    """It need not have had hops."""
    again = with_publish_time(update(y=1.50, **fields), 7)

    assert again == decode_state("cloud-1", again.payload)
    assert again.published_ms == 7
    assert again.is_duplicate_of(update(y=1.5))


@pytest.mark.parametrize("behind", [True, False])
def test_a_sign_of_life_has_the_hops_of_the_later_message(behind: bool) -> None:
    """It is the same state, marked only where the pillow's clock is behind."""
    known = update(seq=3, x=1.50, hops={"queued": 1, "polled": 2, "published": 3})

    again = with_sign_of_life(
        known, queued_ms=11, polled_ms=12, published_ms=13, clock_is_behind=behind
    )

    assert again == decode_state("cloud-1", again.payload)
    fields = json.loads(again.payload)
    assert fields.pop("hops") == {"queued": 11, "polled": 12, "published": 13}
    assert fields.pop("clock", None) == ("behind" if behind else None)
    assert fields == {
        name: value for name, value in json.loads(known.payload).items() if name != "hops"
    }
    assert again.is_later_sign_of_life(known)
    assert not known.is_later_sign_of_life(again)
    assert not again.is_later_sign_of_life(again)


def test_a_state_that_is_only_published_again_is_no_later_sign_of_life() -> None:
    """The broker had lost it; the pillow has sent nothing since."""
    known = update(hops={"queued": 1, "polled": 2, "published": 3})

    assert not with_publish_time(known, 9).is_later_sign_of_life(known)
    assert not update().is_later_sign_of_life(known)
    assert not update(seq=1, hops={"queued": 7}).is_later_sign_of_life(known)
    assert known.is_later_sign_of_life(update())


@pytest.mark.parametrize("hops", ['"soon"', "null", "[]", "{}", '{"queued":"x","published":1.5}'])
def test_invalid_hops_are_ignored(hops: str) -> None:
    """They only serve to measure; the state is accepted."""
    payload = (
        b'{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00Z","hops":%b}' % hops.encode()
    )
    decoded = decode_state("a", payload)

    assert isinstance(decoded, Update)
    assert (decoded.queued_ms, decoded.published_ms) == (None, None)


@pytest.mark.parametrize(
    "hop", ["-1", "-99999999999999", str(MAX_SEQ + 1), "1" + "0" * 400, "true", "1.0", "1e3", '"1"']
)
def test_a_hop_that_is_no_whole_number_of_a_clock_counts_as_missing(hop: str) -> None:
    """The state is accepted, whatever its hops."""
    payload = (
        '{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00Z",'
        f'"hops":{{"queued":{hop},"published":{hop}}}}}'
    )
    decoded = decode_state("a", payload.encode())

    assert isinstance(decoded, Update), decoded
    assert (decoded.queued_ms, decoded.published_ms) == (None, None)


@given(HOPS, st.integers(-2 * MAX_HOP_AGE_MS, 2 * MAX_HOP_AGE_MS))
def test_a_hop_far_from_the_present_counts_as_missing(now_ms: int, ahead_ms: int) -> None:
    """A day ahead is too far; a message may have waited for a week, and a state be as old."""
    hop = max(0, now_ms + ahead_ms)
    state = update(hops={"queued": hop, "published": hop})

    decoded = decode_state("cloud-1", state.payload, now_ms=now_ms)

    assert isinstance(decoded, Update)
    kept = hop if -MAX_HOP_AGE_MS <= hop - now_ms <= MAX_HOP_AHEAD_MS else None
    assert (decoded.queued_ms, decoded.published_ms) == (kept, kept)


def test_a_state_more_than_five_minutes_ahead_is_too_far_ahead() -> None:
    """The same limit as on the queue."""
    at_ms = update().order[0] // 1000

    assert update().is_too_far_ahead(at_ms - MAX_CLOCK_SKEW_MS - 1)
    assert not update().is_too_far_ahead(at_ms - MAX_CLOCK_SKEW_MS)
    assert not update().is_too_far_ahead(at_ms + MAX_HOP_AGE_MS)


def test_a_field_of_a_wrong_type_is_refused() -> None:
    """For each field that is checked and each type of JSON."""
    right = {"pillow": "a", "state": "hugging", "at": "2025-11-22T06:00:00Z", "seq": 1}
    wrong: tuple[object, ...] = (None, True, -1, 1.5, "", "x" * 5000, [], {})

    for field, value in itertools.product(right, wrong):
        decoded = decode_state("a", msgspec.json.encode({**right, field: value}))

        assert isinstance(decoded, str), (field, value)
        assert field in decoded
        assert len(decoded) < 300


@given(messages())
def test_with_traceparent_changes_only_that_field(message: dict[str, Any]) -> None:
    """Also one that was not there; all other fields stay as they are."""
    given = parsed(message, 1_763_791_200_000_000)
    traced = with_traceparent(given, TRACE)

    before, after = json.loads(given.content), json.loads(traced.content)
    assert after.pop("traceparent") == traced.traceparent == TRACE
    before.pop("traceparent", None)
    assert before == after
    assert (traced.pillow, traced.state, traced.order) == (given.pillow, given.state, given.order)
    assert traceparent_in(traced.content) == TRACE


@given(hostile | st.binary() | st.text())
def test_any_payload_has_a_trace_context_or_none(payload: bytes | str) -> None:
    """Never an exception."""
    found = traceparent_in(payload)

    assert found is None or parse_traceparent(found) is not None


def test_a_state_of_another_trace_is_a_duplicate() -> None:
    """A message that is delivered again is traced anew."""
    one, other = update(traceparent=TRACE), update(traceparent=TRACE.replace("b", "c"))

    assert one.is_duplicate_of(other)
    assert one.is_duplicate_of(update())
