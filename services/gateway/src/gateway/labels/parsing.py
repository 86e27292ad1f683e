"""Labels of a file: TOML or JSON in, names by pillow or an error out. Pure."""

import tomllib
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from contract.json_limits import abbreviated
from contract.topics import is_pillow_id
from contract.wire_types import MAX_LABEL_CHARACTERS

MAX_FILE_BYTES: Final = 1_048_576
MAX_LABELS: Final = 10_000

_BIDI_CONTROLS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_BREAKS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of what controls, and of what begins a new line."""

Labels = Mapping[str, str]


def parse_labels(content: bytes) -> Labels | str:
    """Return the names of a file by pillow, or a sentence that says why it cannot be used.

    A file is used as a whole or not at all.
    """
    if len(content) > MAX_FILE_BYTES:
        return f"it has more than {MAX_FILE_BYTES} bytes"
    found = _decoded(content.removeprefix(b"\xef\xbb\xbf"))
    if isinstance(found, str):
        return found
    if len(found) > MAX_LABELS:
        return f"it has {len(found)} names; at most {MAX_LABELS} are read"
    labels = {}
    for pillow, label in found.items():
        if not is_pillow_id(pillow):
            return f"{abbreviated(pillow)} is no pillow's id"
        if not isinstance(label, str):
            return f"{pillow} is {abbreviated(label)}, not a text"
        name = " ".join(label.split())
        wrong = _what_is_wrong(name)
        if wrong is not None:
            return f"the name of {pillow} {wrong}"
        labels[pillow] = name
    return labels


def _decoded(content: bytes) -> dict[str, object] | str:
    try:
        text = content.decode()
        if not text.lstrip().startswith("{"):
            return tomllib.loads(text)
        return msgspec.json.decode(text, type=dict[str, object])
    except UnicodeDecodeError as error:
        return f"it is not UTF-8: {error}"
    except tomllib.TOMLDecodeError as error:
        return f"it is not TOML: {error}"
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        return f"it is not JSON with texts by id: {error}"


def _what_is_wrong(name: str) -> str | None:
    if not name:
        return "is empty"
    if len(name) > MAX_LABEL_CHARACTERS:
        return f"has {len(name)} characters; at most {MAX_LABEL_CHARACTERS} are shown"
    for one in name:
        if one in _BIDI_CONTROLS or unicodedata.category(one) in _BREAKS:
            return f"has the control character U+{ord(one):04X}"
    return None
