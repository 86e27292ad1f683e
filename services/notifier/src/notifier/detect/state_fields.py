"""What an event says of a state: fields of the contract, and none that a device made up. Pure."""

from typing import Any, Final

import msgspec

from contract.updates import Update

FIELDS: Final = ("at", "seq", "confidence", "battery", "clock")
"""The fields that are passed on; `motion` is too large, others may be anything."""

MAX_FIELD_CHARACTERS: Final = 64
MAX_NUMBER: Final = 2**53
"""What a device made up can have thousands of digits, and receivers read numbers as doubles."""


def state_fields(update: Update) -> dict[str, Any]:
    """Return pillow, state, and the fields of FIELDS that the state has in a plain form."""
    content = msgspec.json.decode(update.payload, type=dict[str, Any])
    found: dict[str, Any] = {"pillow": update.pillow, "state": update.state}
    for name in FIELDS:
        value = content.get(name)
        if _is_plain(value):
            found[name] = value
    return found


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_FIELD_CHARACTERS
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= MAX_NUMBER  # type: ignore[arg-type]
