"""States on MQTT: a payload is refused with a sentence, or is good for all that is made of it."""

from collections.abc import Iterator

import msgspec

from contract.motion import split_motion
from contract.topics import PillowTopic, Topics
from contract.updates import (
    Update,
    decode_state,
    encode_not_connected,
    with_clock_behind,
    with_publish_time,
    with_sign_of_life,
)
from tests.fuzz.byte_source import ByteSource
from tests.fuzz.odd_json import odd_object

USUAL = (
    (b"pillow", b'"cloud-1"'),
    (b"state", b'"hugging"'),
    (b"at", b'"2025-11-22T06:00:00.123Z"'),
    (b"seq", b"7"),
    (b"clock", b""),
    (b"confidence", b"0.93"),
    (b"motion", b""),
)
HOPS = ((b"queued", b"1763791200123"), (b"polled", b"0"), (b"published", b"1763791200140"))
NOW_MS = 1_763_791_200_123
TOPICS = Topics("pillow")
MAX_BYTES = 4096


def check(data: bytes) -> None:
    """Decode a topic, which ends with the first line, and its payload; or a state of odd values."""
    name, _, payload = data.partition(b"\n")
    if data[:1] == b"\0":
        source = ByteSource(data[1:])
        hops = odd_object(source, HOPS)
        name, payload = b"pillow/cloud-1/state", odd_object(source, (*USUAL, (b"hops", hops)))
    topic = TOPICS.parse(name.decode(errors="replace"))
    pillow = "cloud-1"
    if topic is not None:
        assert isinstance(topic, PillowTopic)
        same = getattr(TOPICS, topic.kind)(topic.pillow)
        assert same == name.decode(), "a topic is written in two ways"
        pillow = topic.pillow
    update = decode_state(pillow, payload, now_ms=NOW_MS)
    if isinstance(update, str):
        assert len(update) < 1000, "a reason is a sentence"
        return
    assert update.is_duplicate_of(update)
    assert not update.is_later_sign_of_life(update)
    update.is_too_far_ahead(NOW_MS)
    _check_variants(update)


def seeds() -> Iterator[bytes]:
    """Yield states as pollers and pillows publish them, and with odd numbers."""
    head = b'pillow/cloud-1/state\n{"pillow":"cloud-1","state":"hugging",'
    yield head + (
        b'"at":"2025-11-22T06:00:00.123Z","seq":7,"battery":0.5,'
        b'"hops":{"queued":1763791200123,"polled":1763791200130,"published":1763791200140}}'
    )
    yield head + b'"at":"2025-11-22T06:00:00Z","hops":{"queued":-1%b}}' % (b"0" * 400)
    yield head + b'"at":"2025-11-22T06:00:00Z","hops":{"queued":1e400,"published":true}}'
    yield head + b'"at":"2025-11-22T06:00:00Z","hops":[1],"clock":"ahead","seq":9007199254740992}'
    yield head + b'"at":"0001-01-01T00:00:00+23:59"}'
    yield head + b'"at":"9999-12-31T23:59:59.9999999Z","hops":{"published":1.5}}'
    yield b'pillow/bridge/state\n{"pillow":"bridge","state":"neutral","at":"2025-11-22T06:00:00Z"}'
    yield head + b'"at":"2025-11-22T06:00:00Z","mot\\u0069on":[[1,2,3e1]],"label":"motion"}'
    yield head + b'"at":"2025-11-22T06:00:00Z","motion":{"a":1},"motion":[]}'
    yield b"pillow/a/availability\nonline"
    for number in range(8):
        yield bytes((0, number, 0, 0, 8, 1, 8, 1, 1 << number, 0, 1, 9, 1))


def _check_variants(update: Update) -> None:
    later = with_publish_time(update, NOW_MS)
    again = _decoded(update.pillow, later.payload)
    assert (again.order, again.state, again.published_ms) == (update.order, update.state, NOW_MS)
    assert later.order == update.order
    sign = with_sign_of_life(
        update, queued_ms=NOW_MS, polled_ms=NOW_MS, published_ms=NOW_MS, clock_is_behind=True
    )
    assert _decoded(update.pillow, sign.payload).order == update.order
    assert _decoded(update.pillow, with_clock_behind(update)).order == update.order
    still, samples = split_motion(update.payload)
    fields = msgspec.json.decode(update.payload)
    motion = fields.pop("motion", None)
    assert msgspec.json.decode(still) == fields, "more than motion is cut"
    assert (samples is not None) == isinstance(motion, list)
    silent = msgspec.json.decode(encode_not_connected(update, since_ms=NOW_MS))
    assert (silent["pillow"], silent["state"]) == (update.pillow, "notconnected")
    assert silent["last"] == update.state


def _decoded(pillow: str, payload: bytes) -> Update:
    update = decode_state(pillow, payload, now_ms=NOW_MS)
    assert isinstance(update, Update), f"made of a state and refused: {update}"
    return update
