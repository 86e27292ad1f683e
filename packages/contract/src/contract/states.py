"""The states a pillow can be in, declared once in `states.json`.

Poller, simulator and page read that file; nothing else spells a state's label, alias or colour.
"""

from importlib.resources import files
from typing import Final

import msgspec


class StateStyle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a state is shown: a label for people, aliases pillows may send, a colour as `#rrggbb`."""

    label: str
    aliases: tuple[str, ...]
    color: str


STATES_JSON: Final[bytes] = files("contract").joinpath("states.json").read_bytes()
"""`states.json` as it is, for those who hand it on."""

STATES: Final[dict[str, StateStyle]] = msgspec.json.decode(STATES_JSON, type=dict[str, StateStyle])
"""Every state by its canonical name."""

NOT_CONNECTED: Final = "notconnected"

_CANONICAL: Final = {name: name for name in STATES} | {
    alias: name for name, look in STATES.items() for alias in look.aliases
}


def canonical_state(word: str) -> str | None:
    """Return the state that `word` names in any letter case, by name or alias, or None."""
    return _CANONICAL.get(word.lower())
