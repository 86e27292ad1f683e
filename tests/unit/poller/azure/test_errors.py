"""What the queue service's answers mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poller.azure.errors import (
    MOST_WAIT_S,
    Answer,
    LeaseLost,
    MessageGone,
    QueueGone,
    meaning,
    not_signed_in,
)
from poller.queues import QueueDenied, QueueUnavailable

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def http_date(moment: datetime) -> str:
    """A moment as HTTP headers say it."""
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (Answer(404, "QueueNotFound"), QueueGone, ""),
        (Answer(404, "MessageNotFound"), MessageGone, ""),
        (Answer(400, "PopReceiptMismatch"), LeaseLost, ""),
        (Answer(404, "PopReceiptMismatch"), LeaseLost, ""),
        (Answer(404, "ResourceNotFound"), QueueDenied, "QueueEndpoint"),
        (Answer(404), QueueDenied, "AZURE_STORAGE_QUEUE_ENDPOINT"),
        (Answer(409, "QueueBeingDeleted"), QueueUnavailable, "409 QueueBeingDeleted"),
        (Answer(500, "OperationTimedOut"), QueueUnavailable, "500 OperationTimedOut"),
        (Answer(502), QueueUnavailable, "502"),
        (Answer(503, "ServerBusy"), QueueUnavailable, "2,000 messages a second"),
        (Answer(429), QueueUnavailable, "more than it allows"),
        (Answer(408), QueueUnavailable, "408"),
        (Answer(401), QueueDenied, "AZURE_STORAGE_CONNECTION_STRING"),
        (Answer(403, "AuthenticationFailed"), QueueDenied, "AccountKey"),
        (Answer(403, "AuthorizationPermissionMismatch"), QueueDenied, "lacks a right"),
        (Answer(400, "InvalidHeaderValue"), QueueDenied, "--skipApiVersionCheck"),
        (Answer(400, "OutOfRangeInput", "too short"), QueueDenied, "OutOfRangeInput: too short"),
        (Answer(200), QueueDenied, "200"),
    ],
    ids=str,
)
def test_an_answer_says_what_to_do(answer: Answer, kind: type[Exception], says: str) -> None:
    """Each kind is its own exception, and its sentence names what to look at."""
    raised = meaning(answer, NOW)

    assert type(raised) is kind
    assert says in str(raised)


@pytest.mark.parametrize("offset", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_is_off_is_named_as_the_reason(offset: timedelta) -> None:
    """A signature is refused for a wrong clock exactly as for a wrong key."""
    raised = meaning(Answer(403, "AuthenticationFailed", date=http_date(NOW + offset)), NOW)

    assert "clock is 3600 s off" in str(raised)


def test_a_signature_that_has_expired_is_named_as_the_reason() -> None:
    """It is refused with the same code as a wrong key; only the service's sentence tells."""
    said = "Signature not valid in the specified time frame: Start [...] - Expiry [...]"
    raised = meaning(Answer(403, "AuthenticationFailed", said, http_date(NOW)), NOW)

    assert "shared access signature has expired" in str(raised)


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("999999", MOST_WAIT_S),
        (http_date(NOW + timedelta(seconds=9)), 9.0),
        (http_date(NOW - timedelta(seconds=9)), 0.0),
        ("soon", 0.0),
        ("-1", 0.0),
        ("", 0.0),
    ],
)
def test_a_queue_that_wants_to_be_left_alone_says_for_how_long(said: str, wait_s: float) -> None:
    """In seconds or as a date, within what a lease can bear."""
    raised = meaning(Answer(503, "ServerBusy", retry_after=said), NOW)

    assert isinstance(raised, QueueUnavailable)
    assert raised.retry_after_s == wait_s
    assert ("left alone for" in str(raised)) == (wait_s > 0)


def test_who_cannot_sign_in_at_all_is_told_where_to_look() -> None:
    """An identity's error is long; its first line says it."""
    raised = not_signed_in("DefaultAzureCredential failed\nand a page of reasons")

    assert "DefaultAzureCredential failed; look at" in str(raised)
    assert "page of reasons" not in str(raised)


texts = st.text(max_size=40)
moments = st.datetimes(timezones=st.just(UTC)).map(http_date)


@given(
    answer=st.builds(
        Answer,
        status=st.integers(100, 599),
        code=texts | st.sampled_from(["ServerBusy", "QueueNotFound", "MessageNotFound"]),
        detail=texts,
        date=texts | moments,
        retry_after=texts | st.integers(-5, 10**6).map(str) | moments,
    )
)
def test_any_answer_has_a_meaning(answer: Answer) -> None:
    """And no wait is ever negative, or longer than a lease can bear."""
    raised = meaning(answer, NOW)

    kinds = (QueueGone, MessageGone, LeaseLost, QueueUnavailable, QueueDenied)
    assert isinstance(raised, kinds)
    if isinstance(raised, QueueUnavailable):
        assert 0 <= raised.retry_after_s <= MOST_WAIT_S
