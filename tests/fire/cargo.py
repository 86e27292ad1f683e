"""What is put on the queue, decided by a seed: numbered messages of five kinds of pillow. Pure.

- steady: each state newer than the one before, so that only a delivery out of turn supersedes it;
- jumpy: a clock that jumps forwards and back, and at times more than five minutes ahead;
- tied: every state of the same `at` and `seq`, so that none is ever superseded: each one has to
  be published;
- lone: a pillow with one message only, which nothing can supersede either;
- bare: the forms of old pillows, words and tuples, which carry neither id nor number.

Beside them, messages that nobody can read, which end in the poison queue word for word.
The number is a field that Pillowcast does not know, and so passes on as it came.
"""

import base64
import json
import random
from dataclasses import dataclass
from typing import Final

from contract.timestamps import format_timestamp

DEFAULT_PILLOW: Final = "sofa"
"""Whose state a bare word is."""

STATES: Final = ("neutral", "hugging", "punching", "shaking", "spinning", "throwing")
KINDS: Final = {"steady": 34, "jumpy": 30, "tied": 20, "lone": 6, "bare": 5, "bad": 5}
"""How many of a hundred messages are of which kind."""

PILLOWS: Final = {"steady": 12, "jumpy": 12, "tied": 8}
"""How many pillows of a kind there are."""

HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Cargo:
    """One message before it is put.

    `pillow` is None for one that nobody can read. `at_us` is None where the queue's insertion
    time stands for it: where it is missing, or too far ahead to be believed.
    """

    number: int
    text: str
    pillow: str | None
    state: str = ""
    at_us: int | None = None
    seq: int = 0

    @property
    def is_numbered(self) -> bool:
        """Whether its number is still to be seen when it is published."""
        return self.pillow not in (None, DEFAULT_PILLOW)


def make_cargo(chance: random.Random, count: int, *, now_us: int) -> list[Cargo]:
    """Return `count` messages in the order in which they are to be put."""
    kinds = chance.choices(list(KINDS), list(KINDS.values()), k=count)
    return [_make(chance, number, kind, now_us) for number, kind in enumerate(kinds)]


def _make(chance: random.Random, number: int, kind: str, now_us: int) -> Cargo:
    if kind == "bad":
        return Cargo(number, _unreadable(chance, number), None)
    state = chance.choice(STATES)
    if kind == "bare":
        return Cargo(number, _bare(chance, state), DEFAULT_PILLOW, state)
    pillow = f"lone-{number}" if kind == "lone" else f"{kind}-{chance.randrange(PILLOWS[kind])}"
    fields: dict[str, object] = {"pillow": pillow, "state": state, "n": number}
    at_us: int | None
    if kind == "steady":
        at_us, seq = now_us - HOUR_US + number * 1000, number
    elif kind == "tied":
        at_us, seq = now_us - HOUR_US, 7
    else:
        at_us, seq = now_us + chance.randrange(-48 * HOUR_US, 0), number
        # Far enough ahead that a message put minutes from now is still not believed.
        at_us = chance.choice((at_us, at_us, at_us, None, now_us + 24 * HOUR_US + number))
    if at_us is not None:
        fields["at"] = format_timestamp(at_us)
    if at_us is not None and at_us > now_us:
        at_us = None
    fields["seq"] = seq
    if chance.random() < 0.2:
        fields["battery"] = round(chance.random(), 2)
    if chance.random() < 0.05:
        fields["padding"] = "x" * chance.randrange(4000)
    text = json.dumps(fields)
    if chance.random() < 0.2:
        text = base64.b64encode(text.encode()).decode()
    return Cargo(number, text, pillow, state, at_us, seq)


def _bare(chance: random.Random, state: str) -> str:
    word = chance.choice((state, state.upper(), state.capitalize()))
    before = chance.choice(STATES).upper()
    return chance.choice(
        (word, f"('{word}', '{before}')", base64.b64encode(word.encode()).decode())
    )


def _unreadable(chance: random.Random, number: int) -> str:
    return chance.choice(
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
