"""The audit of the fire tests: it finds every lost message, and no superseded one."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, decode_message
from contract.updates import Update, encode_state
from tests.fire.audit import Put, audit
from tests.fire.messages import DEFAULT_PILLOW, PlannedMessage, plan_messages

NOW_US = 1_763_791_200_000_000
STEP_US = 1_000_000

seeds = st.integers(0, 2**32)


def put_all(seed: int, count: int = 50) -> list[Put]:
    """Return messages put a second apart, so that the bare ones differ, too."""
    planned = plan_messages(random.Random(seed), count, now_us=NOW_US)
    return [Put(one, NOW_US + number * STEP_US) for number, one in enumerate(planned)]


def publish(put: Put) -> Update:
    """Return the state that a poller publishes for a message."""
    reading = decode_message(
        put.planned.text, default_pillow=DEFAULT_PILLOW, queued_us=put.inserted_us
    )
    assert isinstance(reading, ParsedMessage)
    payload = encode_state(reading, queued_ms=1, polled_ms=2, published_ms=3)
    return Update(reading.pillow, reading.state, reading.order, payload)


def published(puts: list[Put]) -> dict[str, list[Update]]:
    """Return the state of every valid message, published once."""
    received: dict[str, list[Update]] = {}
    for put in puts:
        if put.planned.pillow is not None:
            received.setdefault(put.planned.pillow, []).append(publish(put))
    return received


def dead_lettered(puts: list[Put]) -> list[str]:
    """Return the text of every invalid message."""
    return [put.planned.text for put in puts if put.planned.pillow is None]


@given(seeds)
def test_no_message_is_missing_when_each_is_published_or_dead_lettered(seed: int) -> None:
    """Also if it is twice, and in another order."""
    puts = put_all(seed)
    received = published(puts)
    for every in received.values():
        every.extend(reversed(every.copy()))

    result = audit(puts, received, [*dead_lettered(puts), *dead_lettered(puts)])

    assert (result.missing, result.unexpected) == ([], [])
    assert result.published + result.dead_lettered == len(puts)
    assert result.newest == {
        pillow: max(one.order for one in every) for pillow, every in received.items()
    }


@given(seeds, st.data())
def test_a_message_without_outcome_is_missing_unless_superseded(
    seed: int, data: st.DataObject
) -> None:
    """Any one message is drawn."""
    puts = put_all(seed)
    lost = data.draw(st.sampled_from(puts))
    rest = [put for put in puts if put is not lost]

    result = audit(puts, published(rest), dead_lettered(rest))

    is_superseded = lost.planned.pillow is not None and any(
        put.planned.pillow == lost.planned.pillow and put.order > lost.order for put in rest
    )
    assert len(result.missing) == (not is_superseded)
    assert result.superseded == is_superseded
    if not is_superseded:
        assert f"number {lost.planned.number} " in result.missing[0]


@given(seeds, st.data())
def test_a_tied_or_lone_state_is_never_superseded(seed: int, data: st.DataObject) -> None:
    """So that the audit finds each of them that is lost."""
    puts = put_all(seed)
    unsuperseded = [put for put in puts if str(put.planned.pillow).startswith(("tied", "lone"))]
    lost = data.draw(st.sampled_from(unsuperseded))
    rest = [put for put in puts if put is not lost]

    assert len(audit(puts, published(rest), dead_lettered(rest)).missing) == 1


@given(seeds)
def test_a_state_or_dead_letter_that_was_not_put_is_unexpected(seed: int) -> None:
    """Here each is a changed copy of one that was put."""
    puts = put_all(seed)
    received = published(puts)
    altered = {"pillow": "tied-0", "state": "hugging", "at": "2025-11-22T06:00:00Z", "n": 10**9}
    received.setdefault("tied-0", []).append(
        Update("tied-0", "hugging", (NOW_US, 0), json.dumps(altered).encode())
    )

    result = audit(puts, received, [*dead_lettered(puts), "not a message that was put"])

    assert len(result.unexpected) == 2


def test_a_valid_message_in_the_poison_queue_is_exhausted() -> None:
    """It is not lost, and its state is not the newest, because it was not published."""
    put = Put(PlannedMessage(1, '{"pillow":"a","state":"hugging","n":1}', "a", "hugging"), NOW_US)

    result = audit([put], {}, [put.planned.text])

    assert (result.exhausted, result.missing, result.newest) == (1, [], {})
