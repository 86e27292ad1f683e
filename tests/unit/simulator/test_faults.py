"""Faults: what came out can be compared with what went in."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.messages import ParsedMessage, Reason, Rejection, decode_message
from simulator.model.pillow import Link, Said
from simulator.scenario.plan import Fault, Plan
from simulator.stream import faults
from simulator.stream.bodies import WRITERS, encode_body
from simulator.stream.faults import Item
from tests.hypothesis_profiles import examples
from tests.unit.simulator.plans import EVERYONE, START_US, events, items, kind, with_faults

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=examples(15))

BAD = {
    "malformed": {"malformed"},
    "oversize": {"too-large"},
    "encoding": {"not-text"},
    "unknown-state": {"unknown-state"},
    "bad-id": {"bad-id"},
    "bad-field": {"bad-field"},
}


def decided(item: Item) -> ParsedMessage | Rejection:
    """What a poller makes of a message."""
    return decode_message(
        item.body, default_pillow="cloud", queued_us=START_US + round(item.due_s * 1e6)
    )


def said(plan: Plan) -> list[Said]:
    """What the pillows of a plan say, were nothing wrong."""
    found = events(list(plan.groups), plan.seed, plan.lasts_s or 0)
    return [one for one in found if isinstance(one, Said)]


@given(seed=seeds)
@few
def test_without_a_fault_every_report_is_a_message_that_is_read(seed: int) -> None:
    """In order, once, and each says what the pillow said."""
    plan = with_faults(seed=seed)
    found, stream = items(plan)

    for item, one in zip(found, said(plan), strict=True):
        reading = decided(item)
        assert isinstance(reading, ParsedMessage)
        assert (reading.pillow, reading.state) == (item.pillow, one.state)
        assert reading.order == (START_US + round(item.due_s * 1000) * 1000, one.seq)
        assert item.reason is None
    assert stream.counts == {}


@pytest.mark.parametrize("wrong", BAD)
@given(seed=seeds)
@few
def test_a_wrong_message_is_refused_for_its_reason_and_it_is_known_before(
    wrong: str, seed: int
) -> None:
    """The poller's own decision is the count."""
    plan = with_faults(Fault(wrong, 0.5, EVERYONE), seed=seed)  # type: ignore[arg-type]
    found, stream = items(plan)
    reasons = [
        str(one.reason) if isinstance(one := decided(item), Rejection) else None for item in found
    ]

    assert reasons == [item.reason for item in found]
    assert {reason for reason in reasons if reason} == BAD[wrong]
    assert stream.counts[wrong] == sum(reason is not None for reason in reasons)
    assert stream.counts[wrong] == pytest.approx(len(found) / 2, abs=25)


def test_every_variant_of_every_wrong_message_is_refused() -> None:
    """And every odd one is read."""
    one = Said(1.0, kind(), 1, 3, "hugging", 0.9, 0.8)
    for name, write in WRITERS.items():
        for turn in range(60):
            body = write(one, "cloud-1", START_US, turn)
            read = decode_message(body, default_pillow="cloud", queued_us=START_US)
            if name in BAD:
                assert isinstance(read, Rejection), body[:100]
                assert str(read.reason) in BAD[name], body[:100]
            else:
                assert isinstance(read, ParsedMessage), body[:100]
                assert read.state == "hugging"


@pytest.mark.parametrize("speaks", ["json", "base64", "word", "tuple"])
def test_every_dialect_is_read(speaks: str) -> None:
    """With more fields, where it can carry them."""
    one = Said(
        1.0, kind(speaks=speaks, fields=(("room", b'"K\xc3\xbcche"'),)), 1, 3, "spinning", 0.9, 0.8
    )
    read = decode_message(encode_body(one, "cloud-1", 0), default_pillow="cloud", queued_us=0)

    assert isinstance(read, ParsedMessage)
    assert read.state == "spinning"
    assert ('"room":"Küche"' in read.content.decode()) == (speaks in ("json", "base64"))


def test_what_is_wrong_in_two_ways_is_wrong_in_the_first() -> None:
    """And counted once."""
    plan = with_faults(
        Fault("malformed", 1.0, EVERYONE), Fault("oversize", 1.0, EVERYONE), lasts_s=5
    )
    found, stream = items(plan)

    assert {item.reason for item in found} == {str(Reason.MALFORMED)}
    assert stream.counts["malformed"] == len(found)
    assert stream.counts["oversize"] == 0


@given(
    seed=seeds,
    rate=st.sampled_from([0.0, 0.3, 1.0]),
    kinds=st.lists(
        st.sampled_from(["duplicate", "reorder", "delay", "loss", "burst"]), max_size=3, unique=True
    ),
)
@few
def test_nothing_is_lost_or_made_but_what_is_counted(
    seed: int, rate: float, kinds: list[str]
) -> None:
    """What came out is what went in, less the losses and more the duplicates, in order of time."""
    plan = with_faults(*(Fault(one, rate, EVERYONE) for one in kinds), seed=seed)  # type: ignore[arg-type]
    found, stream = items(plan)
    bodies = Counter(item.body for item in found)

    went_in = len(said(plan))
    assert [item.due_s for item in found] == sorted(item.due_s for item in found)
    assert len(bodies) == went_in - stream.counts["loss"]
    # A duplicate of what is lost is lost with it.
    assert len(found) <= len(bodies) + stream.counts["duplicate"]
    if "loss" not in kinds:
        assert len(found) == went_in + stream.counts["duplicate"]
    if rate == 1.0:
        assert all(stream.counts[one] == went_in for one in kinds)


def test_a_burst_gathers_and_lets_go_at_once() -> None:
    """Every five seconds, all that was said meanwhile."""
    found, _ = items(with_faults(Fault("burst", 1.0, EVERYONE, every_s=5), lasts_s=14))

    assert {item.due_s for item in found} == {5.0, 10.0, 15.0}


def test_a_fault_keeps_to_its_time_and_its_pillows() -> None:
    """From 5 to 10 s, and the second pillow only."""
    plan = with_faults(
        Fault("malformed", 1.0, {"cloud": frozenset({2})}, from_s=5, until_s=10), lasts_s=15
    )
    found, _ = items(plan)
    wrong = [item for item in found if item.reason]

    assert {item.pillow for item in wrong} == {"cloud-2"}
    assert all(5 <= item.due_s < 10 for item in wrong)
    assert len(wrong) == len(
        [item for item in found if item.pillow == "cloud-2" and 5 <= item.due_s < 10]
    )


@pytest.mark.parametrize(("wrong", "sign"), [("stale", -1), ("future", 1)])
def test_a_clock_is_off_by_so_much(wrong: str, sign: int) -> None:
    """By 10 to 20 minutes."""
    plan = with_faults(Fault(wrong, 1.0, EVERYONE, by_s=(600, 1200)), lasts_s=5)  # type: ignore[arg-type]
    found, _ = items(plan)
    for item in found:
        read = decode_message(item.body, default_pillow="x", queued_us=2 * START_US)
        assert isinstance(read, ParsedMessage)
        off_s = (read.order[0] - START_US) / 1e6 - item.due_s
        assert 599 < sign * off_s < 1201


def test_a_pillow_s_own_clock_is_off_too() -> None:
    """By two hours."""
    found, _ = items(with_faults(lasts_s=2, clock_s=-7200.0))
    read = decided(found[0])

    assert isinstance(read, ParsedMessage)
    assert read.order[0] == START_US + round((found[0].due_s - 7200) * 1e6)


def test_a_storm_takes_the_network_from_all_and_gives_it_back() -> None:
    """Between `down` and `up` a pillow says nothing, and what it would have said is counted."""
    plan = with_faults(
        Fault("disconnect", 1.0, EVERYONE, from_s=5, by_s=(3, 4), every_s=10), lasts_s=20
    )
    found, stream = items(plan)
    is_down: set[str] = set()
    for item in found:
        if item.link == "down":
            is_down.add(item.pillow)
        elif item.link == "up":
            is_down.remove(item.pillow)
        else:
            assert item.pillow not in is_down
    messages = [item for item in found if item.link is None]

    assert stream.counts["disconnect"] == 6
    assert len(messages) + stream.counts["unsaid while away"] == len(said(plan))
    assert stream.counts["unsaid while away"] > 10


def test_a_radio_that_comes_and_goes_is_passed_on() -> None:
    """As links, with what was lost and unsaid counted."""
    from simulator.model.pillow import Wifi

    plan = with_faults(lasts_s=60, wifi=Wifi(0.2, 10, (3, 5)))
    found, stream = items(plan)
    all_of_it = events(list(plan.groups), plan.seed, 60)

    assert sum(item.link is not None for item in found) == sum(
        isinstance(one, Link) for one in all_of_it
    )
    assert len([item for item in found if item.link is None]) == sum(
        isinstance(one, Said) and not one.fate for one in all_of_it
    )
    for fate in ("lost", "unsaid"):
        assert stream.counts[f"wifi: {fate}"] == sum(
            isinstance(one, Said) and one.fate == fate for one in all_of_it
        )


def test_no_more_is_held_back_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is let go early, and counted; nothing is lost by it."""
    monkeypatch.setattr(faults, "MOST_HELD", 5)
    plan = with_faults(Fault("delay", 1.0, EVERYONE, by_s=(8, 9)), lasts_s=10)
    found, stream = items(plan)

    assert len(found) == len(said(plan))
    assert stream.counts["let go early"] == len(found) - 5
    assert [item.due_s for item in found] == sorted(item.due_s for item in found)
