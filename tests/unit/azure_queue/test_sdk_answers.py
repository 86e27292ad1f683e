"""The queue's answers, decoded by this package and by Azure's SDK from the same bytes.

Intended differences, each of them tested below:

- A page with a message that lacks its id, receipt, insertion time or count is refused as a whole,
  because such a message could not be deleted. The SDK returns it with None.
- A body with another root, or with something beside messages, is refused. The SDK skips what it
  does not know.
- A date may lack its weekday.
- An element of a page is a message whatever its name is.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import pytest
from azure.storage.queue import QueueClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azure_queue.development_account import ACCOUNT_NAME
from azure_queue.xml_codec import InvalidPage, decode_page
from tests.hypothesis_profiles import examples


class Seen(NamedTuple):
    """What a consumer uses of a message."""

    id: str | None
    receipt: str | None
    text: str
    inserted_s: float | None
    deliveries: int | None


class Service:
    """A queue service that answers each request with the same body, and the SDK's client of it."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.body = b""
        self.client = QueueClient(
            f"http://127.0.0.1:{server.server_address[1]}/{ACCOUNT_NAME}",
            "pillow-state",
            credential="sig=none",
            retry_total=0,
        )

    def by_sdk(self, body: bytes) -> list[Seen] | None:
        """Return the messages that the SDK reads; None where it raises."""
        self.body = body
        try:
            pages = self.client.receive_messages(messages_per_page=32).by_page()
            page: Iterator[Any] = next(iter(pages), iter(()))
            return [
                Seen(
                    one.id,
                    one.pop_receipt,
                    one.content or "",
                    one.inserted_on.timestamp() if one.inserted_on is not None else None,
                    one.dequeue_count,
                )
                for one in page
            ]
        except Exception:  # of many kinds: ParseError, AttributeError, its own
            return None


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(running.body)))
            self.end_headers()
            self.wfile.write(running.body)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Service(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def by_us(body: bytes) -> list[Seen] | None:
    """Return the messages that this package reads; None for a page that is refused."""
    try:
        return [
            Seen(one.id, one.pop_receipt, one.text, one.inserted_us / 1e6, one.dequeue_count)
            for one in decode_page(body)
        ]
    except InvalidPage:
        return None


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"),
    max_size=40,
).map(escape)
FIELDS = {
    "MessageId": st.uuids().map(str) | texts,
    "InsertionTime": st.sampled_from(
        ["Sun, 22 Nov 2026 06:00:00 GMT", "Mon, 01 Jan 2024 23:59:59 GMT", "now", ""]
    ),
    "ExpirationTime": st.sampled_from(["Sun, 29 Nov 2026 06:00:00 GMT"]),
    "PopReceipt": st.text("AZaz09+/=", max_size=12),
    "TimeNextVisible": st.sampled_from(["Sun, 22 Nov 2026 06:00:30 GMT"]),
    "DequeueCount": st.integers(-1, 9999).map(str) | st.sampled_from(["", "1.5", "x"]),
    "MessageText": texts,
}


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    """A page, of which some messages lack something, have it twice, or have too much."""
    messages = []
    for _ in range(draw(st.integers(0, 3))):
        names = list(FIELDS)
        for _ in range(draw(st.integers(0, 1))):
            name = draw(st.sampled_from([*FIELDS, "Other"]))
            names = draw(st.sampled_from([[*names, name], [one for one in names if one != name]]))
        parts = [f"<{name}>{draw(FIELDS.get(name, texts))}</{name}>" for name in names]
        messages.append(f"<QueueMessage>{''.join(parts)}</QueueMessage>")
    declaration = draw(st.sampled_from(["", '<?xml version="1.0" encoding="utf-8"?>', "\ufeff"]))
    return f"{declaration}<QueueMessagesList>{''.join(messages)}</QueueMessagesList>".encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A page with a few bytes changed."""
    page = bytearray(draw(pages()))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(page)))
        page[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=3))
    return bytes(page)


@settings(max_examples=examples(60))
@given(body=pages() | damaged())
@example(body=b"<QueueMessagesList/>")
@example(body=b"<QueueMessagesList></QueueMessagesLis")
@example(body=b"")
def test_what_this_package_reads_the_sdk_reads_alike(service: Service, body: bytes) -> None:
    """And a whole page that the SDK reads is read here."""
    ours, theirs = by_us(body), service.by_sdk(body)

    if ours is not None and theirs is not None:
        assert ours == theirs
    if ours is None and theirs:
        assert any(None in one or "" in one[:2] for one in theirs), "refused a whole page"


MESSAGE = (
    "<QueueMessage><MessageId>a</MessageId>"
    "<InsertionTime>Sun, 22 Nov 2026 06:00:00 GMT</InsertionTime>"
    "<PopReceipt>r</PopReceipt><DequeueCount>1</DequeueCount><MessageText>x</MessageText>"
    "</QueueMessage>"
)
WHOLE = [Seen("a", "r", "x", 1_795_327_200.0, 1)]
EMPTY = [WHOLE[0]._replace(text="")]
PAGE = f"<QueueMessagesList>{MESSAGE}</QueueMessagesList>"


@pytest.mark.parametrize(
    ("before", "after", "ours", "theirs"),
    [
        ("", "", WHOLE, WHOLE),
        ("<MessageText>x</MessageText>", "", EMPTY, EMPTY),
        ("<MessageId>a</MessageId>", "", None, [WHOLE[0]._replace(id=None)]),
        ("<PopReceipt>r</PopReceipt>", "", None, [WHOLE[0]._replace(receipt=None)]),
        ("<DequeueCount>1</DequeueCount>", "", None, [WHOLE[0]._replace(deliveries=None)]),
        ("<QueueMessagesList>", "<QueueMessagesList><Other/>", None, WHOLE),
        ("QueueMessagesList", "Error", None, WHOLE),
        ("Sun, 22", "22", WHOLE, None),
        ("QueueMessage>", "Message>", WHOLE, []),
        (">1<", ">1.5<", None, None),
    ],
)  # fmt: skip
def test_the_intended_differences(
    service: Service, before: str, after: str, ours: list[Seen] | None, theirs: list[Seen] | None
) -> None:
    """A new version of the SDK may make one obsolete."""
    body = PAGE.replace(before, after).encode()

    assert (by_us(body), service.by_sdk(body)) == (ours, theirs)
