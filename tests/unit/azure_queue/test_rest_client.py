"""The requests to one queue: their form, and the exceptions for their responses."""

from collections.abc import Iterable

import pytest

from azure_queue.auth import Headers, Query
from azure_queue.errors import (
    MessageNotFound,
    PopReceiptMismatch,
    QueueDenied,
    QueueNotFound,
    QueueUnavailable,
)
from azure_queue.http_pool import NoResponse, Response
from azure_queue.rest_client import RestClient
from azure_queue.service import API_VERSION, NEVER_EXPIRES
from azure_queue.xml_codec import QueueMessage

URL = "https://account.queue.core.windows.net/pillow-state"
PAGE = (
    b"<QueueMessagesList><QueueMessage><MessageId>an-id</MessageId>"
    b"<InsertionTime>Sun, 22 Nov 2026 06:00:00 GMT</InsertionTime><PopReceipt>r</PopReceipt>"
    b"<DequeueCount>2</DequeueCount><MessageText>HUG</MessageText></QueueMessage>"
    b"</QueueMessagesList>"
)
SIX_US = 1_795_327_200_000_000


class FakeHttp:
    """An HTTP client that records requests and returns one response, or raises an error."""

    def __init__(self, response: Response | NoResponse) -> None:
        self.sent: list[tuple[str, str, dict[str, str], bytes]] = []
        self.is_closed = False
        self._response = response

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Response:
        self.sent.append((method, target, dict(headers), body))
        if isinstance(self._response, NoResponse):
            raise self._response
        return self._response

    async def close(self) -> None:
        self.is_closed = True


class FakeAuth:
    """Authorizes with a constant header, and records what it was given."""

    def __init__(self) -> None:
        self.signed: list[tuple[str, str, Query, int]] = []
        self.invalidated = 0

    async def headers(self, method: str, path: str, query: Query, length: int = 0) -> Headers:
        self.signed.append((method, path, query, length))
        return (("Authorization", "proof"),)

    def invalidate(self) -> None:
        self.invalidated += 1


def response(status: int, body: bytes = b"", **headers: str) -> Response:
    """A response; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Response(status, named, body)


async def test_a_receive_returns_the_page_and_the_service_s_time() -> None:
    """The request names the limit and the lease, and carries version and authorization."""
    http, auth = FakeHttp(response(200, PAGE, date="Sun, 22 Nov 2026 06:00:00 GMT")), FakeAuth()
    page, time = await RestClient(URL, auth, http).receive(32, 30)

    assert page == [QueueMessage("an-id", "r", "HUG", SIX_US, 2)]
    assert (time.date_us, time.leased_us, time.inserted_us) == (SIX_US, None, SIX_US)
    assert time.sent_s <= time.received_s
    [(method, target, headers, body)] = http.sent
    assert (method, body) == ("GET", b"")
    assert target == "/pillow-state/messages?numofmessages=32&visibilitytimeout=30"
    assert headers["Host"] == "account.queue.core.windows.net"
    assert (headers["x-ms-version"], headers["Authorization"]) == (API_VERSION, "proof")


@pytest.mark.parametrize("date", ["", "yesterday"])
async def test_a_missing_or_invalid_date_is_no_time(date: str) -> None:
    """The messages are returned all the same."""
    http = FakeHttp(response(200, PAGE, date=date))
    page, time = await RestClient(URL, FakeAuth(), http).receive(1, 30)

    assert (len(page), time.date_us) == (1, None)


async def test_the_end_of_a_lease_tells_the_service_s_time_too() -> None:
    """A page has it also where a proxy removes the header Date."""
    visible = b"<TimeNextVisible>Sun, 22 Nov 2026 06:00:31 GMT</TimeNextVisible></QueueMessage>"
    http = FakeHttp(response(200, PAGE.replace(b"</QueueMessage>", visible)))
    _, time = await RestClient(URL, FakeAuth(), http).receive(1, 30)

    assert (time.date_us, time.leased_us) == (None, SIX_US + 1_000_000)


async def test_an_id_and_a_receipt_are_escaped_in_the_target_and_signed_decoded() -> None:
    """So that no text of the service changes the request line."""
    http, auth = FakeHttp(response(204)), FakeAuth()
    await RestClient(URL, auth, http).delete("an id/../x", "a+b/c==")

    [(method, target, _, _)] = http.sent
    assert method == "DELETE"
    assert target == "/pillow-state/messages/an%20id%2F..%2Fx?popreceipt=a%2Bb%2Fc%3D%3D"
    assert auth.signed[0][2] == (("popreceipt", "a+b/c=="),)


async def test_a_put_returns_the_message_s_id() -> None:
    """Its length is signed and sent."""
    http, auth = FakeHttp(response(201, PAGE)), FakeAuth()
    assert await RestClient(URL, auth, http).put("a&b", NEVER_EXPIRES) == "an-id"

    [(method, target, headers, body)] = http.sent
    assert (method, target) == ("POST", "/pillow-state/messages?messagettl=-1")
    assert body == b"<QueueMessage><MessageText>a&amp;b</MessageText></QueueMessage>"
    assert (headers["Content-Length"], auth.signed[0][3]) == (str(len(body)), len(body))


async def test_a_shared_access_signature_is_sent_and_not_shown() -> None:
    """It is a secret, so no message contains it."""
    http = FakeHttp(NoResponse("no connection: refused"))
    queue = RestClient(f"{URL}?sv=2&sig=secret", FakeAuth(), http)
    with pytest.raises(QueueUnavailable, match=f"no response from {URL}: no connection") as caught:
        await queue.delete("an-id", "r")

    assert http.sent[0][1].endswith("?popreceipt=r&sv=2&sig=secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (response(404, x_ms_error_code="QueueNotFound"), QueueNotFound),
        (response(404, b"<Error><Code>MessageNotFound</Code></Error>"), MessageNotFound),
        (response(400, x_ms_error_code="PopReceiptMismatch"), PopReceiptMismatch),
        (response(503, b"busy", retry_after="7"), QueueUnavailable),
        (response(403, x_ms_error_code="AuthenticationFailed"), QueueDenied),
    ],
)
async def test_every_operation_raises_the_exception_of_its_response(
    answer: Response, raised: type[Exception]
) -> None:
    """The code is read from the header, or from the body; a 403 discards the credential."""
    auth = FakeAuth()
    queue = RestClient(URL, auth, FakeHttp(answer))
    for operation in (queue.receive(1, 30), queue.delete("an-id", "r"), queue.put("x", 60)):
        with pytest.raises(raised):
            await operation

    assert auth.invalidated == (3 if answer.status == 403 else 0)


async def test_a_page_that_cannot_be_decoded_is_unavailable() -> None:
    """A proxy may answer 200 with a page of its own."""
    with pytest.raises(QueueUnavailable, match="not a page of messages but <html>"):
        await RestClient(URL, FakeAuth(), FakeHttp(response(200, b"<html/>"))).receive(1, 30)


async def test_a_page_of_more_messages_than_requested_is_unavailable() -> None:
    """The poller's window has no room for them, and its invariant would end the worker."""
    two = PAGE.replace(b"</QueueMessagesList>", PAGE.removeprefix(b"<QueueMessagesList>"))
    with pytest.raises(QueueUnavailable, match="2 messages instead of at most 1"):
        await RestClient(URL, FakeAuth(), FakeHttp(response(200, two))).receive(1, 30)


async def test_close_closes_the_connections() -> None:
    """The client owns its HTTP client."""
    http = FakeHttp(response(204))
    await RestClient(URL, FakeAuth(), http).close()

    assert http.is_closed
