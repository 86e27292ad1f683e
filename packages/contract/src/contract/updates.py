"""Updates: the states on MQTT, as the poller encodes and every service decodes them.

A state's JSON is checked once, when it arrives, and is forwarded byte for byte from then on.
"""

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from contract.messages import (
    MAX_NESTING,
    MAX_SEQ,
    MAX_STATE_BYTES,
    ParsedMessage,
    abbreviated,
    is_nested_too_deeply,
)
from contract.states import NOT_CONNECTED, STATES
from contract.timestamps import format_timestamp, parse_timestamp
from contract.topics import is_pillow_id

CONTENT_TYPE: Final = "application/json"

EXPIRY_S: Final = 7 * 24 * 3600
"""Message expiry: seconds until a broker drops a state, as long as the queue keeps a message."""

MAX_CLOCK_SKEW_MS: Final = 24 * 3600 * 1000
"""How far in the future the `at` of a state on MQTT may lie. In a poller's state that is at most
five minutes and the difference between the clocks of queue and reader."""


@dataclass(frozen=True, slots=True)
class Update:
    """One valid state of one pillow, as it was on MQTT.

    `order` sorts the states of a pillow, oldest first: `at` in microseconds, then `seq`.
    `queued_ms` and `published_ms` are hops in Unix milliseconds, None where they are missing.
    """

    pillow: str
    state: str
    order: tuple[int, int]
    payload: bytes
    queued_ms: int | None = None
    published_ms: int | None = None

    def is_too_far_ahead(self, now_ms: int) -> bool:
        """Return whether `at` is further in the future than any clock error; `now_ms` in Unix ms.

        No poller wrote such a state. As the newest it would hide its pillow's states until then.
        """
        return self.order[0] > (now_ms + MAX_CLOCK_SKEW_MS) * 1000

    def is_duplicate_of(self, other: "Update") -> bool:
        """Return whether both have the same order and content; their hops may differ."""
        return self.order == other.order and (
            self.payload == other.payload
            or _content_without_hops(self.payload) == _content_without_hops(other.payload)
        )


def encode_state(
    message: ParsedMessage, *, queued_ms: int, polled_ms: int, published_ms: int
) -> bytes:
    """Encode a message's state for MQTT, with the time of each hop in Unix milliseconds."""
    return (
        b'%b,"hops":{"queued":%d,"polled":%d,"published":%d}}'
        % (message.content[:-1], queued_ms, polled_ms, published_ms)
    )  # fmt: skip


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


def encode_not_connected(update: Update, *, since_ms: int) -> bytes:
    """Encode `notconnected` for a silent pillow, with its last state; `since_ms` in Unix ms."""
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    state = {
        "pillow": update.pillow,
        "state": NOT_CONNECTED,
        "at": fields["at"],
        "last": update.state,
        "since": format_timestamp(since_ms * 1000),
    }
    if "seq" in fields:
        state["seq"] = fields["seq"]
    return msgspec.json.encode(state)


def decode_state(pillow: str, payload: bytes) -> Update | str:
    """Decode a payload from the state topic of `pillow`; return the update, or why it is invalid.

    Never raises, whatever the bytes.
    """
    if len(payload) > MAX_STATE_BYTES + 1024:
        return f"{len(payload)} bytes; a state has at most {MAX_STATE_BYTES}"
    try:
        text = payload.decode()
        if is_nested_too_deeply(text):
            return f"nested deeper than {MAX_NESTING}"
        fields = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
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
    queued, published = (
        (hops.get("queued"), hops.get("published")) if isinstance(hops, dict) else (None, None)
    )
    return Update(
        pillow,
        state,
        (at_us, seq),
        payload,
        queued if isinstance(queued, int) else None,
        published if isinstance(published, int) else None,
    )


def _content_without_hops(payload: bytes) -> dict[str, object]:
    fields = msgspec.json.decode(payload, type=dict[str, object])
    fields.pop("hops", None)
    return fields
