"""Checks: an expectation holds or not, and the result says what was seen instead."""

import pytest

from contract.updates import Update, decode_state
from simulator.checking.assertions import (
    DEFAULT_EXPECTATIONS,
    AssertionResult,
    evaluate,
    observed_pillows,
)
from simulator.checking.check import hints_for
from simulator.checking.observations import Observations
from simulator.stream.items import StreamItem
from tests.unit.simulator.plans import plan_of

NOW_US = 1_763_791_200_000_000

TWO_PILLOWS = 'lasts = "20s"\n[[pillows]]\ncount = 2\n'


def state(pillow: str, word: str, at: str = "2025-11-22T06:00:00.000Z", seq: int = 0) -> Update:
    """Return a state as it is received on MQTT."""
    body = f'{{"pillow":"{pillow}","state":"{word}","at":"{at}","seq":{seq}}}'
    update = decode_state(pillow, body.encode())
    assert isinstance(update, Update)
    return update


def message(seq: int, at: str = "2025-11-22T06:00:00.000Z") -> StreamItem:
    """Return a message of the first pillow."""
    body = f'{{"pillow":"cloud-1","state":"hugging","at":"{at}","seq":{seq}}}'
    return StreamItem(0, "cloud-1", body.encode())


def result_of(expect: str, seen: Observations, *, by_queue: bool = True) -> AssertionResult:
    """Evaluate one expectation of two pillows."""
    plan = plan_of(TWO_PILLOWS + "[[expect]]\n" + expect)
    (result,) = evaluate(plan, plan.expect, seen, by_queue=by_queue)
    return result


@pytest.fixture
def seen() -> Observations:
    """Both pillows were neutral at 1 s, and the first was hugged at 6 s."""
    seen = Observations(frozenset({"cloud-1", "cloud-2", "cloud"}))
    seen.record_state(1.0, state("cloud-1", "neutral"))
    seen.record_state(1.2, state("cloud-2", "neutral"))
    seen.record_state(6.0, state("cloud-1", "hugging", seq=1))
    return seen


@pytest.mark.parametrize(
    ("expect", "holds", "found"),
    [
        ('pillows = "cloud-1"\nstate = "hugging"', True, "at 6.0 s"),
        ('pillows = "cloud-1"\nstate = "hugging"\nby = "5s"', False, "cloud-1 only at 6.0 s"),
        ('pillows = "cloud-1"\nstate = "neutral"\nfrom = "2s"', False, "only before, last at 1.0"),
        ('state = "neutral"\nby = "2s"', True, "the last at 1.2 s"),
        ('state = "hugging"', False, "cloud-2 was only neutral"),
        ('pillows = "elsewhere"\nstate = "hugging"', False, "elsewhere was not seen"),
        ("seen = 2", True, "2"),
        ("seen = 3", False, "2"),
        ('seen = 1\nfrom = "5s"', True, "1"),
        ("states = { at-least = 3 }", True, "3"),
        ("states = { at-least = 4 }", False, "3"),
        ("states = { at-most = 2 }", False, "3"),
        ('availability = "offline"', False, "cloud-1 was not seen"),
        ("poison = 0", True, "0"),
        ("sent = 0", True, "0"),
    ],
)
def test_a_result_says_whether_it_holds_and_what_was_found(
    seen: Observations, expect: str, holds: bool, found: str
) -> None:
    """For every subject, within and outside of its bounds."""
    result = result_of(expect, seen)

    assert result.holds is holds
    assert found in result.found


def test_an_availability_is_expected_in_its_time_span(seen: Observations) -> None:
    """One that was seen only before does not count."""
    seen.record_availability(3.0, "cloud-1", "online")
    seen.record_availability(9.0, "cloud-1", "offline")

    assert result_of('pillows = "cloud-1"\navailability = "offline"\nfrom = "5s"', seen).holds
    assert not result_of('pillows = "cloud-1"\navailability = "online"\nfrom = "5s"', seen).holds


def test_dead_letters_are_counted_in_the_queue_and_by_reason_on_mqtt(seen: Observations) -> None:
    """And compared with the sent messages that must become one."""
    for reason in ("malformed", "malformed", "bad-id"):
        seen.record_sent(StreamItem(0, "cloud-1", b"?", None, reason), NOW_US)
    seen.poison_before, seen.poison_after = 10, 13
    seen.dead_letters_received.update({"malformed": 2, "bad-id": 1})

    assert result_of('poison = "as sent"', seen).holds
    assert result_of('poison = "as sent"\nreason = "malformed"', seen).holds
    assert result_of('poison = 2\nreason = "malformed"', seen).holds
    result = result_of("poison = 0", seen)
    assert not result.holds
    assert result.found == "3: bad-id 1, malformed 2"
    seen.poison_after = 12
    assert not result_of('poison = "as sent"', seen).holds


def test_injected_faults_are_expected_by_kind(seen: Observations) -> None:
    """All kinds of a table must hold."""
    seen.faults.update({"loss": 4})

    assert result_of("faults = { loss = 4 }", seen).holds
    assert not result_of("faults = { loss = 4, delay = { at-least = 1 } }", seen).holds


def test_newest_holds_when_each_pillow_ends_at_its_newest_sent_state(seen: Observations) -> None:
    """In any order of sending; through the poller no received state may be older than another."""
    expect = 'pillows = "cloud-1"\nnewest = true'
    seen.record_sent(message(1), NOW_US)
    seen.record_sent(message(0), NOW_US)
    assert result_of(expect, seen).holds

    seen.record_state(8, state("cloud-1", "neutral", seq=0))
    assert result_of(expect, seen, by_queue=False).holds
    assert "went backwards" in result_of(expect, seen).found

    seen.record_sent(message(5, "2025-11-22T06:00:03.000Z"), NOW_US)
    result = result_of(expect, seen)
    assert not result.holds
    assert result.found == "cloud-1 ended 3.0 s before its newest"


def test_newest_ignores_a_pillow_whose_order_the_queues_clock_decides(seen: Observations) -> None:
    """The poller replaces a time that is ahead, so the order is not known here."""
    seen.record_sent(message(9, "2025-11-22T09:00:00.000Z"), NOW_US)
    result = result_of('pillows = "cloud-1"\nnewest = true', seen)

    assert result.holds
    assert "1 without a time of their own" in result.found


def test_a_state_of_another_simulators_pillow_is_not_counted(seen: Observations) -> None:
    """Two simulators may use one broker."""
    assert not seen.record_state(3, state("other-1", "hugging"))
    assert seen.states_received == 3


def test_the_plans_pillows_and_those_of_its_expectations_are_observed() -> None:
    """`cloud` is the default pillow of messages without an id."""
    plan = plan_of(TWO_PILLOWS + '[[expect]]\npillows = "cloud"\nstate = "hugging"')

    assert observed_pillows(plan) == {"cloud-1", "cloud-2", "cloud"}


def test_the_default_expectations_need_every_pillow_to_be_seen(seen: Observations) -> None:
    """And no unexpected dead letter, and each pillow at its newest state."""
    plan = plan_of(TWO_PILLOWS)
    seen.record_sent(message(1), NOW_US)

    assert all(one.holds for one in evaluate(plan, DEFAULT_EXPECTATIONS, seen, by_queue=True))
    del seen.pillows["cloud-2"]
    assert not all(one.holds for one in evaluate(plan, DEFAULT_EXPECTATIONS, seen, by_queue=True))


def test_a_state_that_was_queued_before_the_check_is_not_counted() -> None:
    """One without that hop is, because it came over MQTT."""
    seen = Observations(frozenset({"cloud-1"}))
    seen.not_before_ms = NOW_US // 1000
    body = '{"pillow":"cloud-1","state":"hugging","at":"2025-11-22T06:00:00Z"%s}'
    hops = ["", *(f',"hops":{{"queued":{NOW_US // 1000 + ms}}}' for ms in (-1, 0, 1))]
    received = [decode_state("cloud-1", (body % hop).encode()) for hop in hops]

    counted = [seen.record_state(1.0, update) for update in received if isinstance(update, Update)]

    assert counted == [True, False, True, True]
    assert seen.states_received == 3


@pytest.mark.parametrize(
    ("waiting", "silence_s", "words", "not_words"),
    [
        (9, 0.2, "9 messages still wait on q: the poller is slow", "no answer"),
        (9, 12.4, "9 messages still wait on q: it answers too slowly", "the poller is slow"),
        (0, 12.4, "the queue service gave no answer for 12 s", "still wait"),
    ],
)
def test_a_queue_that_gives_no_answer_is_told_from_a_slow_poller(
    waiting: int, silence_s: float, words: str, not_words: str
) -> None:
    seen = Observations(frozenset())
    seen.messages_sent, seen.states_received, seen.poison_after = 100, 91, 0

    hints = " ".join(hints_for(seen, "q", waiting=waiting, waited_before=0, silence_s=silence_s))

    assert words in hints
    assert not_words not in hints
