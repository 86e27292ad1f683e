"""Pages of messages and errors in the queue service's XML."""

from contextlib import suppress
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import parse_timestamp
from poller.azure.xml_codec import BadPage, Delivered, read_error, read_page

PAGE = """<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>%s</QueueMessagesList>"""
MESSAGE = (
    "<QueueMessage><MessageId>%s</MessageId>"
    "<InsertionTime>Sun, 22 Nov 2026 06:00:00 GMT</InsertionTime>"
    "<ExpirationTime>Sun, 29 Nov 2026 06:00:00 GMT</ExpirationTime>"
    "<PopReceipt>%s</PopReceipt>"
    "<TimeNextVisible>Sun, 22 Nov 2026 06:00:30 GMT</TimeNextVisible>"
    "<DequeueCount>%d</DequeueCount><MessageText>%s</MessageText></QueueMessage>"
)
QUEUED_US = parse_timestamp("2026-11-22T06:00:00Z")


def test_an_empty_page_is_no_messages() -> None:
    """As the service writes it, with and without a byte order mark."""
    assert read_page((PAGE % "").encode()) == []
    assert read_page(b"\xef\xbb\xbf" + (PAGE % "").encode()) == []
    assert read_page(b'<?xml version="1.0" encoding="utf-8"?><QueueMessagesList />') == []


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
def test_what_the_service_writes_is_read_word_for_word(
    messages: list[tuple[object, str, int, str]],
) -> None:
    """Whatever XML has to escape, and whitespace at either end."""
    page = PAGE % "".join(
        MESSAGE % (name, receipt, count, escape(text)) for name, receipt, count, text in messages
    )

    assert read_page(page.encode()) == [
        Delivered(str(name), receipt, text, QUEUED_US or 0, count)
        for name, receipt, count, text in messages
    ]


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
def test_what_is_no_page_says_so(broken: bytes) -> None:
    """A sentence, not half a page."""
    with pytest.raises(BadPage):
        read_page(broken)


@given(body=st.binary(max_size=200) | printable.map(str.encode))
def test_any_bytes_are_a_page_or_say_that_they_are_none(body: bytes) -> None:
    """Nothing else is raised, for a page as for an error."""
    with suppress(BadPage):
        read_page(body)
    read_error(body)


def test_an_error_has_a_code_and_a_sentence() -> None:
    """Of its sentences the one that says most."""
    plain = b"<Error><Code>ServerBusy</Code><Message>Slow down.</Message></Error>"
    detailed = (
        b"<Error><Code>AuthenticationFailed</Code><Message>No.</Message>"
        b"<AuthenticationErrorDetail>Signature not valid</AuthenticationErrorDetail></Error>"
    )

    assert read_error(plain) == ("ServerBusy", "Slow down.")
    assert read_error(detailed) == ("AuthenticationFailed", "Signature not valid")
    assert read_error(b"Bad Gateway") == ("", "")
