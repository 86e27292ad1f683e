"""Encodes and decodes the XML of the queue service. Pure.

Source: the REST reference, pages "Get Messages", "Put Message" and "Status and error codes".
"""

from calendar import timegm
from dataclasses import dataclass
from email.utils import parsedate
from functools import lru_cache
from typing import Final
from xml.etree import ElementTree as Xml  # loads no DTD, and expat limits the growth of entities
from xml.sax.saxutils import escape

# An unknown encoding, one that expat does not support, a year that no calendar has.
_PARSE_ERRORS = (Xml.ParseError, LookupError, ValueError, OverflowError)

MAX_DEQUEUE_COUNT: Final = 2**31 - 1
"""The largest count that is told; a metric cannot hold every number that digits can write."""


class InvalidPage(ValueError):
    """The body is no page of messages; the message says why."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message of a page.

    `pop_receipt` is empty for a message that was only peeked at.
    `inserted_us` is its insertion time in Unix microseconds; the service rounds it to seconds.
    `dequeue_count` is how often it was received, this time included.
    `visible_us` is when its lease ends, by the queue's clock in Unix microseconds, where the
    service reports it.
    """

    id: str
    pop_receipt: str
    text: str
    inserted_us: int
    dequeue_count: int
    visible_us: int | None = None


def decode_page(body: bytes) -> list[QueueMessage]:
    """Decode the response to Get Messages; raises InvalidPage."""
    try:
        page = Xml.fromstring(body)  # noqa: S314 - see the import
        if page.tag != "QueueMessagesList":
            raise InvalidPage(f"not a page of messages but <{page.tag[:40]}>")
        return [
            QueueMessage(
                _text(message, "MessageId"),
                _text(message, "PopReceipt"),
                message.findtext("MessageText") or "",
                _inserted_us(_text(message, "InsertionTime")),
                min(MAX_DEQUEUE_COUNT, max(0, int(_text(message, "DequeueCount")))),
                parse_http_date_us(message.findtext("TimeNextVisible") or ""),
            )
            for message in page
        ]
    except InvalidPage:
        raise
    except _PARSE_ERRORS as error:
        raise InvalidPage(f"a page of messages that cannot be decoded: {error}") from None


def decode_error(body: bytes) -> tuple[str, str]:
    """Return the code and the sentence of an error's body; both are empty where it has none."""
    try:
        error = Xml.fromstring(body)  # noqa: S314 - see the import
    except _PARSE_ERRORS:
        return "", ""
    detail = error.findtext("AuthenticationErrorDetail") or error.findtext("Message") or ""
    return error.findtext("Code") or "", detail


def decode_message_id(body: bytes) -> str | None:
    """Return the id in the response to Put Message; None where there is none."""
    try:
        return Xml.fromstring(body).findtext(".//MessageId")  # noqa: S314 - see the import
    except _PARSE_ERRORS:
        return None


def encode_message(text: str) -> bytes:
    """Encode the body of Put Message; every consumer receives `text` unchanged.

    A carriage return is escaped, because an XML parser reads a bare one as a line feed.
    """
    escaped = escape(text, {"\r": "&#13;"})
    return f"<QueueMessage><MessageText>{escaped}</MessageText></QueueMessage>".encode()


def _text(message: Xml.Element, name: str) -> str:
    text = message.findtext(name)
    if not text:
        raise InvalidPage(f"a message without {name}")
    return text


def _inserted_us(date: str) -> int:
    inserted_us = parse_http_date_us(date)
    if inserted_us is None:
        raise InvalidPage(f"InsertionTime is {date!r}")
    return inserted_us


@lru_cache(maxsize=256)
def parse_http_date_us(date: str) -> int | None:
    """Return a date of HTTP as Unix microseconds, in whole seconds; None if it is no date."""
    # Cached, because the messages of a page have few different times.
    fields = parsedate(date)
    if fields is None:
        return None
    try:
        return timegm(fields) * 1_000_000
    except (ValueError, OverflowError):
        return None
