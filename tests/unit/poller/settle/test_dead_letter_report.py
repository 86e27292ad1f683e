"""The report on a dead letter, for any text and age."""

import base64
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages import Reason, Rejection, decode_message
from poller.queues import DeadLetter
from poller.settle.dead_letter_report import DeadLetterReport, ReplayForecast, report_on

NOW_US = int(datetime(2026, 11, 22, 6, tzinfo=UTC).timestamp()) * 1_000_000
HOUR_US = 3_600_000_000
ID = "6f1f2a6c-0d0e-4b6e-9a3c-7ab0c1d2e3f4"

texts = st.one_of(
    st.text(st.characters(codec="utf-8")),
    st.binary().map(lambda some: base64.b64encode(some).decode()),
    st.sampled_from(["HUGGING", "('HUGGING', 'NEUTRAL')", '{"pillow":"a","state":"hug"}']),
)


def report(text: str, *, age_us: int = HOUR_US, max_attempts: int = 5) -> DeadLetterReport:
    """The report on a letter with this text."""
    return report_on(
        DeadLetter(ID, NOW_US - age_us, 3, text),
        now_us=NOW_US,
        default_pillow="cloud",
        max_attempts=max_attempts,
    )


@given(texts)
def test_every_text_has_a_report_that_json_keeps_unchanged(text: str) -> None:
    """Scripts and exports get the report as JSON."""
    made = report(text)

    assert msgspec.json.decode(msgspec.json.encode(made), type=DeadLetterReport) == made
    assert (made.id, made.text, made.age_s, made.reads) == (ID, text, 3600, 3)
    assert made.inserted == "2026-11-22T05:00:00.000Z"
    assert made.detail


@given(texts, st.integers(1, 1000))
def test_the_reason_is_the_one_that_the_poller_would_find_now(text: str, max_attempts: int) -> None:
    """A text that can be decoded was received too often; the attempts follow from the reason."""
    made = report(text, max_attempts=max_attempts)
    decoded = decode_message(text, default_pillow="cloud", queued_us=NOW_US)

    if isinstance(decoded, Rejection):
        assert (made.reason, made.detail) == (decoded.reason, decoded.detail)
        assert (made.attempts_at_least, made.if_replayed) == (1, ReplayForecast.COMES_BACK)
    else:
        assert made.reason == Reason.TOO_MANY_ATTEMPTS
        assert made.attempts_at_least == max_attempts + 1
        assert made.if_replayed != ReplayForecast.COMES_BACK


@pytest.mark.parametrize(
    ("text", "forecast"),
    [
        (
            '{"pillow":"a","state":"hugging","at":"2026-11-22T05:00:00Z"}',
            ReplayForecast.BY_ITS_TIME,
        ),
        ('{"pillow":"a","state":"hugging"}', ReplayForecast.AS_SAID_NOW),
        ("hug", ReplayForecast.AS_SAID_NOW),
        # An `at` this far ahead is replaced by the insertion time, at the replay as well.
        (
            '{"pillow":"a","state":"hugging","at":"2099-01-01T00:00:00Z"}',
            ReplayForecast.AS_SAID_NOW,
        ),
        ("waltzing", ReplayForecast.COMES_BACK),
        ("", ReplayForecast.COMES_BACK),
    ],
)
def test_the_forecast_tells_a_state_with_a_time_of_its_own_from_one_without(
    text: str, forecast: ReplayForecast
) -> None:
    """An old state without a time would look new after a replay."""
    assert report(text).if_replayed == forecast


def test_an_age_is_never_negative() -> None:
    """The service's time is rounded down to seconds, so a letter may look newer than it."""
    assert report("what?", age_us=-1).age_s == 0
