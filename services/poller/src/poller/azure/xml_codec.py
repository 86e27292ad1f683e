"""A page of messages, and an error, as the queue service writes them in XML. Pure.

Written out as in the REST reference, Get Messages and Status and error codes.
"""

from calendar import timegm
from dataclasses import dataclass
from email.utils import parsedate
from functools import lru_cache
from xml.etree import ElementTree as Xml  # no DTD is loaded, and expat bounds what entities grow to
from xml.sax.saxutils import escape

# An encoding that there is not, one that expat does not take, a year that no calendar has.
_UNREADABLE = (Xml.ParseError, LookupError, ValueError, OverflowError)


class BadPage(ValueError):
    """What came is no page of messages; says why."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message of a page. `queued_us` is its insertion time in Unix microseconds."""

    id: str
    receipt: str
    text: str
    queued_us: int
    attempts: int


def read_page(body: bytes) -> list[Delivered]:
    """Read the answer to Get Messages; raises BadPage."""
    try:
        page = Xml.fromstring(body)  # noqa: S314 - see the import
        if page.tag != "QueueMessagesList":
            raise BadPage(f"not a page of messages but <{page.tag[:40]}>")
        return [
            Delivered(
                _text(message, "MessageId"),
                _text(message, "PopReceipt"),
                message.findtext("MessageText") or "",
                _microseconds(_text(message, "InsertionTime")),
                int(_text(message, "DequeueCount")),
            )
            for message in page
        ]
    except BadPage:
        raise
    except _UNREADABLE as error:
        raise BadPage(f"a page of messages that cannot be read: {error}") from None


def read_error(body: bytes) -> tuple[str, str]:
    """Return the code and the sentence of an error's body; empty where there is none."""
    try:
        error = Xml.fromstring(body)  # noqa: S314 - see the import
    except _UNREADABLE:
        return "", ""
    detail = error.findtext("AuthenticationErrorDetail") or error.findtext("Message") or ""
    return error.findtext("Code") or "", detail


def _text(message: Xml.Element, name: str) -> str:
    text = message.findtext(name)
    if not text:
        raise BadPage(f"a message without {name}")
    return text


def read_id(body: bytes) -> str | None:
    """Return the id in the answer to Put Message, if there is one."""
    try:
        return Xml.fromstring(body).findtext(".//MessageId")  # noqa: S314 - see the import
    except _UNREADABLE:
        return None


def write_message(text: str) -> bytes:
    """Write the body of Put Message, so that every reader gets `text` word for word.

    A carriage return has to be escaped: XML takes a bare one for the end of a line.
    """
    said = escape(text, {"\r": "&#13;"})
    return f"<QueueMessage><MessageText>{said}</MessageText></QueueMessage>".encode()


@lru_cache(maxsize=256)
def _microseconds(date: str) -> int:
    # Whole seconds, and a page's messages were mostly queued in the same few.
    fields = parsedate(date)
    if fields is None:
        raise BadPage(f"InsertionTime is {date!r}")
    return timegm(fields) * 1_000_000
