"""Queue messages: any body in, a parsed message or a rejection out, never an exception.

A message reports the state of a pillow.
This module knows every form that pillows send, and nothing of queues, attempts or MQTT.
"""

import ast
import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from contract.json_limits import (
    DECODE_ERRORS,
    MAX_NESTING,
    MAX_SEQ,
    abbreviated,
    is_nested_too_deeply,
)
from contract.states import canonical_state
from contract.timestamps import (
    FIRST_PLAUSIBLE_US,
    MAX_CLOCK_SKEW_MS,
    format_timestamp,
    is_utc_text,
    parse_timestamp,
)
from contract.topics import is_pillow_id
from contract.traces import parse_traceparent

MAX_BODY_BYTES: Final = 65_536
"""The largest message that Azure Queue Storage accepts: 64 KiB."""

MAX_STATE_BYTES: Final = 49_152
"""The largest state that is published: as much as a full Base64 message can hold.

It leaves room for a frame's own fields below 64 KiB.
"""

MAX_TUPLE_CHARACTERS: Final = 1024
"""The longest text of a tuple that is read: its words are states, and only the newest one counts.

Python's parser takes 1 ms for so much, and 76 ms for 16,000 words.
"""

_MAX_CLOCK_SKEW_US: Final = MAX_CLOCK_SKEW_MS * 1000


class Reason(StrEnum):
    """Why a message can never be published."""

    NOT_TEXT = "not-text"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    UNKNOWN_STATE = "unknown-state"
    BAD_ID = "bad-id"
    BAD_FIELD = "bad-field"
    TOO_MANY_ATTEMPTS = "too-many-attempts"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that is not a state: the reason is for programs, the detail for people."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """One state of one pillow.

    `order` sorts the states of a pillow, oldest first: `at` in microseconds, then `seq`.
    `content` is the JSON object in the normal form, without `hops`.
    """

    pillow: str
    state: str
    order: tuple[int, int]
    content: bytes
    traceparent: str | None = None


_Object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Anything: Final = msgspec.json.Decoder()
_Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]
_FIELDS: Final[dict[str, tuple[msgspec.json.Decoder[Any], str]]] = {
    "seq": (
        msgspec.json.Decoder(Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]),
        f"a whole number from 0 to {MAX_SEQ}",
    ),
    "confidence": (msgspec.json.Decoder(_Fraction), "a number from 0 to 1"),
    "battery": (msgspec.json.Decoder(_Fraction), "a number from 0 to 1"),
    "motion": (
        msgspec.json.Decoder(list[tuple[float, float, float]]),
        "a list of [x, y, z] samples in g",
    ),
}
# Fields that this module writes itself; values of a message under these names are not copied.
_REPLACED: Final = frozenset({"pillow", "state", "at", "hops"})
_WORD: Final = re.compile(r"[A-Za-z]{1,32}")
_JSON_WORDS: Final = frozenset({"null", "true", "false"})
# Blanks are those of Python's own tokenizer. The quantifiers are possessive, because backtracking
# would make 64 KiB of blanks far more expensive than 64 KiB of anything else.
_TUPLE: Final = re.compile(
    r"""\([ \t\r\n]*+u?(['"])\w{1,32}\1[ \t\r\n]*+"""
    r"""(,[ \t\r\n]*+u?(['"])\w{1,32}\3[ \t\r\n]*+)*+,?[ \t\r\n]*+\)"""
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_AHEAD: Final = msgspec.Raw(b'"ahead"')
_BEHIND: Final = msgspec.Raw(b'"behind"')


def decode_message(
    body: bytes | str, *, default_pillow: str, queued_us: int
) -> ParsedMessage | Rejection:
    """Decode the body of a queue message.

    `default_pillow` is the id for the forms that carry none.
    `queued_us` is the queue's insertion time in microseconds since 1970.
    The result depends on nothing else, so that every delivery of a message has the same result.
    """
    try:
        raw = body.encode() if isinstance(body, str) else body
        text = raw.decode()
    except UnicodeError as error:
        return Rejection(Reason.NOT_TEXT, f"the message is not UTF-8: {error}")
    if len(raw) > MAX_BODY_BYTES:
        return Rejection(
            Reason.TOO_LARGE, f"{len(raw)} bytes; at most {MAX_BODY_BYTES} are accepted"
        )

    def decode_plain(text: str) -> ParsedMessage | Rejection:
        if text.startswith("{"):
            return _decode_object(text, queued_us)
        return _decode_words(text, default_pillow, queued_us)

    return _unwrap(text.strip("\ufeff \t\r\n"), decode_plain)


def _unwrap(
    text: str, decode_plain: Callable[[str], ParsedMessage | Rejection]
) -> ParsedMessage | Rejection:
    """Decode `text` as a plain form, or, if it is none, as Base64 of a plain form.

    The plain form is first, because "spin" is valid Base64 too.
    """
    decision = decode_plain(text)
    packed = "".join(text.split())
    if isinstance(decision, ParsedMessage) or len(packed) % 4 or not _BASE64.fullmatch(packed):
        return decision
    try:
        inner = base64.b64decode(packed, validate=True).decode()
    except binascii.Error:
        return decision
    except UnicodeDecodeError:
        unpacked: ParsedMessage | Rejection = Rejection(
            Reason.NOT_TEXT, "the message is Base64 of bytes that are not UTF-8"
        )
    else:
        unpacked = decode_plain(inner.strip("\ufeff \t\r\n"))
    if isinstance(unpacked, Rejection) and _WORD.fullmatch(text):
        return decision  # because an unknown word may happen to be valid Base64
    return unpacked


def _decode_words(text: str, pillow: str, queued_us: int) -> ParsedMessage | Rejection:
    """Decode a bare word, or the text of a Python tuple of words, newest first."""
    if not text:
        return Rejection(Reason.MALFORMED, "the message is empty")
    if text.startswith("(") and len(text) > MAX_TUPLE_CHARACTERS:
        return Rejection(
            Reason.TOO_LARGE,
            f"a tuple of {len(text)} characters; at most {MAX_TUPLE_CHARACTERS} are read",
        )
    word = text
    if _TUPLE.fullmatch(text):
        word = ast.literal_eval(text)
        if isinstance(word, tuple):
            word = word[0]
    elif not _WORD.fullmatch(text) or text in _JSON_WORDS:
        return Rejection(Reason.MALFORMED, "neither a JSON object nor a state's name")
    state = canonical_state(word)
    if state is None:
        return Rejection(Reason.UNKNOWN_STATE, f"no state is named {word!r}")
    return _parsed({"pillow": pillow, "state": state}, (queued_us, 0), None, {})


def _decode_object(text: str, queued_us: int) -> ParsedMessage | Rejection:
    """Decode the normal form: a JSON object."""
    if is_nested_too_deeply(text):
        return Rejection(Reason.MALFORMED, f"nested deeper than {MAX_NESTING}")
    try:
        # Once completely, to find a lone surrogate or a number out of range at any depth. Then the
        # first level as raw JSON, so that unknown fields are forwarded unchanged.
        values = _Anything.decode(text)
        fields = _Object.decode(text)
    except DECODE_ERRORS as error:
        return Rejection(Reason.MALFORMED, f"not a JSON object: {error}")
    for name in ("pillow", "state"):
        if name not in fields:
            return Rejection(Reason.BAD_FIELD, f"{name} is missing")
    if not is_pillow_id(values["pillow"]):
        return Rejection(Reason.BAD_ID, f"pillow is {abbreviated(values['pillow'])}")
    state = canonical_state(values["state"]) if isinstance(values["state"], str) else None
    if state is None:
        return Rejection(Reason.UNKNOWN_STATE, f"state is {abbreviated(values['state'])}")
    for name, (decoder, meaning) in _FIELDS.items():
        if name in fields:
            try:
                decoder.decode(fields[name])
            except msgspec.MsgspecError:
                return Rejection(
                    Reason.BAD_FIELD, f"{name} is {abbreviated(values[name])}, not {meaning}"
                )
    at = _decode_at(values.get("at"), queued_us) if "at" in fields else (queued_us, None, None)
    if at is None:
        return Rejection(
            Reason.BAD_FIELD, f"at is {abbreviated(values['at'])}, not an RFC 3339 date-time"
        )
    at_us, at_text, clock = at
    rest = {name: value for name, value in fields.items() if name not in _REPLACED}
    if clock is not None:
        rest["clock"] = clock
    trace = values.get("traceparent")
    return _parsed(
        {"pillow": values["pillow"], "state": state},
        (at_us, values.get("seq", 0)),
        at_text,
        rest,
        trace if parse_traceparent(trace) is not None else None,
    )


def _decode_at(value: object, queued_us: int) -> tuple[int, str | None, msgspec.Raw | None] | None:
    """Return the time in microseconds, the text to keep, and the mark of a wrong clock.

    None instead of a text: it has to be formatted.
    A time too far ahead, or before FIRST_PLAUSIBLE_US, is replaced by the insertion time. A time
    that is merely far behind is kept, because a pillow may send what it stored while offline.
    """
    if not isinstance(value, str):
        return None
    at_us = parse_timestamp(value)
    if at_us is None:
        return None
    if at_us > queued_us + _MAX_CLOCK_SKEW_US:
        return queued_us, None, _AHEAD
    if at_us < min(FIRST_PLAUSIBLE_US, queued_us - _MAX_CLOCK_SKEW_US):
        return queued_us, None, _BEHIND
    try:
        return at_us, value if is_utc_text(value) else format_timestamp(at_us), None
    except OverflowError:
        return None


def _parsed(
    names: dict[str, str],
    order: tuple[int, int],
    at_text: str | None,
    rest: dict[str, msgspec.Raw],
    traceparent: str | None = None,
) -> ParsedMessage | Rejection:
    names["at"] = at_text or format_timestamp(order[0])
    content = msgspec.json.encode({**names, **rest})
    if len(content) > MAX_STATE_BYTES:
        return Rejection(
            Reason.TOO_LARGE,
            f"a state of {len(content)} bytes; at most {MAX_STATE_BYTES} are published",
        )
    return ParsedMessage(names["pillow"], names["state"], order, content, traceparent)
