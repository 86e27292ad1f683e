"""The states a pillow can be in, declared once in `states.json`.

Poller, simulator and page read that file; no other file repeats a label, an alias or a colour.
"""

from importlib.resources import files
from typing import Final

import msgspec


class StateStyle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state's label for people, the aliases that pillows may send, and its colour, `#rrggbb`."""

    label: str
    aliases: tuple[str, ...]
    color: str


STATES_JSON: Final[bytes] = files("contract").joinpath("states.json").read_bytes()
"""The bytes of `states.json`, which the gateway serves to the page."""

STATES: Final[dict[str, StateStyle]] = msgspec.json.decode(STATES_JSON, type=dict[str, StateStyle])
"""Every state, by its canonical name."""

NOT_CONNECTED: Final = "notconnected"

_CANONICAL: Final = {name: name for name in STATES} | {
    alias: name for name, style in STATES.items() for alias in style.aliases
}


def canonical_state(word: str) -> str | None:
    """Return the state whose name or alias is `word`, in any letter case, or None."""
    return _CANONICAL.get(word.lower())
