"""The format of a recording: JSON Lines.

The first line is a header. Each other line is one message: `t` in seconds after the start, its
`pillow`, and its `body` as text, or as `base64` where it is not UTF-8; or an availability.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from contract.messages import decode_message
from contract.timestamps import format_timestamp

VERSION: Final = 1


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line: the format's version, the recorded source, and when the recording began."""

    pillowcast_recording: int = msgspec.field(name="pillowcast-recording")
    source: str = msgspec.field(name="from")
    began: str = ""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message, or one availability (`availability` instead of a body)."""

    t: float
    pillow: str = ""
    body: str | None = None
    base64: str | None = None
    availability: str | None = None
    retained: bool = False


class InvalidRecording(Exception):
    """A file that is not a recording; the message names the file and the line."""


_header_decoder: Final = msgspec.json.Decoder(Header)
_line_decoder: Final = msgspec.json.Decoder(Line)


def encode_header(source: str, began_us: int) -> bytes:
    """Return the first line; `began_us` is in microseconds since 1970."""
    return msgspec.json.encode(Header(VERSION, source, format_timestamp(began_us))) + b"\n"


def encode_line(
    t: float,
    pillow: str,
    body: bytes,
    *,
    availability: str | None = None,
    retained: bool = False,
) -> bytes:
    """Return the line of a message, or of an availability."""
    text: str | None = None
    base64: str | None = None
    if availability is None:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            base64 = b64encode(body).decode()
    line = Line(round(t, 3), pillow, text, base64, availability, retained)
    return msgspec.json.encode(line) + b"\n"


def read_recording(lines: Iterable[bytes], *, name: str) -> Iterator[Line]:
    """Read a recording line by line; raises InvalidRecording, whose message begins with `name`."""
    numbered = enumerate(lines, 1)
    _, first = next(numbered, (1, b""))
    try:
        header = _header_decoder.decode(first)
    except msgspec.MsgspecError as error:
        raise InvalidRecording(
            f"{name}:1: not a recording of `simulator record`: {error}"
        ) from None
    if header.pillowcast_recording != VERSION:
        raise InvalidRecording(
            f"{name}:1: a recording of version {header.pillowcast_recording}; this simulator reads "
            f"version {VERSION}"
        )
    for number, text in numbered:
        if not text.strip():
            continue
        try:
            yield _line_decoder.decode(text)
        except msgspec.MsgspecError as error:
            raise InvalidRecording(f"{name}:{number}: {error}") from None


def pillow_of(body: bytes) -> str:
    """Return the pillow of a message from the queue; "" where the message does not contain it."""
    decoded = decode_message(body, default_pillow="unknown", queued_us=0)
    pillow = getattr(decoded, "pillow", "unknown")
    return "" if pillow == "unknown" else str(pillow)
