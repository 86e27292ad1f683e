"""Frames: what the gateway and a browser say to each other, one JSON object each.

The encoders join ready pieces: a pillow in a frame is byte for byte the JSON that was on MQTT.
The classes say the same as types; the published schemas are made from them.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from contract.cursors import Cursor
from contract.topics import is_pillow_id

SUBPROTOCOL: Final = "pillowcast.v1"

HEARTBEAT_S: Final = 20
"""How often every connection hears a heartbeat; proxies cut a silent one from 30 s on."""

MAX_REQUEST_BYTES: Final = 65_536
"""The largest frame that is read from a browser."""

MAX_SUBSCRIBED: Final = 1_000
"""How many pillows one browser may name; whoever wants more says `all`."""

RECONNECT_MS: Final = (200, 5000)
"""Between which delays browsers come back after a restart, each drawing its own."""

# Close codes (DESIGN: reconnect after 1012 and 1013, not after the others, later after 4429).
RESTART: Final = 1012
FULL: Final = 1013
BAD_MESSAGE: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
TOKEN_TIMEOUT: Final = 4408
TOO_MANY: Final = 4429

Broker = Literal["online", "offline"]
Pillow = dict[str, Any]
"""A state as on MQTT: `pillow`, `state`, `at`, and whatever else the pillow said."""


class Snapshot(msgspec.Struct, tag="snapshot", frozen=True):
    """The first frame: everything known, or, when recovered, what changed after `since`."""

    cursor: str
    recovered: bool
    broker: Broker
    sent: int
    pillows: list[Pillow]


class Updates(msgspec.Struct, tag="update", frozen=True):
    """States that changed, oldest first."""

    cursor: str
    sent: int
    pillows: list[Pillow]


class Removed(msgspec.Struct, tag="removed", frozen=True):
    """Pillows that are no more."""

    cursor: str
    pillows: list[str]


class Status(msgspec.Struct, tag="status", frozen=True):
    """Whether the gateway has its broker: without it nothing here is live."""

    broker: Broker


class Heartbeat(msgspec.Struct, tag="heartbeat", frozen=True):
    """Said again and again, so that a page can tell silence from a dead connection."""

    sent: int


class Pong(msgspec.Struct, tag="pong", frozen=True):
    """The answer to a ping: its `sent` unchanged, and the gateway's own clock."""

    sent: int | float
    received: int


class Goodbye(msgspec.Struct, tag="goodbye", frozen=True):
    """The gateway restarts: come back after a delay drawn from this range."""

    reconnect_ms: tuple[int, int]


class Error(msgspec.Struct, tag="error", frozen=True):
    """Why the connection is about to be closed, with the close code."""

    code: int
    message: str


class Subscribe(msgspec.Struct, tag="subscribe", frozen=True):
    """From a browser: which pillows it wants from now on."""

    pillows: list[str] | Literal["all"]


class Ping(msgspec.Struct, tag="ping", frozen=True):
    """From a browser: answer with my `sent`."""

    sent: int | float


ServerFrame = Snapshot | Updates | Removed | Status | Heartbeat | Pong | Goodbye | Error
BrowserFrame = Subscribe | Ping

_from_browser: Final[msgspec.json.Decoder[BrowserFrame]] = msgspec.json.Decoder(BrowserFrame)


def encode_frame(frame: ServerFrame) -> bytes:
    """Write any frame that carries no states; those with states have writers of their own."""
    return msgspec.json.encode(frame)


def encode_snapshot(
    cursor: Cursor, *, recovered: bool, broker: Broker, sent_ms: int, pillows: Iterable[bytes]
) -> bytes:
    """Write a snapshot around states that are JSON already."""
    return (
        b'{"type":"snapshot","cursor":"%b","recovered":%b,"broker":"%b","sent":%d,"pillows":[%b]}'
        % (
            str(cursor).encode(),
            b"true" if recovered else b"false",
            broker.encode(),
            sent_ms,
            b",".join(pillows),
        )
    )


def encode_updates(cursor: Cursor, *, sent_ms: int, pillows: Iterable[bytes]) -> bytes:
    """Write an update around states that are JSON already."""
    return b'{"type":"update","cursor":"%b","sent":%d,"pillows":[%b]}' % (
        str(cursor).encode(),
        sent_ms,
        b",".join(pillows),
    )


def encode_removed(cursor: Cursor, pillows: list[str]) -> bytes:
    """Write which pillows are no more."""
    return msgspec.json.encode(Removed(str(cursor), pillows))


def decode_request(text: bytes | str) -> BrowserFrame | str:
    """Read what a browser sent; return the frame, or a sentence saying what is wrong with it.

    Total: any bytes give an answer.
    """
    try:
        frame = _from_browser.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        return f"not a frame this gateway reads: {error}"
    if isinstance(frame, Subscribe) and frame.pillows != "all":
        if len(frame.pillows) > MAX_SUBSCRIBED:
            return f'{len(frame.pillows)} pillows; name at most {MAX_SUBSCRIBED}, or say "all"'
        wrong = next((name for name in frame.pillows if not is_pillow_id(name)), None)
        if wrong is not None:
            return f"pillow id {wrong[:80]!r} is not one"
    return frame
