"""Updates: the states on MQTT, as the poller writes them and everybody reads them.

A state's JSON is checked once, when it arrives, and from then on handed on byte for byte.
"""

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from contract.messages import MAX_NESTING, MAX_SEQ, MAX_STATE_BYTES, ParsedMessage, nesting, short
from contract.states import NOT_CONNECTED, STATES
from contract.timestamps import format_timestamp, parse_timestamp
from contract.topics import is_pillow_id

CONTENT_TYPE: Final = "application/json"

EXPIRY_S: Final = 7 * 24 * 3600
"""How long a broker keeps a state that nothing replaces: as long as the queue keeps a message."""

MAX_CLOCK_SKEW_MS: Final = 24 * 3600 * 1000
"""How far in the future a state on MQTT may lie: a poller's own lies there at most by what the
clocks of queue and reader differ, and five minutes."""


@dataclass(frozen=True, slots=True)
class Update:
    """One valid state of one pillow, as it was on MQTT.

    `order` sorts the states of a pillow, oldest first: `at` in microseconds, then `seq`.
    `queued_ms` and `published_ms` are the hops of these names, in Unix milliseconds, if any.
    """

    pillow: str
    state: str
    order: tuple[int, int]
    payload: bytes
    queued_ms: int | None = None
    published_ms: int | None = None

    def is_too_far_ahead(self, now_ms: int) -> bool:
        """Say whether it is from a future that no clock is off by; `now_ms` in Unix milliseconds.

        Somebody else wrote it, and taken for the newest it would hide its pillow until then.
        """
        return self.order[0] > (now_ms + MAX_CLOCK_SKEW_MS) * 1000

    def is_duplicate_of(self, other: "Update") -> bool:
        """Say whether both tell the same, whenever and however often they were published."""
        return self.order == other.order and (
            self.payload == other.payload
            or _content_without_hops(self.payload) == _content_without_hops(other.payload)
        )


def encode_state(
    reading: ParsedMessage, *, queued_ms: int, polled_ms: int, published_ms: int
) -> bytes:
    """Write a reading as it goes to MQTT, with the time of each hop in Unix milliseconds."""
    return (
        b'%b,"hops":{"queued":%d,"polled":%d,"published":%d}}'
        % (reading.content[:-1], queued_ms, polled_ms, published_ms)
    )  # fmt: skip


def republished(update: Update, published_ms: int) -> Update:
    """Return the update as it is published once more, with the time of that, in Unix milliseconds.

    All else stays as it came.
    """
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    try:
        hops = msgspec.json.decode(fields.pop("hops", b"{}"), type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        hops = {}  # somebody else's, and none of ours
    hops["published"] = msgspec.Raw(b"%d" % published_ms)
    fields["hops"] = msgspec.Raw(msgspec.json.encode(hops))
    return replace(update, payload=msgspec.json.encode(fields), published_ms=published_ms)


def encode_not_connected(update: Update, *, since_ms: int) -> bytes:
    """Write what the gateway says of a pillow that went silent: its last state, and since when."""
    fields = msgspec.json.decode(update.payload, type=dict[str, msgspec.Raw])
    said = {
        "pillow": update.pillow,
        "state": NOT_CONNECTED,
        "at": fields["at"],
        "last": update.state,
        "since": format_timestamp(since_ms * 1000),
    }
    if "seq" in fields:
        said["seq"] = fields["seq"]
    return msgspec.json.encode(said)


def decode_state(pillow: str, payload: bytes) -> Update | str:
    """Check a payload from `pillow`'s state topic; return the update, or a sentence saying why not.

    Total: any bytes give an answer.
    """
    if len(payload) > MAX_STATE_BYTES + 1024:
        return f"{len(payload)} bytes; a state has at most {MAX_STATE_BYTES}"
    try:
        text = payload.decode()
        if text.count("[") + text.count("{") > MAX_NESTING and nesting(text) > MAX_NESTING:
            return f"nested deeper than {MAX_NESTING}"
        fields = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        return f"not JSON: {error}"
    if not isinstance(fields, dict):
        return "not a JSON object"
    if not is_pillow_id(fields.get("pillow")) or fields["pillow"] != pillow:
        return f"pillow is {short(fields.get('pillow'))} on the topic of {pillow!r}"
    state = fields.get("state")
    if not isinstance(state, str) or state not in STATES:
        return f"state is {short(state)}"
    at = fields.get("at")
    at_us = parse_timestamp(at) if isinstance(at, str) else None
    if at_us is None:
        return f"at is {short(at)}, not an RFC 3339 date-time"
    seq = fields.get("seq", 0)
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= MAX_SEQ:
        return f"seq is {short(seq)}"
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
