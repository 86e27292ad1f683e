"""Bodies: a report as the message that carries it, well or ill formed.

Each way of being wrong is one that the contract refuses for one reason; `examples/messages.json`
of the contract holds more of them.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Final

import msgspec

from contract.states import STATES
from contract.timestamps import format_timestamp
from simulator.model.pillow import Said
from simulator.model.space import Vector

OVERSIZE: Final = 50_000
"""Characters of padding: more than a state may have, and less than a queue's message."""


class _Body(msgspec.Struct, frozen=True, omit_defaults=True):
    pillow: str
    state: str
    at: str
    seq: int
    confidence: float
    battery: float
    motion: tuple[Vector, ...] = ()


def encode_body(said: Said, pillow: str, at_us: int) -> bytes:
    """Write a report in its pillow's dialect, said at `at_us`, microseconds since 1970."""
    match said.kind.speaks:
        case "word":
            return said.state.upper().encode()
        case "tuple":
            return legacy(said, pillow, at_us, 1)
        case "base64":
            return b64encode(_json(said, pillow, at_us))
        case _:
            return _json(said, pillow, at_us)


def _json(said: Said, pillow: str, at_us: int) -> bytes:
    body = msgspec.json.encode(
        _Body(
            pillow,
            said.state,
            format_timestamp(at_us // 1000 * 1000),
            said.seq,
            said.confidence,
            said.battery,
            said.motion,
        )
    )
    for key, value in said.kind.fields:
        body = _with(body, key, value)
    return body


def _with(body: bytes, key: str, value: bytes) -> bytes:
    """Put one more field at the end; of a field that comes twice the last one counts."""
    return b"%b,%b:%b}" % (body[:-1], msgspec.json.encode(key), value)


# Ways of being wrong, or odd. `turn` is any whole number and picks the variant.


def legacy(said: Said, _pillow: str, _at_us: int, turn: int) -> bytes:
    """Write it as older firmware does: a word, a short one, or the text of a tuple."""
    word = said.state
    short = next(iter(STATES[word].aliases), word)
    return (
        word.upper(),
        f"('{word.upper()}', 'NEUTRAL')",
        short,
        f"('{short}', 'neutral', 'neutral')",
    )[turn % 4].encode()


def extra(said: Said, pillow: str, at_us: int, turn: int) -> bytes:
    """Write fields that nobody knows yet."""
    body = _json(said, pillow, at_us)
    for key, value in (
        ("firmware", b'"9.%d"' % (turn % 10)),
        ("wifi", b'{"rssi":-%d,"channel":%d}' % (40 + turn % 50, 1 + turn % 11)),
        ("tags", '["Dachboden","☁"]'.encode()),
    ):
        body = _with(body, key, value)
    return body


def malformed(said: Said, pillow: str, at_us: int, turn: int) -> bytes:
    """Write what is no JSON object and no word."""
    body = _json(said, pillow, at_us)
    return (
        body[: len(body) // 2],
        body + b"}",
        body.replace(b'"', b"'"),
        b"[" + body + b"]",
        b"<state>" + said.state.encode() + b"</state>",
        b"null",
    )[turn % 6]


def oversize(said: Said, pillow: str, at_us: int, _turn: int) -> bytes:
    """Write more than a state may hold."""
    return _with(_json(said, pillow, at_us), "log", b'"%b"' % (b"x" * OVERSIZE))


def encoding(said: Said, pillow: str, at_us: int, turn: int) -> bytes:
    """Write it in UTF-16 or Latin-1, in Base64, as careless firmware does."""
    text = _with(_json(said, pillow, at_us), "room", '"Küche"'.encode()).decode()
    # An even count of bytes would make UTF-16 of ASCII valid UTF-8, full of zeros; the mark of the
    # byte order is not.
    return b64encode(text.encode("utf-16") if turn % 2 else text.encode("latin-1"))


def unknown_state(said: Said, pillow: str, at_us: int, turn: int) -> bytes:
    """Write a state that does not exist."""
    word = ("levitating", "hugged", "", "none")[turn % 4]
    return _with(_json(said, pillow, at_us), "state", msgspec.json.encode(word))


def bad_id(said: Said, pillow: str, at_us: int, turn: int) -> bytes:
    """Write an id that is none."""
    word = ("#", "+", "bridge", "../cloud", "a" * 64, "Wolke Sieben", "")[turn % 7]
    return _with(_json(said, pillow, at_us), "pillow", msgspec.json.encode(word))


def bad_field(said: Said, pillow: str, at_us: int, turn: int) -> bytes:
    """Write a known field with a value it cannot have."""
    key, value = (
        ("battery", b"81"),
        ("seq", b"-1"),
        ("confidence", b'"high"'),
        ("motion", b"[[0,0]]"),
        ("at", b'"yesterday"'),
        ("at", b"1763791200"),
    )[turn % 6]
    return _with(_json(said, pillow, at_us), key, value)


Writer = Callable[[Said, str, int, int], bytes]

WRITERS: Final[dict[str, Writer]] = {
    "legacy": legacy,
    "extra": extra,
    "malformed": malformed,
    "oversize": oversize,
    "encoding": encoding,
    "unknown-state": unknown_state,
    "bad-id": bad_id,
    "bad-field": bad_field,
}
"""Every fault that is in what a message says, by its kind."""
