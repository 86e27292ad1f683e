"""The label that is shown for a pillow: that of its newest message, or else that of the file. Pure.

The page and the element have the same rule in static/cloud/labels.js.
"""

import re
from typing import Final

import msgspec

from contract.wire_types import MAX_LABEL_CHARACTERS
from gateway.labels.parsing import is_control


class _Told(msgspec.Struct, frozen=True):
    """What a state says of its pillow's name: a text of strangers."""

    label: object = None


_decoder: Final = msgspec.json.Decoder(_Told)
_SPACE: Final = re.compile(r"\s+")


def clean_label(value: object) -> str:
    """Return a label as it is shown; "" for none."""
    if not isinstance(value, str):
        return ""
    text = "".join(" " if is_control(one) else one for one in value[: 4 * MAX_LABEL_CHARACTERS])
    return _SPACE.sub(" ", text).strip()[:MAX_LABEL_CHARACTERS].strip()


def shown_label(payload: bytes | None, filed: str) -> str:
    """Return what people call a pillow, "" for nothing.

    `payload` is what clients see of it, None if it is not known; `filed` is the file's name, "" for
    none.
    """
    told = None if payload is None else _decoder.decode(payload).label
    return clean_label(told) or filed
