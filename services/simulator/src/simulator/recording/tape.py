"""Tapes: the JSON Lines that a recording is, written and read, and played otherwise than it was.

The first line says what it is; each other line is a message: `t` seconds after the first, its
`pillow`, the `body` as text (or `base64`, where it is none), and what is known of its way.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contract.messages import decode_message
from contract.timestamps import format_timestamp
from contract.topics import is_pillow_id
from simulator.stream.faults import Item

VERSION: Final = 1


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line: the version of the form, where it is from, and when it began."""

    pillowcast_recording: int = msgspec.field(name="pillowcast-recording")
    source: str = msgspec.field(name="from")
    began: str = ""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message, or one availability (`availability` instead of a body)."""

    t: float
    pillow: str = ""
    body: str | None = None
    base64: str | None = None
    availability: str | None = None
    retained: bool = False


class TapeWrong(Exception):
    """A file that is no recording; the message names the line."""


_head: Final = msgspec.json.Decoder(Head)
_line: Final = msgspec.json.Decoder(Line)
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def write_head(source: str, began_us: int) -> bytes:
    """Write the first line; `began_us` is in microseconds since 1970."""
    return msgspec.json.encode(Head(VERSION, source, format_timestamp(began_us))) + b"\n"


def write_line(
    t: float,
    pillow: str,
    body: bytes,
    *,
    availability: str | None = None,
    retained: bool = False,
) -> bytes:
    """Write one message; what is no UTF-8 goes as Base64."""
    text: str | None = None
    packed: str | None = None
    if availability is None:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            packed = b64encode(body).decode()
    line = Line(round(t, 3), pillow, text, packed, availability, retained)
    return msgspec.json.encode(line) + b"\n"


def read_tape(lines: Iterable[bytes], *, name: str) -> Iterator[Line]:
    """Read a recording line by line; raises TapeWrong at the first that is none."""
    numbered = enumerate(lines, 1)
    _, first = next(numbered, (1, b""))
    try:
        head = _head.decode(first)
    except msgspec.MsgspecError as error:
        raise TapeWrong(f"{name}:1: no recording of `simulator record`: {error}") from None
    if head.pillowcast_recording != VERSION:
        raise TapeWrong(
            f"{name}:1: a recording of version {head.pillowcast_recording}; this simulator reads "
            f"version {VERSION}"
        )
    for number, text in numbered:
        if not text.strip():
            continue
        try:
            yield _line.decode(text)
        except msgspec.MsgspecError as error:
            raise TapeWrong(f"{name}:{number}: {error}") from None


@dataclass(frozen=True, slots=True)
class Playing:
    """How a tape is played.

    `names` gives pillows other names, `prefix` goes before each name, and of each pillow there are
    `times`: the second is called `<name>-2`, and begins `stagger_s` later, and so on.
    With `restamp` messages are said when they are played, else when they were recorded.
    """

    names: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    times: int = 1
    stagger_s: float = 0.0
    restamp: bool = True

    def name(self, pillow: str, copy: int) -> str:
        """Return what a pillow is called, its copies counted from 0."""
        name = self.prefix + dict(self.names).get(pillow, pillow)
        return name if copy == 0 else f"{name}-{copy + 1}"


def play(lines: Iterable[Line], how: Playing, stamp: Callable[[float], int]) -> Iterator[Item]:
    """Make a tape's lines items on their way; raises TapeWrong for a name that is none.

    The lines come in order of `t`, and the copies of a line with it unless they are staggered;
    `stamp` gives the time at a number of seconds, in microseconds since 1970.
    """
    held: list[Item] = []
    for line in lines:
        if line.retained:
            continue  # it was there before the recording began
        for copy in range(how.times):
            item = _item(line, how, copy, stamp)
            if item is not None:
                held.append(item)
        held.sort(key=lambda one: one.due_s)
        ready = sum(one.due_s <= line.t for one in held)
        yield from held[:ready]
        del held[:ready]
    yield from held


def _item(line: Line, how: Playing, copy: int, stamp: Callable[[float], int]) -> Item | None:
    due_s = round(line.t + copy * how.stagger_s, 3)
    pillow = how.name(line.pillow, copy) if line.pillow else ""
    if pillow and not is_pillow_id(pillow):
        raise TapeWrong(
            f"{pillow!r} is no pillow's id: a-z, 0-9 and hyphens, at most 63; see --rename"
        )
    if line.availability is not None:
        return Item(due_s, pillow, link="up" if line.availability == "online" else "down")
    if line.base64 is not None:
        return Item(due_s, pillow, b64decode(line.base64))
    if line.body is None:
        return None
    body = line.body.encode()
    return Item(due_s, pillow, _said_again(body, pillow, stamp(due_s) if how.restamp else None))


def _said_again(body: bytes, pillow: str, at_us: int | None) -> bytes:
    """Put another name and time in a message; one that is no JSON object is left as it is."""
    try:
        fields = _object.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return body
    changed: dict[str, Any] = dict(fields)
    if "pillow" in changed and pillow:
        changed["pillow"] = pillow
    if "at" in changed and at_us is not None:
        changed["at"] = format_timestamp(at_us // 1000 * 1000)
    # They tell of another journey.
    changed.pop("hops", None)
    return msgspec.json.encode(changed)


def pillow_of(body: bytes) -> str:
    """Return whose a queue's message is, or nothing where it does not say."""
    read = decode_message(body, default_pillow="nobody", queued_us=0)
    name = getattr(read, "pillow", "nobody")
    return "" if name == "nobody" else str(name)
