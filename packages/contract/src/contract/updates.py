"""Updates: the states on MQTT, as the poller encodes and every service decodes them.

A state's JSON is checked once, when it arrives, and is forwarded byte for byte from then on.
"""

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from contract.json_limits import (
    DECODE_ERRORS,
    MAX_NESTING,
    MAX_SEQ,
    abbreviated,
    is_nested_too_deeply,
)
from contract.messages import MAX_STATE_BYTES, ParsedMessage
from contract.states import NOT_CONNECTED, STATES
from contract.timestamps import MAX_CLOCK_SKEW_MS, format_timestamp, parse_timestamp
from contract.topics import is_pillow_id
from contract.traces import parse_traceparent

CONTENT_TYPE: Final = "application/json"

EXPIRY_S: Final = 7 * 24 * 3600
"""Message expiry: seconds until a broker drops a state, as long as the queue keeps a message."""

MAX_HOP_AHEAD_MS: Final = 24 * 3600 * 1000
"""How far in the future a hop may lie; the clock that gave a later one is not the queue's."""

MAX_HOP_AGE_MS: Final = EXPIRY_S * 1000 + MAX_HOP_AHEAD_MS
"""How far in the past a hop may lie: the queue keeps a message for a week, a broker its state."""


@dataclass(frozen=True, slots=True)
class Update:
    """One valid state of one pillow, as it was on MQTT.

    `order` sorts the states of a pillow, oldest first: `at` in microseconds, then `seq`.
    `queued_ms` and `published_ms` are hops in Unix milliseconds of the queue's time, None where
    they are missing or cannot be right.
    """

    pillow: str
    state: str
    order: tuple[int, int]
    payload: bytes
    queued_ms: int | None = None
    published_ms: int | None = None

    def is_too_far_ahead(self, now_ms: int) -> bool:
        """Return whether `at` is later than a poller accepts; `now_ms` is the queue's time.

        No poller wrote such a state. As the newest it would hide its pillow's states until then.
        """
        return self.order[0] > (now_ms + MAX_CLOCK_SKEW_MS) * 1000

    def is_duplicate_of(self, other: "Update") -> bool:
        """Return whether both have the same order and content; their ways may differ."""
        return self.order == other.order and (
            self.payload == other.payload or _content(self.payload) == _content(other.payload)
        )

    def is_later_sign_of_life(self, known: "Update") -> bool:
        """Return whether this is the state `known` again, published for a later message.

        A poller publishes the newest state again when its pillow sends an older one: the pillow is
        awake, and its clock or its order is wrong. A broker that lost a state gets it again with
        the same `hops.queued`, which is no sign of life.
        """
        return (
            self.order == known.order
            and self.queued_ms is not None
            and (known.queued_ms is None or self.queued_ms > known.queued_ms)
        )


def encode_state(
    message: ParsedMessage, *, queued_ms: int, polled_ms: int, published_ms: int
) -> bytes:
    """Encode a message's state for MQTT, with the time of each hop in Unix milliseconds."""
    return (
        b'%b,"hops":{"queued":%d,"polled":%d,"published":%d}}'
        % (message.content[:-1], queued_ms, polled_ms, published_ms)
    )  # fmt: skip


def with_traceparent(message: ParsedMessage, traceparent: str) -> ParsedMessage:
    """Return a message with another trace context, in its content as well."""
    fields = msgspec.json.decode(message.content, type=dict[str, msgspec.Raw])
    fields["traceparent"] = msgspec.Raw(msgspec.json.encode(traceparent))
    return replace(message, content=msgspec.json.encode(fields), traceparent=traceparent)


def traceparent_in(payload: bytes | str) -> str | None:
    """Return the trace context of a JSON object that may be anything; None where it has none."""
    try:
        found = _traced.decode(payload).traceparent
    except DECODE_ERRORS:
        return None
    return found if parse_traceparent(found) is not None else None


class _Traced(msgspec.Struct):
    traceparent: str | None = None


_traced: Final = msgspec.json.Decoder(_Traced)


def with_publish_time(update: Update, published_ms: int) -> Update:
    """Return the update with another `hops.published`, in Unix milliseconds, to publish it again.

    Every other field stays as it is.
    """
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    try:
        hops = msgspec.json.decode(fields.pop("hops", b"{}"), type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        hops = {}  # written by another program, and not by our rules
    hops["published"] = msgspec.Raw(b"%d" % published_ms)
    fields["hops"] = msgspec.Raw(msgspec.json.encode(hops))
    return replace(update, payload=msgspec.json.encode(fields), published_ms=published_ms)


def with_sign_of_life(
    update: Update, *, queued_ms: int, polled_ms: int, published_ms: int, clock_is_behind: bool
) -> Update:
    """Return the update with the hops of a later, superseded message, to publish it again.

    With `clock_is_behind` it is marked `"clock":"behind"`. Every other field stays as it is.
    """
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    fields.pop("hops", None)
    if clock_is_behind:
        fields["clock"] = msgspec.Raw(b'"behind"')
    fields["hops"] = msgspec.Raw(
        b'{"queued":%d,"polled":%d,"published":%d}' % (queued_ms, polled_ms, published_ms)
    )
    payload = msgspec.json.encode(fields)
    return replace(update, payload=payload, queued_ms=queued_ms, published_ms=published_ms)


def with_clock_behind(update: Update) -> bytes:
    """Return the payload marked `"clock":"behind"`, if it carries no mark of its own."""
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    if "clock" in fields:
        return update.payload
    return msgspec.json.encode({**fields, "clock": msgspec.Raw(b'"behind"')})


def encode_not_connected(update: Update, *, since_ms: int) -> bytes:
    """Encode `notconnected` for a silent pillow, with its last state; `since_ms` in Unix ms.

    The pillow keeps its label and the number of its last message.
    """
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    state = {
        "pillow": update.pillow,
        "state": NOT_CONNECTED,
        "at": fields["at"],
        "last": update.state,
        "since": format_timestamp(since_ms * 1000),
    }
    state |= {name: fields[name] for name in ("seq", "label") if name in fields}
    return msgspec.json.encode(state)


def decode_state(pillow: str, payload: bytes, *, now_ms: int | None = None) -> Update | str:
    """Decode a payload from the state topic of `pillow`; return the update, or why it is invalid.

    `now_ms` is the best known time of the queue: a hop far from it counts as missing.
    Never raises, whatever the bytes.
    """
    if len(payload) > MAX_STATE_BYTES + 1024:
        return f"{len(payload)} bytes; a state has at most {MAX_STATE_BYTES}"
    try:
        text = payload.decode()
        if is_nested_too_deeply(text):
            return f"nested deeper than {MAX_NESTING}"
        fields = msgspec.json.decode(text)
    except DECODE_ERRORS as error:
        return f"not JSON: {error}"
    if not isinstance(fields, dict):
        return "not a JSON object"
    if not is_pillow_id(fields.get("pillow")) or fields["pillow"] != pillow:
        return f"pillow is {abbreviated(fields.get('pillow'))} on the topic of {pillow!r}"
    state = fields.get("state")
    if not isinstance(state, str) or state not in STATES:
        return f"state is {abbreviated(state)}"
    at = fields.get("at")
    at_us = parse_timestamp(at) if isinstance(at, str) else None
    if at_us is None:
        return f"at is {abbreviated(at)}, not an RFC 3339 date-time"
    seq = fields.get("seq", 0)
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= MAX_SEQ:
        return f"seq is {abbreviated(seq)}"
    hops = fields.get("hops")
    queued_ms = published_ms = None
    if isinstance(hops, dict):
        queued_ms = _hop_or_none(hops.get("queued"), now_ms)
        published_ms = _hop_or_none(hops.get("published"), now_ms)
    return Update(pillow, state, (at_us, seq), payload, queued_ms, published_ms)


def _hop_or_none(value: object, now_ms: int | None) -> int | None:
    """Return a hop; None for anything but a whole number that a clock can show."""
    if type(value) is not int or not 0 <= value <= MAX_SEQ:  # a bool is an int too
        return None
    if now_ms is not None and not -MAX_HOP_AGE_MS <= value - now_ms <= MAX_HOP_AHEAD_MS:
        return None
    return value


def _content(payload: bytes) -> dict[str, object]:
    """Return the fields that are about the state, and not about its way."""
    fields = msgspec.json.decode(payload, type=dict[str, object])
    fields.pop("hops", None)
    fields.pop("traceparent", None)  # a poller that records traces writes its own
    return fields
