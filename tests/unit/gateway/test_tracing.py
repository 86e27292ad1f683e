"""Spans of states in the gateway."""

import json

import pytest

from contract.traces import parse_traceparent
from contract.updates import Update, decode_state
from gateway import tracing
from gateway.tracing import StateSpans
from runtime.mqtt import Message
from runtime.mqtt.properties import publish_properties
from runtime.queue_aware_clock import Clock
from tests.spans import KeptSpans

WALL_MS = 1_763_791_200_000
OFFSET_MS = 5_000
TRACE = "a" * 32
FIELD = f"00-{TRACE}-{'b' * 16}-01"
PROPERTY = f"00-{TRACE}-{'c' * 16}-01"


def state(pillow: str = "cloud-1", traceparent: object = FIELD) -> tuple[Message, Update]:
    """Return a state with a trace context, as a message and decoded."""
    fields = {"pillow": pillow, "state": "hugging", "at": "2025-11-22T06:00:00Z"}
    payload = json.dumps(fields | {"traceparent": traceparent}).encode()
    update = decode_state(pillow, payload)
    assert isinstance(update, Update)
    return Message(f"pillow/{pillow}/state", payload, False), update


@pytest.fixture
def kept() -> KeptSpans:
    """What is recorded."""
    return KeptSpans()


@pytest.fixture
def spans(kept: KeptSpans) -> StateSpans:
    """Spans on a clock that knows the queue's time."""
    clock = Clock(lambda: WALL_MS, lambda: 1_000)
    clock.queue_time.observe("cloud-1", WALL_MS + OFFSET_MS, 1_000)
    return StateSpans(kept.tracer, clock)


def test_a_span_lasts_from_the_arrival_to_the_flush(kept: KeptSpans, spans: StateSpans) -> None:
    """In the queue's time, below the field's span."""
    message, update = state()
    spans.begin(message, update)
    assert not list(kept.ended)
    spans.end(3)
    spans.end(4)

    (span,) = kept.ended
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b" * 16
    assert span.start_time == (WALL_MS + OFFSET_MS) * 1_000_000
    assert span.attributes is not None
    assert span.attributes["pillowcast.clients"] == 3


def test_a_property_is_newer_than_the_field(kept: KeptSpans, spans: StateSpans) -> None:
    """Whoever passed the message on may know of properties only."""
    message, update = state()
    packed = publish_properties(None, None, (("traceparent", PROPERTY),))
    spans.begin(message._replace(properties=packed[1:]), update)
    spans.end(0)

    (span,) = kept.ended
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "c" * 16


@pytest.mark.parametrize("traceparent", ["", 7, None, "0" * 55, FIELD + "x", ["a"]])
def test_a_wrong_context_begins_a_trace(
    kept: KeptSpans, spans: StateSpans, traceparent: object
) -> None:
    """Whatever a device sends."""
    spans.begin(*state(traceparent=traceparent))
    spans.end(0)

    assert [span.parent for span in kept.ended] == [None]


def test_what_a_browser_showed_is_below_the_states_span(kept: KeptSpans, spans: StateSpans) -> None:
    """It ends when the browser says; a time before the arrival is an error of its clock."""
    spans.begin(*state())
    spans.end(1)
    spans.shown("cloud-1", FIELD, WALL_MS + 40)
    spans.shown("cloud-1", FIELD, WALL_MS - 40)

    sent, shown, early = kept.ended
    for one in (shown, early):
        assert one.parent is not None
        assert one.parent.span_id == sent.context.span_id
    assert shown.end_time == (WALL_MS + OFFSET_MS + 40) * 1_000_000
    assert (early.end_time or 0) - (early.start_time or 0) == 40_000_000


def test_a_browser_adds_to_no_trace_that_the_gateway_does_not_know(
    kept: KeptSpans, spans: StateSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to another pillow's, nor to one that was forgotten or not recorded."""
    monkeypatch.setattr(tracing, "MAX_RECENT", 2)
    quiet = FIELD[:-1] + "0"
    spans.begin(*state("d", quiet))
    for pillow in ("a", "b", "c"):
        spans.begin(*state(pillow))
    spans.end(1)
    before = len(kept.ended)
    assert before == 3
    for pillow, traceparent in (("a", FIELD), ("b", PROPERTY), ("d", quiet), ("x", FIELD)):
        spans.shown(pillow, traceparent, WALL_MS)
    assert len(kept.ended) == before
    spans.shown("c", FIELD, WALL_MS)
    assert len(kept.ended) == before + 1
    assert parse_traceparent(FIELD) is not None
