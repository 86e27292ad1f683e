"""Fault injection: every fault is counted, and nothing else is changed."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.messages import ParsedMessage, Reason, Rejection, decode_message
from simulator.model.config import WifiConfig
from simulator.model.events import NetworkChange, Report
from simulator.scenario.plan import Fault, Plan
from simulator.stream import fault_injection
from simulator.stream.bodies import FAULTY_ENCODERS, encode_body
from simulator.stream.items import StreamItem
from tests.hypothesis_profiles import examples
from tests.unit.simulator.plans import ALL_PILLOWS, START_US, events, group, items, with_faults

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=examples(15))

REASONS = {
    "malformed": {"malformed"},
    "oversize": {"too-large"},
    "encoding": {"not-text"},
    "unknown-state": {"unknown-state"},
    "bad-id": {"bad-id"},
    "bad-field": {"bad-field"},
}
"""The faults that make a dead letter, with its reasons."""


def decoded(item: StreamItem) -> ParsedMessage | Rejection:
    """Return what the poller makes of a message."""
    return decode_message(
        item.body, default_pillow="cloud", queued_us=START_US + round(item.due_s * 1e6)
    )


def reports(plan: Plan) -> list[Report]:
    """Return the reports of a plan's pillows, without any fault."""
    found = events(list(plan.groups), plan.seed, plan.lasts_s or 0)
    return [event for event in found if isinstance(event, Report)]


@given(seed=seeds)
@few
def test_without_faults_every_report_is_one_valid_message(seed: int) -> None:
    """In order, with the report's pillow, state, time and number."""
    plan = with_faults(seed=seed)
    found, injector = items(plan)

    for item, report in zip(found, reports(plan), strict=True):
        message = decoded(item)
        assert isinstance(message, ParsedMessage)
        assert (message.pillow, message.state) == (item.pillow, report.state)
        assert message.order == (START_US + round(item.due_s * 1000) * 1000, report.seq)
        assert item.rejection is None
    assert injector.counts == {}


@pytest.mark.parametrize("kind", REASONS)
@given(seed=seeds)
@few
def test_the_expected_rejection_of_a_faulty_message_is_that_of_the_poller(
    kind: str, seed: int
) -> None:
    """And the count is the number of rejected messages, about half at a rate of 0.5."""
    plan = with_faults(Fault(kind, 0.5, ALL_PILLOWS), seed=seed)  # type: ignore[arg-type]
    found, injector = items(plan)
    reasons = [
        str(message.reason) if isinstance(message := decoded(item), Rejection) else None
        for item in found
    ]

    assert reasons == [item.rejection for item in found]
    assert {reason for reason in reasons if reason} == REASONS[kind]
    assert injector.counts[kind] == sum(reason is not None for reason in reasons)
    assert injector.counts[kind] == pytest.approx(len(found) / 2, abs=25)


def test_every_variant_of_a_fault_is_rejected_for_the_same_reason() -> None:
    """And every variant of legacy and extra is valid."""
    report = Report(1.0, group(), 1, 3, "hugging", 0.9, 0.8)
    for kind, encode in FAULTY_ENCODERS.items():
        for variant in range(60):
            body = encode(report, "cloud-1", START_US, variant)
            message = decode_message(body, default_pillow="cloud", queued_us=START_US)
            if kind in REASONS:
                assert isinstance(message, Rejection), body[:100]
                assert str(message.reason) in REASONS[kind], body[:100]
            else:
                assert isinstance(message, ParsedMessage), body[:100]
                assert message.state == "hugging"


@pytest.mark.parametrize("dialect", ["json", "base64", "word", "tuple"])
def test_the_poller_decodes_every_dialect(dialect: str) -> None:
    """With the additional fields where the dialect can contain them."""
    config = group(dialect=dialect, fields=(("room", b'"K\xc3\xbcche"'),))
    report = Report(1.0, config, 1, 3, "spinning", 0.9, 0.8)
    body = encode_body(report, "cloud-1", 0)
    message = decode_message(body, default_pillow="cloud", queued_us=0)

    assert isinstance(message, ParsedMessage)
    assert message.state == "spinning"
    assert ('"room":"Küche"' in message.content.decode()) == (dialect in ("json", "base64"))


def test_a_message_has_only_the_first_of_two_content_faults() -> None:
    """And only that one is counted."""
    plan = with_faults(
        Fault("malformed", 1.0, ALL_PILLOWS), Fault("oversize", 1.0, ALL_PILLOWS), lasts_s=5
    )
    found, injector = items(plan)

    assert {item.rejection for item in found} == {str(Reason.MALFORMED)}
    assert injector.counts["malformed"] == len(found)
    assert injector.counts["oversize"] == 0


@given(
    seed=seeds,
    rate=st.sampled_from([0.0, 0.3, 1.0]),
    kinds=st.lists(
        st.sampled_from(["duplicate", "reorder", "delay", "loss", "burst"]), max_size=3, unique=True
    ),
)
@few
def test_messages_are_the_reports_less_the_losses_plus_the_duplicates(
    seed: int, rate: float, kinds: list[str]
) -> None:
    """In the order of their due time."""
    plan = with_faults(
        *(Fault(kind, rate, ALL_PILLOWS) for kind in kinds),  # type: ignore[arg-type]
        seed=seed,
    )
    found, injector = items(plan)
    bodies = Counter(item.body for item in found)

    report_count = len(reports(plan))
    assert [item.due_s for item in found] == sorted(item.due_s for item in found)
    assert len(bodies) == report_count - injector.counts["loss"]
    # A duplicate of a lost message is lost as well.
    assert len(found) <= len(bodies) + injector.counts["duplicate"]
    if "loss" not in kinds:
        assert len(found) == report_count + injector.counts["duplicate"]
    if rate == 1.0:
        assert all(injector.counts[kind] == report_count for kind in kinds)


def test_a_burst_sends_the_messages_of_an_interval_together() -> None:
    """At the end of every five seconds."""
    found, _ = items(with_faults(Fault("burst", 1.0, ALL_PILLOWS, every_s=5), lasts_s=14))

    assert {item.due_s for item in found} == {5.0, 10.0, 15.0}


def test_a_fault_applies_only_in_its_time_span_and_to_its_pillows() -> None:
    """From 5 to 10 s, and to the second pillow."""
    plan = with_faults(
        Fault("malformed", 1.0, {"cloud": frozenset({2})}, from_s=5, until_s=10), lasts_s=15
    )
    found, _ = items(plan)
    faulty = [item for item in found if item.rejection]

    assert {item.pillow for item in faulty} == {"cloud-2"}
    assert all(5 <= item.due_s < 10 for item in faulty)
    assert len(faulty) == len(
        [item for item in found if item.pillow == "cloud-2" and 5 <= item.due_s < 10]
    )


@pytest.mark.parametrize(("kind", "sign"), [("stale", -1), ("future", 1)])
def test_a_clock_error_is_within_its_range(kind: str, sign: int) -> None:
    """10 to 20 minutes, behind or ahead."""
    plan = with_faults(
        Fault(kind, 1.0, ALL_PILLOWS, by_s=(600, 1200)),  # type: ignore[arg-type]
        lasts_s=5,
    )
    found, _ = items(plan)
    for item in found:
        message = decode_message(item.body, default_pillow="x", queued_us=2 * START_US)
        assert isinstance(message, ParsedMessage)
        error_s = (message.order[0] - START_US) / 1e6 - item.due_s
        assert 599 < sign * error_s < 1201


def test_the_clock_of_a_group_shifts_the_time_of_its_messages() -> None:
    """Two hours behind."""
    found, _ = items(with_faults(lasts_s=2, clock_s=-7200.0))
    message = decoded(found[0])

    assert isinstance(message, ParsedMessage)
    assert message.order[0] == START_US + round((found[0].due_s - 7200) * 1e6)


def test_a_disconnected_pillow_sends_nothing_and_its_unsent_reports_are_counted() -> None:
    """Three pillows, twice."""
    plan = with_faults(
        Fault("disconnect", 1.0, ALL_PILLOWS, from_s=5, by_s=(3, 4), every_s=10), lasts_s=20
    )
    found, injector = items(plan)
    disconnected: set[str] = set()
    for item in found:
        if item.network == "down":
            disconnected.add(item.pillow)
        elif item.network == "up":
            disconnected.remove(item.pillow)
        else:
            assert item.pillow not in disconnected
    messages = [item for item in found if item.network is None]

    assert injector.counts["disconnect"] == 6
    assert len(messages) + injector.counts["unsent while disconnected"] == len(reports(plan))
    assert injector.counts["unsent while disconnected"] > 10


def test_outages_of_the_wifi_are_passed_on_and_its_losses_counted() -> None:
    """Each network change is an item; lost and unsent reports are none."""
    plan = with_faults(lasts_s=60, wifi=WifiConfig(0.2, 10, (3, 5)))
    found, injector = items(plan)
    all_events = events(list(plan.groups), plan.seed, 60)

    assert sum(item.network is not None for item in found) == sum(
        isinstance(event, NetworkChange) for event in all_events
    )
    assert len([item for item in found if item.network is None]) == sum(
        isinstance(event, Report) and not event.fate for event in all_events
    )
    for fate in ("lost", "unsent"):
        assert injector.counts[f"wifi: {fate}"] == sum(
            isinstance(event, Report) and event.fate == fate for event in all_events
        )


def test_messages_above_the_limit_of_delayed_ones_are_sent_early_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None is lost, and they are still in the order of their due time."""
    monkeypatch.setattr(fault_injection, "MAX_DELAYED", 5)
    plan = with_faults(Fault("delay", 1.0, ALL_PILLOWS, by_s=(8, 9)), lasts_s=10)
    found, injector = items(plan)

    assert len(found) == len(reports(plan))
    assert injector.counts["sent early"] == len(found) - 5
    assert [item.due_s for item in found] == sorted(item.due_s for item in found)
