"""Each error response becomes one exception, whose message names the setting to check."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.errors import (
    MAX_RETRY_AFTER_S,
    ErrorResponse,
    MessageNotFound,
    PopReceiptMismatch,
    QueueDenied,
    QueueNotFound,
    QueueUnavailable,
    bad_setting,
    invalid_response,
    no_credential,
    no_response,
    no_token,
    queue_deleted,
    queue_missing,
    queue_not_found,
    to_exception,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def http_date(moment: datetime) -> str:
    """Format a time as an HTTP header does."""
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("response", "kind", "message"),
    [
        (ErrorResponse(404, "QueueNotFound"), QueueNotFound, ""),
        (ErrorResponse(404, "MessageNotFound"), MessageNotFound, ""),
        (ErrorResponse(400, "PopReceiptMismatch"), PopReceiptMismatch, ""),
        (ErrorResponse(404, "PopReceiptMismatch"), PopReceiptMismatch, ""),
        (ErrorResponse(404, "ResourceNotFound"), QueueDenied, "QueueEndpoint"),
        (ErrorResponse(404), QueueDenied, "AZURE_STORAGE_QUEUE_ENDPOINT"),
        (ErrorResponse(409, "QueueBeingDeleted"), QueueUnavailable, "409 QueueBeingDeleted"),
        (ErrorResponse(500, "OperationTimedOut"), QueueUnavailable, "500 OperationTimedOut"),
        (ErrorResponse(502), QueueUnavailable, "502"),
        (ErrorResponse(503, "ServerBusy"), QueueUnavailable, "2,000 messages a second"),
        (ErrorResponse(429), QueueUnavailable, "too many requests"),
        (ErrorResponse(408), QueueUnavailable, "408"),
        (ErrorResponse(401), QueueDenied, "AZURE_STORAGE_CONNECTION_STRING"),
        (ErrorResponse(403, "AuthenticationFailed"), QueueDenied, "AccountKey"),
        (ErrorResponse(403, "AuthorizationPermissionMismatch"), QueueDenied, "lacks a right"),
        (ErrorResponse(400, "InvalidHeaderValue"), QueueDenied, "--skipApiVersionCheck"),
        (
            ErrorResponse(400, "OutOfRangeInput", "too short"),
            QueueDenied,
            "OutOfRangeInput: too short",
        ),
        (ErrorResponse(200), QueueDenied, "200"),
    ],
    ids=str,
)
def test_each_response_has_its_exception_and_a_message_that_helps(
    response: ErrorResponse, kind: type[Exception], message: str
) -> None:
    """The exception decides what happens next, and the message names the setting to check."""
    raised = to_exception(response, NOW)

    assert type(raised) is kind
    assert message in str(raised)


@pytest.mark.parametrize("offset", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_more_than_15_minutes_off_is_named_as_the_reason(offset: timedelta) -> None:
    """The service answers a wrong clock with the same code as a wrong key."""
    raised = to_exception(
        ErrorResponse(403, "AuthenticationFailed", date=http_date(NOW + offset)), NOW
    )

    assert "clock differs by 3600 s" in str(raised)


def test_an_expired_shared_access_signature_is_named_as_the_reason() -> None:
    """It has the same code as a wrong key; only the service's sentence differs."""
    detail = "Signature not valid in the specified time frame: Start [...] - Expiry [...]"
    raised = to_exception(ErrorResponse(403, "AuthenticationFailed", detail, http_date(NOW)), NOW)

    assert "shared access signature has expired" in str(raised)


@pytest.mark.parametrize(
    ("retry_after", "expected_s"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("999999", MAX_RETRY_AFTER_S),
        (http_date(NOW + timedelta(seconds=9)), 9.0),
        (http_date(NOW - timedelta(seconds=9)), 0.0),
        ("soon", 0.0),
        ("-1", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_is_120_s_at_most(
    retry_after: str, expected_s: float
) -> None:
    """A value that is neither counts as 0."""
    raised = to_exception(ErrorResponse(503, "ServerBusy", retry_after=retry_after), NOW)

    assert isinstance(raised, QueueUnavailable)
    assert raised.retry_after_s == expected_s
    assert ("next request in" in str(raised)) == (expected_s > 0)


def test_a_date_in_retry_after_is_compared_with_the_service_s_own_clock() -> None:
    """This machine's may be an hour ahead."""
    date, until = NOW - timedelta(hours=1), NOW - timedelta(hours=1) + timedelta(seconds=9)

    raised = to_exception(
        ErrorResponse(503, "ServerBusy", date=http_date(date), retry_after=http_date(until)), NOW
    )

    assert isinstance(raised, QueueUnavailable)
    assert raised.retry_after_s == 9


def test_a_missing_credential_names_the_settings_and_quotes_one_line_of_the_sdk() -> None:
    """The SDK's message has one line a credential that it tried."""
    raised = no_credential("DefaultAzureCredential failed\nand a page of reasons")

    assert "DefaultAzureCredential failed; check AZURE_STORAGE_CONNECTION_STRING" in str(raised)
    assert "page of reasons" not in str(raised)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (no_token(OSError("down")), "the identity this process runs as"),
        (no_response("http://host/q", OSError("refused")), "AZURE_STORAGE_QUEUE_ENDPOINT"),
        (invalid_response("http://host/q", ValueError("not XML")), "not XML"),
        (bad_setting("THE_SETTING", ValueError("bad")), "THE_SETTING cannot be used: bad"),
        (queue_not_found("states", "QUEUE_NAME"), "no queue states; .* QUEUE_NAME is wrong"),
        (queue_missing("letters", "POISON_QUEUE_NAME"), "no queue letters, .* POISON_QUEUE_NAME"),
        (queue_deleted(), "QUEUE_NAME, POISON_QUEUE_NAME"),
    ],
    ids=str,
)
def test_an_error_without_a_response_names_what_to_check(raised: Exception, message: str) -> None:
    """A setting, or the address."""
    assert re.search(message, str(raised))


texts = st.text(max_size=40)
dates = st.datetimes(timezones=st.just(UTC)).map(http_date)


@given(
    response=st.builds(
        ErrorResponse,
        status=st.integers(100, 599),
        code=texts | st.sampled_from(["ServerBusy", "QueueNotFound", "MessageNotFound"]),
        detail=texts,
        date=texts | dates,
        retry_after=texts | st.integers(-5, 10**6).map(str) | dates,
    )
)
def test_every_response_has_an_exception_and_no_wait_exceeds_120_s(
    response: ErrorResponse,
) -> None:
    """Whatever the headers contain."""
    raised = to_exception(response, NOW)

    kinds = (QueueNotFound, MessageNotFound, PopReceiptMismatch, QueueUnavailable, QueueDenied)
    assert isinstance(raised, kinds)
    if isinstance(raised, QueueUnavailable):
        assert 0 <= raised.retry_after_s <= MAX_RETRY_AFTER_S


@pytest.mark.parametrize(
    ("status", "code", "suspects_page"),
    [
        (500, "", True),
        (500, "OperationTimedOut", False),
        (503, "ServerBusy", False),
        (503, "", False),
    ],
)
def test_only_an_error_without_a_code_may_be_due_to_a_message_of_the_page(
    status: int, code: str, suspects_page: bool
) -> None:
    """Azurite answers so to a message that it cannot return; Azure always gives a code."""
    error = to_exception(ErrorResponse(status, code), datetime.now(UTC))

    assert isinstance(error, QueueUnavailable)
    assert error.suspects_page is suspects_page
