"""What an error of the queue service means, and the sentence that helps. Pure.

Every sentence that is shown to a person about the queue service is in this module, and names the
setting to check.
Status and error codes are those of Azure Storage: "Queue service error codes" and "Common REST API
error codes".
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from azure_queue.service import API_VERSION

MAX_CLOCK_SKEW_S: Final = 15 * 60
"""The service refuses a request signed with a key when its date differs by more than this."""

MAX_RETRY_AFTER_S: Final = 120.0
"""The longest `Retry-After` that is obeyed, because leases end while the poller waits."""

_CREDENTIAL_SETTINGS: Final = (
    "check AZURE_STORAGE_CONNECTION_STRING (AccountName, AccountKey or SharedAccessSignature) or, "
    "where AZURE_STORAGE_QUEUE_ENDPOINT is set, the identity this process runs as"
)
_MISSING_RIGHT_CODES: Final = frozenset(
    {
        "AuthorizationPermissionMismatch",
        "AuthorizationResourceTypeMismatch",
        "AuthorizationServiceMismatch",
        "InsufficientAccountPermissions",
    }
)


class QueueUnavailable(Exception):
    """The service gave no answer or a temporary error; a retry may succeed.

    `retry_after_s` is the value of its Retry-After header, 0 without one.
    `suspects_page` is true where the cause may be a message that the service cannot return.
    """

    def __init__(
        self, why: str, *, retry_after_s: float = 0.0, suspects_page: bool = False
    ) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s
        self.suspects_page = suspects_page


class QueueDenied(Exception):
    """The service refused the request; the message names the setting to check."""


class QueueNotFound(Exception):
    """The queue does not exist."""


class MessageNotFound(Exception):
    """The message is not in the queue."""


class PopReceiptMismatch(Exception):
    """The pop receipt is out of date: another consumer has received the message since."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """A response with an unexpected status.

    `code` is the header `x-ms-error-code` and `detail` the sentence in the body.
    `date` and `retry_after` are the headers of these names.
    A missing value is the empty string.
    """

    status: int
    code: str = ""
    detail: str = ""
    date: str = ""
    retry_after: str = ""


def to_exception(response: ErrorResponse, now: datetime) -> Exception:
    """Return the exception to raise for a response: one of the five of this module.

    `now` is the time of this machine's clock, which is compared with the service's.
    """
    status, code = response.status, response.code
    if code == "QueueNotFound":
        return QueueNotFound()
    if code == "MessageNotFound":
        return MessageNotFound()
    if code == "PopReceiptMismatch":
        return PopReceiptMismatch()
    # 409 is returned while a queue is being deleted.
    if status >= 500 or status in (408, 409, 429):
        return _unavailable(response, now)
    if status == 404:
        return QueueDenied(
            f"the queue service answered 404 {code}: there is no such account; check "
            "AZURE_STORAGE_CONNECTION_STRING (AccountName, QueueEndpoint) or "
            "AZURE_STORAGE_QUEUE_ENDPOINT"
        )
    if status in (401, 403):
        return QueueDenied(_why_credential_is_refused(response, now))
    if code == "InvalidHeaderValue":
        return QueueDenied(
            f"the queue service does not support API version {API_VERSION}; an old Azurite needs "
            "--skipApiVersionCheck"
        )
    return QueueDenied(f"the queue service answered {status} {code}: {response.detail}".strip(" :"))


def no_credential(why: str) -> QueueDenied:
    """Return what to raise when no credential could be obtained; `why` is the SDK's message."""
    first, _, _ = why.partition("\n")
    return QueueDenied(f"cannot sign in: {first}; {_CREDENTIAL_SETTINGS}")


def no_token(error: Exception) -> QueueUnavailable:
    """Return what to raise when the identity service gave no token for the queue service."""
    first, _, _ = str(error).partition("\n")
    return QueueUnavailable(
        f"no token for the queue service: {first}; if this lasts, check the identity this process "
        "runs as, or unset AZURE_STORAGE_QUEUE_ENDPOINT"
    )


def no_response(url: str, error: BaseException) -> QueueUnavailable:
    """Return what to raise when the service at `url` gave no response."""
    first, _, _ = str(error).partition("\n")
    return QueueUnavailable(
        f"no response from {url}: {first}; if the address is wrong, check "
        "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_QUEUE_ENDPOINT"
    )


def invalid_response(url: str, error: Exception) -> QueueUnavailable:
    """Return what to raise when the service at `url` sent a body that cannot be decoded."""
    return QueueUnavailable(
        f"{url}: {error}; if this lasts, check for a proxy in between", suspects_page=True
    )


def bad_setting(setting: str, error: Exception) -> QueueDenied:
    """Return what to raise when no client can be built from a setting."""
    return QueueDenied(f"{setting} cannot be used: {error}")


def queue_not_found(queue: str, setting: str) -> QueueUnavailable:
    """Return what to raise when a queue is missing that the caller must not create."""
    return QueueUnavailable(
        f"there is no queue {queue}; a poller creates it when it starts, unless {setting} is wrong"
    )


def queue_missing(queue: str, setting: str) -> QueueDenied:
    """Return what to raise when a queue is missing that the credential may not create."""
    return QueueDenied(
        f"there is no queue {queue}, and the credential may not create it; create it, or correct "
        f"{setting}"
    )


def queue_deleted() -> QueueUnavailable:
    """Return what to raise when a queue was deleted that the caller creates again."""
    return QueueUnavailable(
        "the queue was deleted; it is created again (see QUEUE_NAME, POISON_QUEUE_NAME)"
    )


def _unavailable(response: ErrorResponse, now: datetime) -> QueueUnavailable:
    message = f"the queue service answered {response.status} {response.code}".strip()
    # A date is one of the service's clock, and this machine's may differ from it.
    retry_after_s = _retry_after_s(response.retry_after, _parse_date(response.date) or now)
    if response.code == "ServerBusy" or response.status == 429:
        message += ": too many requests (the limit of one queue is 2,000 messages a second)"
    if retry_after_s:
        message += f"; it allows the next request in {retry_after_s:g} s"
    # 500 without a code: Azurite answers so to a page with a message that it cannot encode.
    suspects_page = response.status == 500 and not response.code
    return QueueUnavailable(message, retry_after_s=retry_after_s, suspects_page=suspects_page)


def _retry_after_s(value: str, now: datetime) -> float:
    """Parse a Retry-After header: seconds, or a date (RFC 9110 §10.2.3); 0 for anything else."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(MAX_RETRY_AFTER_S, float(text))
    until = _parse_date(text)
    if until is None:
        return 0.0
    return min(MAX_RETRY_AFTER_S, max(0.0, (until - now).total_seconds()))


def _why_credential_is_refused(response: ErrorResponse, now: datetime) -> str:
    code = response.code
    if code in _MISSING_RIGHT_CODES:
        return (
            f"{code}: the credential lacks a right; the poller's SAS needs process, update and add "
            "on both queues (create too, to create them, and read, for the depth and for poller "
            "dead-letters) or its identity the roles of docs/how-to/azure.md, like Storage Queue "
            "Data Contributor; the simulator's SAS needs add (and create)"
        )
    date = _parse_date(response.date)
    skew_s = 0.0 if date is None else abs((date - now).total_seconds())
    if skew_s > MAX_CLOCK_SKEW_S:
        return (
            f"{code}: this machine's clock differs by {skew_s:.0f} s from the queue service's, and "
            f"the limit for signed requests is {MAX_CLOCK_SKEW_S} s; set the clock"
        )
    if "time frame" in response.detail:
        return (
            f"{code}: the shared access signature has expired or is not valid yet (this machine's "
            f"clock differs by {skew_s:.0f} s from the queue service's); make a new one for "
            "AZURE_STORAGE_CONNECTION_STRING"
        )
    return (
        f"{code or response.status}: the queue service does not accept the credential; "
        f"{_CREDENTIAL_SETTINGS}"
    )


def _parse_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
