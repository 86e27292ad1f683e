"""Answers of the queue service: a page, an error or an id is decoded, or refused as a whole."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from azure_queue.errors import ErrorResponse, to_exception
from azure_queue.xml_codec import (
    InvalidPage,
    decode_error,
    decode_message_id,
    decode_page,
    encode_message,
    parse_http_date_us,
)
from tests.fuzz.byte_source import ByteSource

NOW = datetime(2025, 11, 22, 6, tzinfo=UTC)
STATUSES = (400, 403, 404, 409, 412, 429, 500, 503, 207, 999)
MAX_BYTES = 4096


def check(data: bytes) -> None:
    """Decode a body in each way; the first byte selects the status of an error."""
    source = ByteSource(data)
    status, body = source.choice(STATUSES), source.rest()
    with suppress(InvalidPage):
        for message in decode_page(body):
            assert message.id, "a message without an id cannot be deleted"
            assert message.pop_receipt, "a message without a receipt cannot be deleted"
            _check_text(message.text)
    decode_message_id(body)
    code, detail = decode_error(body)
    date = body[:40].decode("latin-1")
    parse_http_date_us(date)
    error = to_exception(ErrorResponse(status, code, detail, date, date[:9]), NOW)
    assert str(error), "an error says what to do"


def seeds() -> Iterator[bytes]:
    """Yield the bodies of the service, of Azurite and of a proxy."""
    message = (
        b"<QueueMessage><MessageId>5974b586-0df3-4e2d-ad0c-18e3892bfca2</MessageId>"
        b"<InsertionTime>Sat, 22 Nov 2025 06:00:00 GMT</InsertionTime>"
        b"<ExpirationTime>Sat, 29 Nov 2025 06:00:00 GMT</ExpirationTime>"
        b"<PopReceipt>YzQ4Yzg1MDI=</PopReceipt>"
        b"<TimeNextVisible>Sat, 22 Nov 2025 06:00:30 GMT</TimeNextVisible>"
        b"<DequeueCount>1</DequeueCount><MessageText>a &lt;b&#13;\n</MessageText></QueueMessage>"
    )
    declaration = b'\x00<?xml version="1.0" encoding="utf-8"?>'
    yield declaration + b"<QueueMessagesList>" + message * 2 + b"</QueueMessagesList>"
    yield declaration + b"<QueueMessagesList/>"
    yield declaration + b"<QueueMessagesList>" + message.replace(b">1<", b">-1e9<") + b"</Queue"
    yield b'\x05<?xml version="1.0" encoding="utf-7"?><Error><Code>ServerBusy</Code></Error>'
    yield b'\x01<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><Error><Code>&d;</Code></Error>'
    yield (
        b"\x02<Error><Code>AuthenticationFailed</Code><Message>No.</Message>"
        b"<AuthenticationErrorDetail>Signature not valid</AuthenticationErrorDetail></Error>"
    )
    yield b"\x06Sat, 22 Nov 99999999999 06:00:00 GMT"
    yield b"\x05Sat, 31 Feb 2025 25:61:61 -9999"
    yield b"\x0712"
    yield b"\x07<html><body>Bad Gateway</body></html>"


def _check_text(text: str) -> None:
    """What was received can be put on the poison queue, and is the same there."""
    body = encode_message(text)
    page = body.replace(
        b"<MessageText>",
        b"<MessageId>a</MessageId><PopReceipt>b</PopReceipt><DequeueCount>1</DequeueCount>"
        b"<InsertionTime>Sat, 22 Nov 2025 06:00:00 GMT</InsertionTime><MessageText>",
    )
    (copy,) = decode_page(b"<QueueMessagesList>%b</QueueMessagesList>" % page)
    assert copy.text == text, "a dead letter has another text than the message"
