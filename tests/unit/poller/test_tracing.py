"""Spans of messages in the poller."""

import asyncio
from functools import partial

import pytest
from opentelemetry.trace import StatusCode

from contract.messages import ParsedMessage, Reason, Rejection, decode_message
from contract.topics import Topics
from contract.traces import parse_traceparent
from poller.consume.classify import AttemptsExhausted, Decision
from poller.in_flight import InFlightMessage, Outcome
from poller.queues import Body, ReceivedMessage
from poller.tracing import MessageSpans, TracedInFlight
from runtime.mqtt import BrokerLost
from runtime.tracing.tracer import context_of
from tests.spans import KeptSpans

QUEUED_US = 1_763_791_200_000_000
POLLED_MS = QUEUED_US // 1000 + 250
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"
TEXT = f'{{"pillow":"cloud-1","state":"hug","traceparent":"{PARENT}"}}'


@pytest.fixture
def kept() -> KeptSpans:
    """What is recorded."""
    return KeptSpans()


@pytest.fixture
def spans(kept: KeptSpans) -> MessageSpans:
    """The spans of a queue."""
    return MessageSpans(kept.tracer, Topics("pillow"), "pillow-state")


def message(text: str = TEXT) -> InFlightMessage:
    """Return a message that was received a quarter of a second after its insertion."""
    return InFlightMessage(ReceivedMessage("m0", "r", Body(text, QUEUED_US, 1)), POLLED_MS)


def parsed(text: str = TEXT) -> ParsedMessage:
    """Return the state of a message."""
    state = decode_message(text, default_pillow="cloud", queued_us=QUEUED_US)
    assert isinstance(state, ParsedMessage)
    return state


def test_a_span_lasts_from_the_receipt_to_the_settlement(
    kept: KeptSpans, spans: MessageSpans
) -> None:
    """It says what became of the message, and how long that waited."""
    received = message()
    spans.begin(received, parsed())
    spans.end(received, Outcome.SUPERSEDED)
    spans.end(received, Outcome.RETRIED)

    (span,) = kept.ended
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b" * 16
    assert span.start_time == POLLED_MS * 1_000_000
    attributes = dict(span.attributes or {})
    assert attributes["pillowcast.outcome"] == "superseded"
    assert attributes["pillowcast.waited_ms"] == 250
    assert attributes["pillowcast.pillow"] == "cloud-1"
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("text", "decision", "parent"),
    [
        (TEXT, Rejection(Reason.BAD_ID, "why"), True),
        (TEXT, AttemptsExhausted(parsed(), Rejection(Reason.TOO_MANY_ATTEMPTS, "why")), True),
        ("nonsense", Rejection(Reason.MALFORMED, "why"), False),
        ('{"traceparent":7}', Rejection(Reason.BAD_FIELD, "why"), False),
    ],
)
def test_a_dead_letter_is_an_error_with_its_reason(
    kept: KeptSpans, spans: MessageSpans, text: str, decision: Decision, parent: bool
) -> None:
    """In the device's trace where the message names one that can be read."""
    received = message(text)
    spans.begin(received, decision)
    spans.end(received, Outcome.DEAD_LETTERED)

    (span,) = kept.ended
    assert (span.parent is not None) == parent
    assert span.status.status_code is StatusCode.ERROR
    assert "pillowcast.rejection" in (span.attributes or {})


def _given(future: asyncio.Future[None]) -> asyncio.Future[None]:
    return future


async def test_a_publish_lasts_until_the_broker_has_confirmed_it(
    kept: KeptSpans, spans: MessageSpans
) -> None:
    """One that is lost, or cannot be sent, is an error; the next one has a span of its own."""
    loop = asyncio.get_running_loop()
    received = message()
    own = str(context_of(spans.begin(received, parsed())))

    def lost() -> asyncio.Future[None]:
        raise BrokerLost("gone")

    with pytest.raises(BrokerLost):
        spans.publish("cloud-1", own, lost)
    futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(3)]
    for future in futures:
        assert spans.publish("cloud-1", own, partial(_given, future)) is future
    futures[0].set_result(None)
    futures[1].set_exception(BrokerLost("gone"))
    futures[2].cancel()
    await asyncio.sleep(0)

    assert [span.status.status_code for span in kept.ended] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    parent = parse_traceparent(own)
    assert parent is not None
    assert all(span.parent and span.parent.span_id == parent.span_id for span in kept.ended)


async def test_a_state_of_another_trace_is_published_without_a_span(
    kept: KeptSpans, spans: MessageSpans
) -> None:
    """Of a message that is no longer in flight."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    assert spans.publish("cloud-1", PARENT, lambda: future) is future
    future.set_result(None)
    await asyncio.sleep(0)
    assert kept.ended == ()


def test_each_settled_message_ends_its_span(kept: KeptSpans, spans: MessageSpans) -> None:
    """So that no span outlives the window."""
    in_flight = TracedInFlight(spans, lambda: POLLED_MS, 30.0, lambda: 0.0)
    received = in_flight.add(message().delivery)
    in_flight.spans.begin(received, parsed())
    in_flight.settle(received, Outcome.PUBLISHED)

    assert len(kept.ended) == 1
    assert spans.is_idle
