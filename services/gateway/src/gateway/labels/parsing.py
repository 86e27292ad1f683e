"""Labels of a file: TOML or JSON in, names by pillow or an error out. Pure."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from contract.json_limits import DECODE_ERRORS, abbreviated
from contract.topics import is_pillow_id
from contract.wire_types import MAX_LABEL_CHARACTERS

MAX_FILE_BYTES: Final = 1_048_576
MAX_LABELS: Final = 10_000

EXAMPLE: Final = """cloud-1 = "Grandma's cloud\""""

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_STRING: Final = r"""(?:"(?:[^"\\]|\\.)*+"|'[^']*+')"""
_LINE: Final = re.compile(
    rf"""[ \t]*+(?:(?:[A-Za-z0-9_-]++|{_STRING})[ \t]*+=[ \t]*+{_STRING}[ \t]*+)?+(?:\#.*+)?+"""
)
"""A name, a comment, a name with a comment, or nothing."""

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
        name = " ".join(label.split())
        wrong = _what_is_wrong(name)
        if wrong is not None:
            return f"the name of {pillow} {wrong}"
        labels[pillow] = name
    return labels


def _decoded(content: bytes) -> Mapping[str, str] | str:
    try:
        text = content.decode()
        return _json(text) if text.lstrip().startswith("{") else _toml(text)
    except UnicodeDecodeError as error:
        return f"it is not UTF-8: {error}"


def _json(text: str) -> Mapping[str, str] | str:
    try:
        found = _OBJECT.decode(text)
        for key, value in found.items():
            if not bytes(value).lstrip().startswith(b'"'):
                return (
                    f"{abbreviated(key)} is {bytes(value)[:40].decode(errors='replace')}, no text"
                )
        return {key: _TEXT.decode(value) for key, value in found.items()}
    except DECODE_ERRORS as error:
        return f"it is not JSON: {error}"


def _toml(text: str) -> Mapping[str, str] | str:
    # Line by line before it is parsed, because the parser takes any memory for a key with many
    # dots, and for what has no place here.
    for number, line in enumerate(text.splitlines(), 1):
        if not _LINE.fullmatch(line):
            return f"line {number} is {line.strip()[:40]!r}, not like {EXAMPLE}"
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return f"it is not TOML: {error}"


def is_control(character: str) -> bool:
    """Return whether a character controls, begins a new line, or changes the order around it."""
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _BREAKS


def _what_is_wrong(name: str) -> str | None:
    if not name:
        return "is empty"
    if len(name) > MAX_LABEL_CHARACTERS:
        return f"has {len(name)} characters; at most {MAX_LABEL_CHARACTERS} are shown"
    for one in name:
        if is_control(one):
            return f"has the control character U+{ord(one):04X}"
    return None
