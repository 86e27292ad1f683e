"""Frames: the messages between the gateway and a browser, one JSON object each.

The encoders join encoded states, because a pillow in a frame is byte for byte the JSON on MQTT.
The classes describe the same frames as types; the published schemas are generated from them.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec

from contract.cursors import Cursor
from contract.json_limits import DECODE_ERRORS, MAX_SEQ
from contract.motion import MAX_MOTION, Motion, SubscribeMotion, WithoutMotion
from contract.topics import find_invalid_pillow_id
from contract.wire_types import (
    AnsweredMs,
    ClientCount,
    CursorText,
    NotRetained,
    OffsetMs,
    PillowId,
    PingNumber,
    ReceivedPillow,
    SentMs,
    described,
)

SUBPROTOCOL: Final = "pillowcast.v1"

HEARTBEAT_S: Final = 20
"""The interval between heartbeats; some proxies close a connection after 30 s of silence."""

MAX_REQUEST_BYTES: Final = 65_536
"""The largest frame accepted from a browser."""

MAX_SUBSCRIBED: Final = 1_000
"""How many pillows one subscription may name; for more there is `all`."""

RECONNECT_MS: Final = (200, 5000)
"""The range from which each browser draws its delay before it reconnects after a restart."""

# Close codes; close_codes says what each means, and whether a client connects again.
RESTART: Final = 1012
FULL: Final = 1013
BAD_MESSAGE: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
TOKEN_TIMEOUT: Final = 4408
TOO_MANY: Final = 4429

BrokerStatus = Literal["online", "offline"]
Instant = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
QueueOffset = OffsetMs | msgspec.UnsetType
Retained = NotRetained | msgspec.UnsetType
ShownShare = (
    Annotated[
        float,
        described(
            "The share of clients that are asked for `shown` frames; absent where none are.",
            exclusiveMinimum=0,
            maximum=1,
        ),
    ]
    | msgspec.UnsetType
)


class Snapshot(msgspec.Struct, tag="snapshot", frozen=True):
    """The first frame: every state, or, when recovered, the states that changed after `since`.

    A snapshot of more than 64 KiB is several frames: all but the last have `more`, all but the
    first `continued`. Each has a cursor to resume from. `update` and `removed` frames may come in
    between, and a pillow may be in two of the frames; the later state is the newer or the same one.
    Without `recovered`, pillows that none of its frames names do not exist any more.
    """

    cursor: CursorText
    recovered: bool
    broker: BrokerStatus
    sent: SentMs
    watching: ClientCount
    pillows: list[ReceivedPillow]
    queue_offset: QueueOffset = msgspec.UNSET
    retained: Retained = msgspec.UNSET
    more: bool = False
    continued: bool = False
    shown: ShownShare = msgspec.UNSET
    motion: WithoutMotion = msgspec.UNSET


class Updates(msgspec.Struct, tag="update", frozen=True):
    """States that changed, oldest first."""

    cursor: CursorText
    sent: SentMs
    pillows: list[ReceivedPillow]


class Removed(msgspec.Struct, tag="removed", frozen=True):
    """Pillows that were removed."""

    cursor: CursorText
    pillows: list[PillowId]


class Status(msgspec.Struct, tag="status", frozen=True):
    """Whether the gateway has its broker; without it no state is live."""

    broker: BrokerStatus
    retained: Retained = msgspec.UNSET


class Heartbeat(msgspec.Struct, tag="heartbeat", frozen=True):
    """Sent at intervals, so that a page can distinguish silence from a dead connection."""

    sent: SentMs
    watching: ClientCount
    queue_offset: QueueOffset = msgspec.UNSET


class Pong(msgspec.Struct, tag="pong", frozen=True):
    """The response to a ping: its `sent` unchanged, and the gateway's clock in Unix ms."""

    sent: PingNumber
    received: AnsweredMs
    queue_offset: QueueOffset = msgspec.UNSET


class Goodbye(msgspec.Struct, tag="goodbye", frozen=True):
    """The gateway restarts; reconnect after a delay drawn from this range."""

    reconnect_ms: Annotated[
        tuple[int, int], described("The shortest and the longest delay in milliseconds.")
    ]


class Error(msgspec.Struct, tag="error", frozen=True):
    """Why the connection is about to be closed: the close code and a sentence."""

    code: Annotated[int, described("The close code that follows.", minimum=1000, maximum=4999)]
    message: str


class Subscribe(msgspec.Struct, tag="subscribe", frozen=True):
    """From a browser: the pillows that it subscribes to from now on."""

    pillows: (
        Annotated[list[PillowId], described("The ids.", maxItems=MAX_SUBSCRIBED)] | Literal["all"]
    )


class Token(msgspec.Struct, tag="token", frozen=True):
    """From a browser: a JSON Web Token, first and again before it expires, where one is needed."""

    token: str


class Ping(msgspec.Struct, tag="ping", frozen=True):
    """From a browser: a request for a pong with the same `sent`."""

    sent: PingNumber


class Shown(msgspec.Struct, tag="shown", frozen=True):
    """From a browser: it showed a state at `shown`, in Unix ms of the gateway's clock.

    `queued` is the state's own hop, `traceparent` its own field; absent where the state has none.
    A gateway asks for it in `snapshot.shown`; one that did not ask ignores it.
    """

    pillow: PillowId
    shown: Instant
    queued: Instant | msgspec.UnsetType = msgspec.UNSET
    traceparent: Annotated[str, msgspec.Meta(max_length=55)] | msgspec.UnsetType = msgspec.UNSET


ServerFrame = Snapshot | Updates | Removed | Status | Heartbeat | Pong | Goodbye | Error | Motion
BrowserFrame = Subscribe | Ping | Token | Shown | SubscribeMotion

# What the library quotes of an unknown type, which may be long, or a token in the wrong field.
_QUOTED_VALUE: Final = re.compile(r"(?s)(?<=Invalid value) '.*'(?= - at )")

_decoder: Final[msgspec.json.Decoder[BrowserFrame]] = msgspec.json.Decoder(BrowserFrame)


def encode_frame(frame: ServerFrame) -> bytes:
    """Encode a frame without states; frames with states have encoders of their own."""
    return msgspec.json.encode(frame)


def encode_snapshot(
    cursor: Cursor,
    *,
    recovered: bool,
    status: Status,
    sent_ms: int,
    watching: int,
    pillows: Iterable[bytes],
    queue_offset_ms: int | None = None,
    has_more: bool = False,
    is_continued: bool = False,
    shown_share: float = 0,
    has_motion: bool = True,
) -> bytes:
    """Encode a snapshot, or a piece of one, of encoded states. `sent_ms` is in Unix milliseconds.

    `has_more` says that another piece follows, `is_continued` that one came before.
    `shown_share` is the share of clients that are asked for `shown` frames. Without `has_motion`,
    the states are those of a connection with `motion=none`.
    """
    fields = b"%b%b%b%b%b,%b" % (
        b"true" if recovered else b"false",
        b',"more":true' if has_more else b"",
        b',"continued":true' if is_continued else b"",
        b',"shown":%b' % msgspec.json.encode(shown_share) if shown_share else b"",
        b"" if has_motion else b',"motion":"none"',
        encode_status_fields(status),
    )
    return (
        b'{"type":"snapshot","cursor":"%b","recovered":%b,"sent":%d,"watching":%d%b,"pillows":[%b]}'
        % (
            str(cursor).encode(),
            fields,
            sent_ms,
            watching,
            b"" if queue_offset_ms is None else b',"queue_offset":%d' % queue_offset_ms,
            b",".join(pillows),
        )
    )


def encode_status_fields(status: Status) -> bytes:
    """Encode the fields of a status as the frame `snapshot` has them, without braces."""
    return b'"broker":"%b"%b' % (
        status.broker.encode(),
        b',"retained":false' if status.retained is False else b"",
    )


def queue_offset(offset_ms: int | None) -> QueueOffset:
    """Return the field of a frame for an offset; None means that it is unknown."""
    return msgspec.UNSET if offset_ms is None else offset_ms


def encode_updates(cursor: Cursor, *, sent_ms: int, pillows: Iterable[bytes]) -> bytes:
    """Encode an update of encoded states. `sent_ms` is in Unix milliseconds."""
    return b'{"type":"update","cursor":"%b","sent":%d,"pillows":[%b]}' % (
        str(cursor).encode(),
        sent_ms,
        b",".join(pillows),
    )


def encode_removed(cursor: Cursor, pillows: list[str]) -> bytes:
    """Encode which pillows were removed."""
    return msgspec.json.encode(Removed(str(cursor), pillows))


def decode_request(text: bytes | str) -> BrowserFrame | str:
    """Decode a browser's frame; return it, or a sentence that describes what is wrong with it.

    Never raises, whatever the bytes.
    """
    try:
        frame = _decoder.decode(text)
    except DECODE_ERRORS as error:
        return f"not a frame this gateway reads: {_QUOTED_VALUE.sub('', str(error))}"
    return _problem(frame) or frame


def _problem(frame: BrowserFrame) -> str | None:
    """Return what is wrong with the ids in a browser's frame; None if they are valid."""
    names: list[str] = []
    if isinstance(frame, Subscribe) and frame.pillows != "all":
        if len(frame.pillows) > MAX_SUBSCRIBED:
            return f'{len(frame.pillows)} pillows; name at most {MAX_SUBSCRIBED}, or use "all"'
        names = frame.pillows
    elif isinstance(frame, SubscribeMotion):
        if len(frame.pillows) > MAX_MOTION:
            return f"the motion of {len(frame.pillows)} pillows; name at most {MAX_MOTION}"
        names = frame.pillows
    elif isinstance(frame, Shown):
        names = [frame.pillow]
    wrong = find_invalid_pillow_id(names)
    return None if wrong is None else f"pillow id {wrong[:80]!r} is not one"
