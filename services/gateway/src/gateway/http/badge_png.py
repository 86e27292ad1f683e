"""The pictures of badges as PNG, for programs that show no SVG: one for each state.

services/gateway/draw_icons.py paints them before a release, because a gateway has no browser. They
have no name: whoever shows one writes it beside it.
"""

from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from contract.states import STATES
from gateway.http.negotiation import etag_of

FOLDER: Final = "badges"
DRAWN_FROM: Final = "drawn-from.json"
"""What each picture was painted from: a hash of its SVG by its name."""


class Picture(NamedTuple):
    """A picture and its ETag."""

    body: bytes
    etag: str


def picture_name(state: str | None, *, is_live: bool) -> str:
    """Return the name of the picture of a state; None for a pillow that is not known."""
    return f"{state or 'unknown'}{'' if is_live else '-not-live'}.png"


def picture_names() -> list[str]:
    """Return the names of all pictures."""
    states = (*STATES, None)
    return [picture_name(one, is_live=is_live) for one in states for is_live in (True, False)]


@cache
def picture(state: str | None, *, is_live: bool) -> Picture:
    """Return the picture of a state; None for a pillow that is not known."""
    name = picture_name(state, is_live=is_live)
    body = files("gateway.http").joinpath(FOLDER, name).read_bytes()
    return Picture(body, etag_of(body))
