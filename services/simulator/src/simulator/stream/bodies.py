"""Message bodies: a report encoded in its pillow's dialect, or with a fault.

The poller refuses each faulty body for one reason; `examples/messages.json` of the contract holds
more of them.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Final

import msgspec

from contract.states import STATES
from contract.timestamps import format_timestamp
from simulator.model.events import Report
from simulator.model.vectors import Vector

OVERSIZE: Final = 50_000
"""Characters of padding: more than a state may have, and less than a queue's message may have."""


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    pillow: str
    state: str
    at: str
    seq: int
    confidence: float
    battery: float
    motion: tuple[Vector, ...] = ()


def encode_body(report: Report, pillow: str, at_us: int) -> bytes:
    """Encode a report in its pillow's dialect; `at_us` is its time, microseconds since 1970."""
    match report.group.dialect:
        case "word":
            return report.state.upper().encode()
        case "tuple":
            return legacy(report, pillow, at_us, 1)
        case "base64":
            return b64encode(_json(report, pillow, at_us))
        case _:
            return _json(report, pillow, at_us)


def _json(report: Report, pillow: str, at_us: int) -> bytes:
    body = msgspec.json.encode(
        _Body(
            pillow,
            report.state,
            format_timestamp(at_us // 1000 * 1000),
            report.seq,
            report.confidence,
            report.battery,
            report.motion,
        )
    )
    for key, value in report.group.fields:
        body = _with_field(body, key, value)
    return body


def _with_field(body: bytes, key: str, value: bytes) -> bytes:
    """Append a field; of a field that occurs twice the last one counts."""
    return b"%b,%b:%b}" % (body[:-1], msgspec.json.encode(key), value)


# Encoders with a fault, or with something unusual. `variant` is any integer and selects one of
# their variants.


def legacy(report: Report, _pillow: str, _at_us: int, variant: int) -> bytes:
    """Encode as older firmware does: a word, an alias, or the text of a Python tuple."""
    word = report.state
    alias = next(iter(STATES[word].aliases), word)
    return (
        word.upper(),
        f"('{word.upper()}', 'NEUTRAL')",
        alias,
        f"('{alias}', 'neutral', 'neutral')",
    )[variant % 4].encode()


def extra(report: Report, pillow: str, at_us: int, variant: int) -> bytes:
    """Encode with fields that the contract does not know."""
    body = _json(report, pillow, at_us)
    for key, value in (
        ("firmware", b'"9.%d"' % (variant % 10)),
        ("wifi", b'{"rssi":-%d,"channel":%d}' % (40 + variant % 50, 1 + variant % 11)),
        ("tags", '["Dachboden","☁"]'.encode()),
    ):
        body = _with_field(body, key, value)
    return body


def malformed(report: Report, pillow: str, at_us: int, variant: int) -> bytes:
    """Return text that is neither a JSON object nor a word."""
    body = _json(report, pillow, at_us)
    return (
        body[: len(body) // 2],
        body + b"}",
        body.replace(b'"', b"'"),
        b"[" + body + b"]",
        b"<state>" + report.state.encode() + b"</state>",
        b"null",
    )[variant % 6]


def oversize(report: Report, pillow: str, at_us: int, _variant: int) -> bytes:
    """Encode with a field that makes the message larger than a state may be."""
    return _with_field(_json(report, pillow, at_us), "log", b'"%b"' % (b"x" * OVERSIZE))


def encoding(report: Report, pillow: str, at_us: int, variant: int) -> bytes:
    """Encode in UTF-16 or Latin-1, then in Base64, as careless firmware does."""
    text = _with_field(_json(report, pillow, at_us), "room", '"Küche"'.encode()).decode()
    # UTF-16 of ASCII is valid UTF-8 with many zeros; its byte order mark is not.
    return b64encode(text.encode("utf-16") if variant % 2 else text.encode("latin-1"))


def unknown_state(report: Report, pillow: str, at_us: int, variant: int) -> bytes:
    """Encode a state that does not exist."""
    word = ("levitating", "hugged", "", "none")[variant % 4]
    return _with_field(_json(report, pillow, at_us), "state", msgspec.json.encode(word))


def bad_id(report: Report, pillow: str, at_us: int, variant: int) -> bytes:
    """Encode an invalid pillow id."""
    word = ("#", "+", "bridge", "../cloud", "a" * 64, "Wolke Sieben", "")[variant % 7]
    return _with_field(_json(report, pillow, at_us), "pillow", msgspec.json.encode(word))


def bad_field(report: Report, pillow: str, at_us: int, variant: int) -> bytes:
    """Encode a known field with an invalid value."""
    key, value = (
        ("battery", b"81"),
        ("seq", b"-1"),
        ("confidence", b'"high"'),
        ("motion", b"[[0,0]]"),
        ("at", b'"yesterday"'),
        ("at", b"1763791200"),
    )[variant % 6]
    return _with_field(_json(report, pillow, at_us), key, value)


FaultyEncoder = Callable[[Report, str, int, int], bytes]
"""Takes a report, its pillow's id, its time in microseconds since 1970, and a variant."""

FAULTY_ENCODERS: Final[dict[str, FaultyEncoder]] = {
    "legacy": legacy,
    "extra": extra,
    "malformed": malformed,
    "oversize": oversize,
    "encoding": encoding,
    "unknown-state": unknown_state,
    "bad-id": bad_id,
    "bad-field": bad_field,
}
"""Every fault of a message's content, by its kind."""
