"""Hypothesis strategies: valid messages, arbitrary bytes, and valid messages with damage."""

import json
from typing import Any

from hypothesis import strategies as st

from contract.states import STATES

# Insertion times, from 2010, when Azure Queue Storage began, to 2100.
QUEUED_US = st.integers(1_262_304_000_000_000, 4_102_444_800_000_000)

pillow_ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True).filter("bridge".__ne__)
states = st.sampled_from(sorted(STATES))
# With lone surrogates, because st.text() excludes them by default and seldom draws one otherwise.
any_text = st.text() | st.lists(
    st.text(max_size=3) | st.sampled_from(["\ud800", "\udbff", "\udc00", "\udfff"])
).map("".join)
shares = st.floats(0, 1)
instants = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
samples = st.tuples(*[st.floats(-16, 16)] * 3).map(list)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner)
    ),
    max_leaves=8,
)

KNOWN = {"pillow", "state", "at", "seq", "confidence", "battery", "motion", "hops", "clock"}

_unknown = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
        lambda name: name not in KNOWN
    ),
    json_values,
    max_size=4,
)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A valid message with unknown fields."""
    known = draw(
        st.fixed_dictionaries(
            {"pillow": pillow_ids, "state": states},
            optional={
                "at": instants,
                "seq": st.integers(0, 2**53 - 1),
                "confidence": shares,
                "battery": shares,
                "motion": st.lists(samples, max_size=4),
            },
        )
    )
    items = [*known.items(), *draw(_unknown).items()]
    return dict(draw(st.permutations(items)))


def as_json(value: object) -> str:
    """JSON text without escapes for non-ASCII characters."""
    return json.dumps(value, ensure_ascii=False)


texts = messages().map(as_json)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid message with a few bytes changed, deleted, repeated or inserted."""
    raw = bytearray(draw(texts).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                raw[at : at + 1] = draw(st.binary(min_size=0, max_size=2))
            case 1:
                del raw[at : at + draw(st.integers(1, 8))]
            case 2:
                raw[at:at] = raw[at : at + 8]
            case _:
                raw[at:at] = draw(
                    st.sampled_from(
                        [b'"', b"{", b"[[", b"\\ud800", b"\\", b"1e999", b"NaN", b",", b"\x00"]
                    )
                )
    return bytes(raw)


hostile = (
    st.binary(max_size=300)
    | any_text
    | mutated()
    | mutated().map(lambda raw: raw.decode(errors="surrogateescape"))
    | st.text("()'\"u, \t\x0b\xa0HUGhug[]{}", max_size=40)
    | st.from_regex(r"\(\s*u?'\w{1,9}'\s*(,\s*'\w{1,9}'\s*)*,?\s*\)", fullmatch=True)
    | st.from_regex(r"[A-Za-z0-9+/]{0,40}={0,2}", fullmatch=True)
)
