"""The messages of a run, planned by a seed: numbered, of five kinds of pillow. Pure.

- steady: each state is newer than the one before, so that only delivery out of order supersedes it.
- jumpy: the clock jumps in both directions, at times by more than five minutes ahead.
- tied: all states have the same `at` and `seq`, so that none is superseded and each is published.
- lone: the pillow has one message only, which cannot be superseded either.
- bare: the old forms, words and tuples, without an id or a number.

Other messages cannot be decoded, and end in the poison queue byte for byte.
The number is an unknown field, which Pillowcast forwards unchanged.
"""

import base64
import json
import random
from dataclasses import dataclass
from typing import Final

from contract.timestamps import format_timestamp

DEFAULT_PILLOW: Final = "sofa"
"""The pillow of a bare word."""

STATES: Final = ("neutral", "hugging", "punching", "shaking", "spinning", "throwing")
KINDS: Final = {"steady": 34, "jumpy": 30, "tied": 20, "lone": 6, "bare": 5, "bad": 5}
"""The share of each kind, in percent."""

PILLOWS: Final = {"steady": 12, "jumpy": 12, "tied": 8}
"""The number of pillows of each kind."""

HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message before it is put.

    `pillow` is None if the message cannot be decoded.
    `at_us` is None if the queue's insertion time replaces it, because it is missing or too far in
    the future.
    """

    number: int
    text: str
    pillow: str | None
    state: str = ""
    at_us: int | None = None
    seq: int = 0

    @property
    def is_numbered(self) -> bool:
        """Whether its published state has its number."""
        return self.pillow not in (None, DEFAULT_PILLOW)


def plan_messages(rng: random.Random, count: int, *, now_us: int) -> list[PlannedMessage]:
    """Return `count` messages, in the order in which they are put."""
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=count)
    return [_make(rng, number, kind, now_us) for number, kind in enumerate(kinds)]


def _make(rng: random.Random, number: int, kind: str, now_us: int) -> PlannedMessage:
    if kind == "bad":
        return PlannedMessage(number, _unreadable(rng, number), None)
    state = rng.choice(STATES)
    if kind == "bare":
        return PlannedMessage(number, _bare(rng, state), DEFAULT_PILLOW, state)
    pillow = f"lone-{number}" if kind == "lone" else f"{kind}-{rng.randrange(PILLOWS[kind])}"
    fields: dict[str, object] = {"pillow": pillow, "state": state, "n": number}
    at_us: int | None
    if kind == "steady":
        at_us, seq = now_us - HOUR_US + number * 1000, number
    elif kind == "tied":
        at_us, seq = now_us - HOUR_US, 7
    else:
        at_us, seq = now_us + rng.randrange(-48 * HOUR_US, 0), number
        # Far enough ahead to be replaced even if the message is put minutes from now.
        at_us = rng.choice((at_us, at_us, at_us, None, now_us + 24 * HOUR_US + number))
    if at_us is not None:
        fields["at"] = format_timestamp(at_us)
    if at_us is not None and at_us > now_us:
        at_us = None
    fields["seq"] = seq
    if rng.random() < 0.2:
        fields["battery"] = round(rng.random(), 2)
    if rng.random() < 0.05:
        fields["padding"] = "x" * rng.randrange(4000)
    text = json.dumps(fields)
    if rng.random() < 0.2:
        text = base64.b64encode(text.encode()).decode()
    return PlannedMessage(number, text, pillow, state, at_us, seq)


def _bare(rng: random.Random, state: str) -> str:
    word = rng.choice((state, state.upper(), state.capitalize()))
    before = rng.choice(STATES).upper()
    return rng.choice((word, f"('{word}', '{before}')", base64.b64encode(word.encode()).decode()))


def _unreadable(rng: random.Random, number: int) -> str:
    return rng.choice(
        (
            f"no state, and no JSON either: {number}",
            f'{{"pillow":"cloud","state":"waltzing","n":{number}}}',
            f'{{"pillow":"Not An Id {number}","state":"hugging"}}',
            f'{{"pillow":"cloud","state":"hugging","seq":-{number + 1}}}',
            f'{{"pillow":"cloud","state":"hugging","n":{number}',
            f"  <&amp;> \N{CLOUD} {number}\t]]>  ",
            base64.b64encode(b"\xff\xfe" + str(number).encode()).decode(),
            f'{{"state":"hugging","n":{number}}}',
        )
    )
