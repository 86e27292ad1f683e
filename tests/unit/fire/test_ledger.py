"""The fire tests' judge: whatever is lost, it is found out; what was superseded is not lost."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, decode_message
from contract.updates import Update, encode_state
from tests.fire.cargo import DEFAULT_PILLOW, Cargo, make_cargo
from tests.fire.ledger import Put, judge

NOW_US = 1_763_791_200_000_000
STEP_US = 1_000_000

seeds = st.integers(0, 2**32)


def put_all(seed: int, count: int = 50) -> list[Put]:
    """Messages put a second apart, so that the bare ones can be told apart too."""
    cargo = make_cargo(random.Random(seed), count, now_us=NOW_US)
    return [Put(one, NOW_US + number * STEP_US) for number, one in enumerate(cargo)]


def publish(put: Put) -> Update:
    """What a poller makes of a message."""
    reading = decode_message(
        put.cargo.text, default_pillow=DEFAULT_PILLOW, queued_us=put.inserted_us
    )
    assert isinstance(reading, ParsedMessage)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=3)
    return Update(reading.pillow, reading.state, reading.order, payload)


def published(puts: list[Put]) -> dict[str, list[Update]]:
    """Everything readable, published once."""
    heard: dict[str, list[Update]] = {}
    for put in puts:
        if put.cargo.pillow is not None:
            heard.setdefault(put.cargo.pillow, []).append(publish(put))
    return heard


def buried(puts: list[Put]) -> list[str]:
    """Everything unreadable, word for word."""
    return [put.cargo.text for put in puts if put.cargo.pillow is None]


@given(seeds)
def test_all_published_or_buried_is_all_well(seed: int) -> None:
    """Also twice, and in another order."""
    puts = put_all(seed)
    heard = published(puts)
    for every in heard.values():
        every.extend(reversed(every.copy()))

    verdict = judge(puts, heard, [*buried(puts), *buried(puts)])

    assert (verdict.missing, verdict.strange) == ([], [])
    assert verdict.published + verdict.buried == len(puts)
    assert verdict.newest == {
        pillow: max(one.order for one in every) for pillow, every in heard.items()
    }


@given(seeds, st.data())
def test_a_message_that_left_no_trace_is_missing_unless_a_newer_was_published(
    seed: int, data: st.DataObject
) -> None:
    """Any one of them."""
    puts = put_all(seed)
    lost = data.draw(st.sampled_from(puts))
    rest = [put for put in puts if put is not lost]

    verdict = judge(puts, published(rest), buried(rest))

    is_superseded = lost.cargo.pillow is not None and any(
        put.cargo.pillow == lost.cargo.pillow and put.order > lost.order for put in rest
    )
    assert len(verdict.missing) == (not is_superseded)
    assert verdict.superseded == is_superseded
    if not is_superseded:
        assert f"number {lost.cargo.number} " in verdict.missing[0]


@given(seeds, st.data())
def test_a_tied_or_lone_state_is_superseded_by_nothing(seed: int, data: st.DataObject) -> None:
    """Which is what they are for."""
    puts = put_all(seed)
    firm = [put for put in puts if str(put.cargo.pillow).startswith(("tied", "lone"))]
    lost = data.draw(st.sampled_from(firm))
    rest = [put for put in puts if put is not lost]

    assert len(judge(puts, published(rest), buried(rest)).missing) == 1


@given(seeds)
def test_what_nobody_put_is_strange(seed: int) -> None:
    """A state that was altered, and a dead letter that was."""
    puts = put_all(seed)
    heard = published(puts)
    altered = {"pillow": "tied-0", "state": "hugging", "at": "2025-11-22T06:00:00Z", "n": 10**9}
    heard.setdefault("tied-0", []).append(
        Update("tied-0", "hugging", (NOW_US, 0), json.dumps(altered).encode())
    )

    verdict = judge(puts, heard, [*buried(puts), "not quite word for word"])

    assert len(verdict.strange) == 2


def test_a_readable_message_in_the_poison_queue_is_worn_out_and_no_newest_state() -> None:
    """It is kept, so it is not lost; it was not shown, so it is not what is retained."""
    put = Put(Cargo(1, '{"pillow":"a","state":"hugging","n":1}', "a", "hugging"), NOW_US)

    verdict = judge([put], {}, [put.cargo.text])

    assert (verdict.worn_out, verdict.missing, verdict.newest) == (1, [], {})
