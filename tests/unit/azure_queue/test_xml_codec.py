"""The XML of messages and errors: decoded unchanged, or refused."""

from contextlib import suppress
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.xml_codec import (
    MAX_DEQUEUE_COUNT,
    InvalidPage,
    QueueMessage,
    decode_error,
    decode_page,
)
from contract.timestamps import parse_timestamp

PAGE = """<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>%s</QueueMessagesList>"""
MESSAGE = (
    "<QueueMessage><MessageId>%s</MessageId>"
    "<InsertionTime>Sun, 22 Nov 2026 06:00:00 GMT</InsertionTime>"
    "<ExpirationTime>Sun, 29 Nov 2026 06:00:00 GMT</ExpirationTime>"
    "<PopReceipt>%s</PopReceipt>"
    "<TimeNextVisible>Sun, 22 Nov 2026 06:00:30 GMT</TimeNextVisible>"
    "<DequeueCount>%d</DequeueCount><MessageText>%s</MessageText></QueueMessage>"
)
QUEUED_US = parse_timestamp("2026-11-22T06:00:00Z") or 0


def test_an_empty_page_has_no_messages() -> None:
    """With and without a byte order mark, as the service and Azurite write it."""
    assert decode_page((PAGE % "").encode()) == []
    assert decode_page(b"\xef\xbb\xbf" + (PAGE % "").encode()) == []
    assert decode_page(b'<?xml version="1.0" encoding="utf-8"?><QueueMessagesList />') == []


printable = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("\t\n"),
    max_size=200,
).filter(lambda text: not {"\ufffe", "\uffff"} & set(text))


@given(
    messages=st.lists(
        st.tuples(st.uuids(), st.text("AZaz09+/=", min_size=1), st.integers(1, 999), printable),
        max_size=4,
    )
)
def test_a_text_is_decoded_unchanged(
    messages: list[tuple[object, str, int, str]],
) -> None:
    """With characters that XML escapes, and whitespace at either end."""
    page = PAGE % "".join(
        MESSAGE % (name, receipt, count, escape(text)) for name, receipt, count, text in messages
    )

    assert decode_page(page.encode()) == [
        QueueMessage(str(name), receipt, text, QUEUED_US, count, QUEUED_US + 30_000_000)
        for name, receipt, count, text in messages
    ]


@pytest.mark.parametrize(("written", "told"), [(-1, 0), (3, 3), (10**400, MAX_DEQUEUE_COUNT)])
def test_the_number_of_deliveries_is_bounded(written: int, told: int) -> None:
    """Arithmetic and metrics follow."""
    (message,) = decode_page((PAGE % (MESSAGE % ("m", "r", written, "hug"))).encode())
    assert message.dequeue_count == told


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"<html>A proxy says hello</html",
        (PAGE % (MESSAGE % ("a", "b", 1, "\x07"))).encode(),
        (PAGE % (MESSAGE % ("", "b", 1, "x"))).encode(),
        (PAGE % (MESSAGE % ("a", "", 1, "x"))).encode(),
        (PAGE % (MESSAGE % ("a", "b", 1, "x"))).replace("Sun, 22 Nov", "some day in").encode(),
        (PAGE % (MESSAGE % ("a", "b", 1, "x"))).replace(">1<", ">one<").encode(),
        (PAGE % "<QueueMessage/>").encode(),
    ],
)
def test_an_invalid_page_is_refused_as_a_whole(broken: bytes) -> None:
    """No message of it is returned."""
    with pytest.raises(InvalidPage):
        decode_page(broken)


@given(body=st.binary(max_size=200) | printable.map(str.encode))
def test_decoding_any_bytes_raises_invalid_page_or_nothing(body: bytes) -> None:
    """No other exception, for a page or an error."""
    with suppress(InvalidPage):
        decode_page(body)
    decode_error(body)


def test_an_error_is_decoded_as_its_code_and_its_most_detailed_sentence() -> None:
    """Both are empty for a body that is no error of the service."""
    plain = b"<Error><Code>ServerBusy</Code><Message>Slow down.</Message></Error>"
    detailed = (
        b"<Error><Code>AuthenticationFailed</Code><Message>No.</Message>"
        b"<AuthenticationErrorDetail>Signature not valid</AuthenticationErrorDetail></Error>"
    )

    assert decode_error(plain) == ("ServerBusy", "Slow down.")
    assert decode_error(detailed) == ("AuthenticationFailed", "Signature not valid")
    assert decode_error(b"Bad Gateway") == ("", "")
