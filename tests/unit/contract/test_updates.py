"""Updates: what the poller writes, everybody reads; and nothing that is none is taken for one."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import MAX_STATE_BYTES, ParsedMessage, decode_message
from contract.states import NOT_CONNECTED
from contract.timestamps import format_timestamp, parse_timestamp
from contract.updates import (
    Update,
    decode_state,
    encode_not_connected,
    encode_state,
    with_publish_time,
)
from tests.unit.contract.examples import Case, body, cases
from tests.unit.contract.strategies import QUEUED_US, as_json, hostile, messages, mutated

HOPS = st.integers(0, 4_102_444_800_000)


def understood(message: dict[str, Any], queued_us: int) -> ParsedMessage:
    """A message as the poller understands it."""
    decision = decode_message(as_json(message), default_pillow="cloud", queued_us=queued_us)
    assert isinstance(decision, ParsedMessage), decision
    return decision


def update(**fields: object) -> Update:
    """A state from MQTT with these fields."""
    payload = {"pillow": "cloud-1", "state": "hugging", "at": "2025-11-22T06:00:00.000Z", **fields}
    decoded = decode_state("cloud-1", json.dumps(payload).encode())
    assert isinstance(decoded, Update), decoded
    return decoded


@pytest.mark.parametrize("case", cases("states.json"))
def test_an_example_is_taken_or_refused(case: Case) -> None:
    """One that is taken is handed on byte for byte; a refusal is a short sentence on one line."""
    payload = str(body(case)).encode()
    decoded = decode_state(case["pillow"], payload)

    assert isinstance(decoded, Update) == case["valid"], decoded
    if isinstance(decoded, Update):
        assert (decoded.pillow, decoded.payload) == (case["pillow"], payload)
    else:
        assert 0 < len(decoded) < 300
        assert decoded.isprintable()


@given(messages(), QUEUED_US, HOPS, HOPS, HOPS)
def test_what_the_poller_writes_everybody_reads_byte_for_byte(
    message: dict[str, Any], queued_us: int, queued: int, polled: int, published: int
) -> None:
    """With the same pillow, state and order on both sides."""
    reading = understood(message, queued_us)
    payload = encode_state(reading, queued_ms=queued, polled_ms=polled, published_ms=published)

    assert decode_state(reading.pillow, payload) == Update(
        reading.pillow, reading.state, reading.order, payload, queued, published
    )
    fields = json.loads(payload)
    assert fields.pop("hops") == {"queued": queued, "polled": polled, "published": published}
    assert fields == json.loads(reading.content)


def test_the_largest_state_of_a_poller_is_read() -> None:
    """Its hops come on top of the limit."""
    room = MAX_STATE_BYTES - len(
        b'{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00Z","x":""}'
    )
    text = {"pillow": "a", "state": "hugging", "at": "2025-11-22T06:00:00Z", "x": "x" * room}
    reading = understood(text, 1_763_791_200_000_000)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=3)

    assert len(reading.content) > MAX_STATE_BYTES - 100
    assert isinstance(decode_state("a", payload), Update)


def test_a_payload_larger_than_any_state_is_refused_unread() -> None:
    """Whoever wrote it, it was no poller."""
    assert decode_state("a", b" " * 60_000) == f"60000 bytes; a state has at most {MAX_STATE_BYTES}"


@given(
    st.binary(max_size=200) | mutated() | hostile.map(lambda one: str(one).encode(errors="replace"))
)
def test_any_payload_gives_an_answer(payload: bytes) -> None:
    """And what is taken for a state is JSON to every reader."""
    decoded = decode_state("cloud-1", payload)

    if isinstance(decoded, Update):
        assert json.loads(decoded.payload)["pillow"] == "cloud-1"
    else:
        assert len(decoded) < 300


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 3)), min_size=2, max_size=6))
def test_at_then_seq_orders_the_states_of_a_pillow(times: list[tuple[int, int]]) -> None:
    """Written as text in any order, they sort as the numbers do."""
    updates = [update(at=format_timestamp(at * 1000), seq=seq) for at, seq in times]

    assert sorted(one.order for one in updates) == sorted((at * 1000, seq) for at, seq in times)


def test_a_state_without_seq_comes_before_one_with_seq_at_the_same_time() -> None:
    """No seq counts as 0."""
    assert update().order < update(seq=1).order
    assert update().order == update(seq=0).order


def test_the_same_instant_has_the_same_order_however_it_is_written() -> None:
    """In UTC, with an offset, with more decimals."""
    written = ("2025-11-22T06:00:00Z", "2025-11-22T08:00:00+02:00", "2025-11-22T06:00:00.000000Z")

    assert len({update(at=at).order for at in written}) == 1


def test_a_state_published_again_repeats_the_first() -> None:
    """Its hops are newer, its fields may stand in another order, and it tells nothing new."""
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
def test_a_state_that_tells_something_else_repeats_nothing(other: dict[str, object]) -> None:
    """Even one of equal order: two pillows' clocks may agree and their states not."""
    first, second = update(seq=1, x=1), update(**{"seq": 1, "x": 1, **other})

    assert not first.is_duplicate_of(second)
    assert not second.is_duplicate_of(first)


@given(messages(), QUEUED_US, HOPS)
def test_a_silent_pillow_is_told_with_its_last_state_and_since_when(
    message: dict[str, Any], queued_us: int, since_ms: int
) -> None:
    """It is a state like any other, of the same order, so that anything newer replaces it."""
    reading = understood(message, queued_us)
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


@given(messages(), QUEUED_US, HOPS, HOPS)
def test_a_state_is_published_again_as_it_came_but_for_the_time_of_that(
    message: dict[str, Any], queued_us: int, first_ms: int, again_ms: int
) -> None:
    """Every other byte of its fields is that of the first."""
    reading = understood(message, queued_us)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=first_ms)
    first = decode_state(reading.pillow, payload)
    assert isinstance(first, Update)

    again = with_publish_time(first, again_ms)

    assert decode_state(reading.pillow, again.payload) == again
    assert again.is_duplicate_of(first)
    assert json.loads(again.payload)["hops"] == {"queued": 1, "polled": 2, "published": again_ms}
    assert with_publish_time(again, first_ms).payload == with_publish_time(first, first_ms).payload


@pytest.mark.parametrize("fields", [{}, {"hops": None}, {"hops": []}, {"hops": {"published": "x"}}])
def test_a_state_of_somebody_else_is_published_again_with_the_time_of_that(
    fields: dict[str, object],
) -> None:
    """It need not have had hops."""
    again = with_publish_time(update(y=1.50, **fields), 7)

    assert again == decode_state("cloud-1", again.payload)
    assert again.published_ms == 7
    assert again.is_duplicate_of(update(y=1.5))


@pytest.mark.parametrize("hops", ['"soon"', "null", "[]", "{}", '{"queued":"x","published":1.5}'])
def test_hops_that_are_none_are_none(hops: str) -> None:
    """They are for measuring; the state counts all the same."""
    payload = (
        b'{"pillow":"a","state":"hugging","at":"2025-11-22T06:00:00Z","hops":%b}' % hops.encode()
    )
    decoded = decode_state("a", payload)

    assert isinstance(decoded, Update)
    assert (decoded.queued_ms, decoded.published_ms) == (None, None)


def test_every_field_of_a_wrong_type_is_refused() -> None:
    """For each field this module reads and each type JSON has."""
    right = {"pillow": "a", "state": "hugging", "at": "2025-11-22T06:00:00Z", "seq": 1}
    wrong: tuple[object, ...] = (None, True, -1, 1.5, "", "x" * 5000, [], {})

    for field, value in itertools.product(right, wrong):
        decoded = decode_state("a", msgspec.json.encode({**right, field: value}))

        assert isinstance(decoded, str), (field, value)
        assert field in decoded
        assert len(decoded) < 300
