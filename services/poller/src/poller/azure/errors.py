"""What the queue service's answers mean, whoever asked: the SDK or our own requests. Pure.

Status and error codes are those of Azure Storage: "Queue service error codes", "Common REST API
error codes".
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from poller.queues import QueueDenied, QueueUnavailable

API_VERSION: Final = "2025-11-05"
"""The newest service version that Azurite 3.35 speaks; Azure speaks every version since 2011."""

MOST_SKEW_S: Final = 15 * 60
"""A request signed with a key is refused when its date is further off than this."""

MOST_WAIT_S: Final = 120.0
"""The longest `Retry-After` that is obeyed: a lease must not end unnoticed for an odd answer."""

_WHERE: Final = (
    "look at AZURE_STORAGE_CONNECTION_STRING (AccountName, AccountKey or SharedAccessSignature) "
    "or, where AZURE_STORAGE_QUEUE_ENDPOINT is set, at the identity this process runs as"
)
_NO_RIGHT: Final = frozenset(
    {
        "AuthorizationPermissionMismatch",
        "AuthorizationResourceTypeMismatch",
        "AuthorizationServiceMismatch",
        "InsufficientAccountPermissions",
    }
)


class QueueGone(Exception):
    """The whole queue is not there."""


class MessageGone(Exception):
    """The message is not in the queue."""


class LeaseLost(Exception):
    """The receipt is out of date: somebody else has received the message since."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is not the one hoped for.

    `code` is the service's word for it (header `x-ms-error-code`), `detail` its sentence;
    `date` and `retry_after` are the headers of these names. Each may be missing, and is then empty.
    """

    status: int
    code: str = ""
    detail: str = ""
    date: str = ""
    retry_after: str = ""


def meaning(answer: Answer, now: datetime) -> Exception:
    """Return what to raise: one of the three above, QueueUnavailable or QueueDenied.

    `now` is this machine's clock, to be held against the service's.
    """
    status, code = answer.status, answer.code
    if code == "QueueNotFound":
        return QueueGone()
    if code == "MessageNotFound":
        return MessageGone()
    if code == "PopReceiptMismatch":
        return LeaseLost()
    # 409 is a queue that is being deleted.
    if status >= 500 or status in (408, 409, 429):
        return _unavailable(answer, now)
    if status == 404:
        return QueueDenied(
            f"the queue answered 404 {code}: there is no such account; look at "
            "AZURE_STORAGE_CONNECTION_STRING (AccountName, QueueEndpoint) or at "
            "AZURE_STORAGE_QUEUE_ENDPOINT"
        )
    if status in (401, 403):
        return QueueDenied(_why_not_signed_in(answer, now))
    if code == "InvalidHeaderValue":
        return QueueDenied(
            f"the queue does not speak service version {API_VERSION}; an Azurite this old needs "
            "--skipApiVersionCheck"
        )
    return QueueDenied(f"the queue answered {status} {code}: {answer.detail}".strip(" :"))


def not_signed_in(why: str) -> QueueDenied:
    """Return what to raise when no credential could be had at all."""
    first, _, _ = why.partition("\n")
    return QueueDenied(f"cannot sign in: {first}; {_WHERE}")


def _unavailable(answer: Answer, now: datetime) -> QueueUnavailable:
    said = f"the queue answered {answer.status} {answer.code}".strip()
    wait_s = _wait_s(answer.retry_after, now)
    if answer.code == "ServerBusy" or answer.status == 429:
        said += ": it is asked for more than it allows (one queue: 2,000 messages a second)"
    if wait_s:
        said += f"; it wants to be left alone for {wait_s:g} s"
    return QueueUnavailable(said, retry_after_s=wait_s)


def _wait_s(retry_after: str, now: datetime) -> float:
    """Read a Retry-After header: seconds, or a date (RFC 9110 §10.2.3); 0 for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(MOST_WAIT_S, float(text))
    until = _date(text)
    return 0.0 if until is None else min(MOST_WAIT_S, max(0.0, (until - now).total_seconds()))


def _why_not_signed_in(answer: Answer, now: datetime) -> str:
    """Say which setting to look at."""
    code = answer.code
    if code in _NO_RIGHT:
        return (
            f"{code}: the credential lacks a right; a SAS needs process and add on both queues "
            "(create too, to make them, and read, for depth and the tool dead-letters), an "
            "identity the role Storage Queue Data Contributor"
        )
    date = _date(answer.date)
    skew_s = 0.0 if date is None else abs((date - now).total_seconds())
    if skew_s > MOST_SKEW_S:
        return (
            f"{code}: this machine's clock is {skew_s:.0f} s off the queue's, and signed "
            f"requests may be {MOST_SKEW_S} s off; set the clock"
        )
    if "time frame" in answer.detail:
        return (
            f"{code}: the shared access signature has expired or is not valid yet (this machine's "
            f"clock is {skew_s:.0f} s off the queue's); make a new one for "
            "AZURE_STORAGE_CONNECTION_STRING"
        )
    return f"{code or answer.status}: the queue does not accept the credential; {_WHERE}"


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
