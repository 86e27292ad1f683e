"""Playback: makes stream items of a recording, with other names, times and copies.

Pure: the lines of a recording are the input.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contract.timestamps import format_timestamp
from contract.topics import is_pillow_id
from simulator.recording.recording_file import InvalidRecording, Line
from simulator.stream.items import StreamItem

_fields_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class PlaybackOptions:
    """How a recording is played.

    `renames` are pairs of an old and a new name, `prefix` is put before every name. Each pillow is
    played `times` times: its first copy is named `<name>-2` and begins `stagger_s` later, and so
    on. With `restamp` the messages have the time at which they are played, else the recorded one.
    """

    renames: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    times: int = 1
    stagger_s: float = 0.0
    restamp: bool = True

    def name(self, pillow: str, copy: int) -> str:
        """Return the name of a pillow's copy, from 0."""
        name = self.prefix + dict(self.renames).get(pillow, pillow)
        return name if copy == 0 else f"{name}-{copy + 1}"


def play(
    lines: Iterable[Line], options: PlaybackOptions, timestamp: Callable[[float], int]
) -> Iterator[StreamItem]:
    """Return the items of a recording in the order in which they are due.

    `timestamp` returns the time in microseconds since 1970 at a number of seconds after the start.
    Raises InvalidRecording for an invalid pillow id.
    """
    waiting: list[StreamItem] = []
    for line in lines:
        if line.retained:
            continue  # It was published before the recording began.
        for copy in range(options.times):
            item = _item(line, options, copy, timestamp)
            if item is not None:
                waiting.append(item)
        # Only a staggered copy is due after its line.
        waiting.sort(key=lambda item: item.due_s)
        due = sum(item.due_s <= line.t for item in waiting)
        yield from waiting[:due]
        del waiting[:due]
    yield from waiting


def _item(
    line: Line, options: PlaybackOptions, copy: int, timestamp: Callable[[float], int]
) -> StreamItem | None:
    due_s = round(line.t + copy * options.stagger_s, 3)
    pillow = options.name(line.pillow, copy) if line.pillow else ""
    if pillow and not is_pillow_id(pillow):
        raise InvalidRecording(
            f"{pillow!r} is not a pillow id: a-z, 0-9 and hyphens, at most 63; see --rename"
        )
    if line.availability is not None:
        return StreamItem(due_s, pillow, network="up" if line.availability == "online" else "down")
    if line.base64 is not None:
        return StreamItem(due_s, pillow, b64decode(line.base64))
    if line.body is None:
        return None
    at_us = timestamp(due_s) if options.restamp else None
    return StreamItem(due_s, pillow, _rewritten(line.body.encode(), pillow, at_us))


def _rewritten(body: bytes, pillow: str, at_us: int | None) -> bytes:
    """Return a message with another pillow and time; unchanged where it is not a JSON object."""
    try:
        fields: dict[str, Any] = dict(_fields_decoder.decode(body))
    except (msgspec.MsgspecError, ValueError):
        return body
    if "pillow" in fields and pillow:
        fields["pillow"] = pillow
    if "at" in fields and at_us is not None:
        fields["at"] = format_timestamp(at_us // 1000 * 1000)
    # The recorded hops are those of the recorded delivery.
    fields.pop("hops", None)
    return msgspec.json.encode(fields)
