"""Checking: what is expected, against what was seen, and the sentence that explains it."""

import pytest

from contract.updates import Update, decode_state
from simulator.checking.seen import Seen
from simulator.checking.verdicts import IMPLIED, Verdict, verdicts, watched
from simulator.scenario.plan import Plan
from simulator.stream.faults import Item
from tests.unit.simulator.plans import plan_of

NOW_US = 1_763_791_200_000_000

TWO = 'lasts = "20s"\n[[pillows]]\ncount = 2\n'


def state(pillow: str, word: str, at: str = "2025-11-22T06:00:00.000Z", seq: int = 0) -> Update:
    """A state as it is on MQTT."""
    body = f'{{"pillow":"{pillow}","state":"{word}","at":"{at}","seq":{seq}}}'
    update = decode_state(pillow, body.encode())
    assert isinstance(update, Update)
    return update


def judged(expect: str, seen: Seen, plan: Plan | None = None, *, by_queue: bool = True) -> Verdict:
    """The verdict on one expectation of two pillows."""
    plan = plan or plan_of(TWO + "[[expect]]\n" + expect)
    (verdict,) = verdicts(plan, plan.expect, seen, by_queue=by_queue)
    return verdict


@pytest.fixture
def seen() -> Seen:
    """Both were resting at 1 s; the first was hugged at 6 s."""
    seen = Seen(frozenset({"cloud-1", "cloud-2", "cloud"}))
    seen.note_state(1.0, state("cloud-1", "neutral"))
    seen.note_state(1.2, state("cloud-2", "neutral"))
    seen.note_state(6.0, state("cloud-1", "hugging", seq=1))
    return seen


@pytest.mark.parametrize(
    ("expect", "holds", "found"),
    [
        ('pillows = "cloud-1"\nstate = "hugging"', True, "at 6.0 s"),
        ('pillows = "cloud-1"\nstate = "hugging"\nby = "5s"', False, "cloud-1 only at 6.0 s"),
        ('pillows = "cloud-1"\nstate = "neutral"\nfrom = "2s"', False, "only before, last at 1.0"),
        ('state = "neutral"\nby = "2s"', True, "the last at 1.2 s"),
        ('state = "hugging"', False, "cloud-2 was only neutral"),
        ('pillows = "elsewhere"\nstate = "hugging"', False, "elsewhere was not heard of"),
        ("seen = 2", True, "2"),
        ("seen = 3", False, "2"),
        ('seen = 1\nfrom = "5s"', True, "1"),
        ("states = { at-least = 3 }", True, "3"),
        ("states = { at-least = 4 }", False, "3"),
        ("states = { at-most = 2 }", False, "3"),
        ('availability = "offline"', False, "cloud-1 was not heard of"),
        ("poison = 0", True, "0"),
        ("sent = 0", True, "0"),
    ],
)
def test_a_verdict_says_what_was_found(seen: Seen, expect: str, holds: bool, found: str) -> None:
    """Also when all is well."""
    verdict = judged(expect, seen)

    assert verdict.holds is holds
    assert found in verdict.found


def test_availability_is_seen_by_its_time(seen: Seen) -> None:
    """As states are."""
    seen.note_availability(3.0, "cloud-1", "online")
    seen.note_availability(9.0, "cloud-1", "offline")

    assert judged('pillows = "cloud-1"\navailability = "offline"\nfrom = "5s"', seen).holds
    assert not judged('pillows = "cloud-1"\navailability = "online"\nfrom = "5s"', seen).holds


def test_dead_letters_are_counted_in_the_queue_and_by_reason_on_mqtt(seen: Seen) -> None:
    """Against what was sent that must become one."""
    for reason in ("malformed", "malformed", "bad-id"):
        seen.note_sent(Item(0, "cloud-1", b"?", None, reason), NOW_US)
    seen.poison_before, seen.poison_after = 10, 13
    seen.reasons_seen.update({"malformed": 2, "bad-id": 1})

    assert judged('poison = "as sent"', seen).holds
    assert judged('poison = "as sent"\nreason = "malformed"', seen).holds
    assert judged('poison = 2\nreason = "malformed"', seen).holds
    verdict = judged("poison = 0", seen)
    assert not verdict.holds
    assert verdict.found == "3: bad-id 1, malformed 2"
    seen.poison_after = 12
    assert not judged('poison = "as sent"', seen).holds


def test_faults_that_were_made_are_counted(seen: Seen) -> None:
    """Each kind."""
    seen.faults.update({"loss": 4})

    assert judged("faults = { loss = 4 }", seen).holds
    assert not judged("faults = { loss = 4, delay = { at-least = 1 } }", seen).holds


def body(seq: int, at: str = "2025-11-22T06:00:00.000Z") -> bytes:
    """A message of the first pillow."""
    return f'{{"pillow":"cloud-1","state":"hugging","at":"{at}","seq":{seq}}}'.encode()


def test_each_pillow_ends_at_its_newest(seen: Seen) -> None:
    """However the messages came; an older one at the end is no harm to who keeps the newest."""
    expect = 'pillows = "cloud-1"\nnewest = true'
    seen.note_sent(Item(0, "cloud-1", body(1)), NOW_US)
    seen.note_sent(Item(0, "cloud-1", body(0)), NOW_US)
    assert judged(expect, seen).holds

    seen.note_state(8, state("cloud-1", "neutral", seq=0))
    assert judged(expect, seen, by_queue=False).holds
    assert "went backwards" in judged(expect, seen).found

    seen.note_sent(Item(0, "cloud-1", body(5, "2025-11-22T06:00:03.000Z")), NOW_US)
    verdict = judged(expect, seen)
    assert not verdict.holds
    assert verdict.found == "cloud-1 ended 3.0 s before its newest"


def test_a_pillow_whose_time_the_queue_decides_is_left_out_and_said_to_be(seen: Seen) -> None:
    """A clock that is ahead is not believed, so nobody here knows its order."""
    seen.note_sent(Item(0, "cloud-1", body(9, "2025-11-22T09:00:00.000Z")), NOW_US)
    verdict = judged('pillows = "cloud-1"\nnewest = true', seen)

    assert verdict.holds
    assert "1 without a time of their own" in verdict.found


def test_what_is_not_ours_is_not_counted(seen: Seen) -> None:
    """Another simulator may run beside it."""
    assert not seen.note_state(3, state("other-1", "hugging"))
    assert seen.states == 3


def test_who_is_watched() -> None:
    """The plan's own, and who is named by an expectation."""
    plan = plan_of(TWO + '[[expect]]\npillows = "cloud"\nstate = "hugging"')

    assert watched(plan) == {"cloud-1", "cloud-2", "cloud"}


def test_a_scenario_that_expects_nothing_is_expected_to_arrive(seen: Seen) -> None:
    """Every pillow seen, no dead letter that was not sent, and each at its newest."""
    plan = plan_of(TWO)
    seen.note_sent(Item(0, "cloud-1", body(1)), NOW_US)

    assert all(one.holds for one in verdicts(plan, IMPLIED, seen, by_queue=True))
    del seen.known["cloud-2"]
    assert not all(one.holds for one in verdicts(plan, IMPLIED, seen, by_queue=True))
