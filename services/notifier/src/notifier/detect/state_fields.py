"""What an event says of a state: fields of the contract, and none that a device made up. Pure."""

from typing import Any, Final

import msgspec

from contract.updates import Update

FIELDS: Final = ("at", "seq", "confidence", "battery", "clock")
"""The fields that are passed on; `motion` is too large, others may be anything."""

MAX_FIELD_CHARACTERS: Final = 64


def state_fields(update: Update) -> dict[str, Any]:
    """Return pillow, state, and the fields of FIELDS that the state has in a plain form."""
    content = msgspec.json.decode(update.payload, type=dict[str, Any])
    found: dict[str, Any] = {"pillow": update.pillow, "state": update.state}
    for name in FIELDS:
        value = content.get(name)
        is_text = isinstance(value, str) and len(value) <= MAX_FIELD_CHARACTERS
        if is_text or type(value) in (int, float):
            found[name] = value
    return found
