"""Decisions: events with the marks that belong to them, and what at_most_every suppresses."""

import contextlib
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letters import DeadLetterAnnouncement, encode_announcement
from notifier.detect.detector import Decision, Detector
from notifier.detect.marks import Mark, MarkChange
from notifier.detect.pillow import Moment
from notifier.rules.schema import Rule
from tests.unit.notifier.examples import moment, rule, update

LETTER = DeadLetterAnnouncement(
    "m-1", "unknown-state", "state is 'dance'", 1, "2026-01-01T00:00:00Z", "{}"
)


def detector(*rules: Rule) -> Detector:
    """Return a detector on its first connection."""
    made = Detector(rules, "/pillowcast/pillow", max_pillows=100)
    made.pillows.on_connecting()
    return made


def report(
    one: Detector, state: str, number: int, now: Moment, pillow: str = "cloud-1"
) -> Decision:
    """Have a pillow report."""
    return one.receive_state(
        update(state, number, pillow=pillow), now, retained=False, expiry_s=None
    )


@given(st.lists(st.integers(0, 120_000), min_size=1, max_size=30))
def test_events_that_come_too_soon_are_counted_in_the_next_one(waits_ms: list[int]) -> None:
    """Every hug is sent or counted, and two that are sent are far enough apart."""
    one, now_ms, sent_ms, counted = detector(rule(at_most_every_s=60)), 0, [], 0
    suppressed = 0
    for number, wait_ms in enumerate(waits_ms):
        now_ms += wait_ms
        report(one, "neutral", 2 * number, moment(now_ms))
        decision = report(one, "hugging", 2 * number + 1, moment(now_ms))
        suppressed += len(decision.suppressed)
        for event, _ in decision.events:
            sent_ms.append(now_ms)
            counted += event.data.get("suppressed", 0)

    assert len(sent_ms) + suppressed == len(waits_ms)
    assert all(b - a >= 60_000 for a, b in itertools.pairwise(sent_ms))
    assert counted <= suppressed


def test_each_pillow_has_an_interval_of_its_own() -> None:
    one = detector(rule(at_most_every_s=60))

    assert report(one, "hugging", 1, moment(0), "a").events
    assert report(one, "hugging", 1, moment(0), "b").events
    report(one, "neutral", 2, moment(0), "a")
    assert report(one, "hugging", 3, moment(0), "a").suppressed == ["hugs"]


def test_the_end_of_what_was_told_is_not_suppressed_and_of_nothing_else_is_told() -> None:
    gone = rule("gone", "offline", lasts_s=10, also_back=True, at_most_every_s=3600)
    one = detector(gone)
    report(one, "neutral", 1, moment(0))
    told = one.check(moment(10_000))
    back = report(one, "neutral", 2, moment(20_000))
    again = one.check(moment(30_000))
    silent = report(one, "neutral", 3, moment(40_000))

    mark = Mark("offline", "gone", "cloud-1")
    assert [event.type for event, _ in told.events] == ["pillowcast.pillow.offline"]
    assert MarkChange(mark, True) in told.marks
    assert [event.type for event, _ in back.events] == ["pillowcast.pillow.back"]
    assert MarkChange(mark, False) in back.marks
    assert again.suppressed == ["gone"]
    assert not again.marks
    assert not silent.events


def test_the_same_change_has_the_same_id_whoever_decides_it() -> None:
    """Also after a restart, so that a receiver knows it again; every other one has another."""
    ids = []
    for _ in range(2):
        one = detector(rule())
        for number in range(4):
            for event, _ in report(
                one, ("neutral", "hugging")[number % 2], number, moment(9)
            ).events:
                ids.append(event.id)

    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2


def test_a_dead_letter_is_an_event() -> None:
    one = detector(
        rule("letters", "dead-letter"),
        rule("late", "dead-letter", reasons=frozenset({"too-many-attempts"})),
    )

    decision = one.receive_dead_letter("box", encode_announcement(LETTER), moment(0))

    [(event, to)] = decision.events
    assert (event.type, event.rule, to) == (
        "pillowcast.message.dead-lettered",
        "letters",
        ("house",),
    )
    assert event.data["reason"] == "unknown-state"
    assert event.data["poller"] == "box"
    assert event.text == "a message was kept as a dead letter (unknown-state): m-1"


def test_a_text_of_ones_own_has_the_values_of_the_event() -> None:
    one = detector(rule(text="$pillow: $previous → $state ($rule)"))
    report(one, "neutral", 1, moment(0))

    [(event, _)] = report(one, "hugging", 2, moment(0)).events

    assert event.text == "cloud-1: neutral → hugging (hugs)"


@given(
    st.binary(max_size=80)
    | st.builds(lambda d: msgspec.json.encode(d), st.dictionaries(st.text(), st.integers()))
)
def test_any_bytes_are_a_dead_letter_or_refused(payload: bytes) -> None:
    one = detector(rule("letters", "dead-letter"))
    with contextlib.suppress(ValueError):
        one.receive_dead_letter("box", payload, moment(0))


def test_what_is_no_announcement_is_refused() -> None:
    with pytest.raises(ValueError, match="message"):
        detector().receive_dead_letter("box", b"{}", moment(0))
