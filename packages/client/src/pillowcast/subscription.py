"""Which pillows a client subscribes to, and whether its cursor is valid for them.

A cursor is valid only for the pillows that were requested when the gateway gave it. One request is
under way at a time, so that it is known which of them a snapshot answers.
"""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from pillowcast.pillow_state import is_pillow_id

MAX_QUERY_CHARS: Final = 2_000
"""Some servers refuse a query of more than 2,048 characters: more pillows go as a message."""
MAX_PILLOWS: Final = 1_000
"""The gateway takes this many pillows in one subscription; for more there is `all`."""
MAX_REQUEST_BYTES: Final = 65_536

Pillows = tuple[str, ...] | None
"""None: all."""


def check_pillows(pillows: Sequence[str] | None) -> Pillows:
    """Return the pillows to subscribe to. Raises TypeError or ValueError with what to do."""
    if pillows is None or pillows == "all":
        return None
    if isinstance(pillows, str):
        raise TypeError(f"pillows is {pillows!r}: pass a list, [{pillows!r}], or None for all")
    if not isinstance(pillows, Sequence):
        raise TypeError(f"pillows is {type(pillows).__name__}: pass a list of ids, or None for all")
    if not pillows:
        raise ValueError("pillows is empty: pass a list of at least one id, or None for all")
    for one in pillows:
        if not is_pillow_id(one):
            raise ValueError(f"pillows: {one!r} is no pillow's id: a to z, 0 to 9, hyphens")
    found = tuple(dict.fromkeys(pillows))
    size = len(subscribe_frame(found))
    if len(found) > MAX_PILLOWS or size > MAX_REQUEST_BYTES:
        raise ValueError(
            f"pillows has {len(found)} ids in {size} bytes: pass at most {MAX_PILLOWS} ids in "
            f"{MAX_REQUEST_BYTES} bytes, or None for all"
        )
    return found


def subscribe_frame(pillows: Pillows) -> str:
    """Return the message that subscribes to pillows."""
    return json.dumps({"type": "subscribe", "pillows": "all" if pillows is None else pillows})


class Subscription:
    """The pillows that a client wants, and those that it has asked for."""

    def __init__(self, pillows: Pillows, *, has_cursor: bool, has_motion: bool = True) -> None:
        """Without `has_motion` the states are asked for without `motion`."""
        self._has_motion = has_motion
        self.pillows = pillows
        self._requested: Pillows = None
        self._is_answered = True
        self._cursor_pillows = pillows
        self._has_cursor = has_cursor

    @property
    def is_request_due(self) -> bool:
        """Whether other pillows are to be asked for, and may be: the last request was answered."""
        return self._is_answered and self._requested != self.pillows

    def request_by_query(self, cursor: str | None) -> str:
        """Return the query of a new connection's URL, which is its first request."""
        self._requested = _fitting(self.pillows)
        self._is_answered = False
        fields = [("pillow", one) for one in self._requested or ()]
        if not self._has_motion:
            fields.append(("motion", "none"))
        if cursor is not None and self._has_cursor and self._cursor_pillows == self._requested:
            fields.append(("since", cursor))
        return urlencode(fields, safe=":")

    def requested(self) -> None:
        """The request for the wanted pillows was sent."""
        self._requested = self.pillows
        self._is_answered = False

    def answered(self, *, has_more: bool) -> bool:
        """A snapshot arrived, whose cursor is valid for the pillows that it answers.

        Returns whether the client has all that it wants then.
        """
        self._is_answered = not has_more
        self._cursor_pillows = self._requested
        self._has_cursor = True
        return self._is_answered and self._requested == self.pillows


def _fitting(pillows: Pillows) -> Pillows:
    """Return as many pillows as a query may name."""
    if pillows is None:
        return None
    left = MAX_QUERY_CHARS
    for count, one in enumerate(pillows):
        left -= len(f"&pillow={one}")
        if left < 0:
            return pillows[:count]
    return pillows
