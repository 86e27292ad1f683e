"""docs/reference/settings.md: every setting, from .env.example and the settings classes."""

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from docsite.reference.tables import code, table, words
from runtime.secret_files import is_secret
from runtime.settings import CommonSettings

INTRODUCTION: Final = """\
# Settings

A setting is a variable of the environment. An empty value means unset.
A wrong value ends the process at once, with exit status 2.
The message names every wrong variable and its value; a secret's value is never shown.
A variable that looks like a setting and is none is logged, with the one that was meant.
[.env.example](../../.env.example) is the same list as a file to copy.
"""

LONGEST: Final = 40
"""The most characters of a default; the connection string of the development account has more."""

_VARIABLE: Final = re.compile(r"#([A-Z][A-Z0-9_]*)=(.*)")


class Entry(NamedTuple):
    """A variable of .env.example: its section, its value, and the sentence above it."""

    name: str
    section: str
    value: str
    sentence: str


def page(root: Path) -> str:
    """Return the page."""
    fields = _fields(root)
    parts = [INTRODUCTION]
    section = ""
    rows: list[list[str]] = []
    for name, title, value, sentence in entries((root / ".env.example").read_text("utf-8")):
        if title != section:
            parts.append(_section(section, rows))
            section, rows = title, []
        if name.endswith("_FILE") and name.removesuffix("_FILE") in fields:
            continue  # the secret's row names it
        field = fields.get(name)
        notes = _notes(name, field) if field else ""
        default = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
        rows.append([f'<a id="{name.lower()}"></a>`{name}`', code(default), words(sentence), notes])
    parts.append(_section(section, rows))
    return "\n".join(filter(None, parts))


def _section(title: str, rows: list[list[str]]) -> str:
    if not rows:
        return ""
    heading = title[:1].upper() + title[1:]
    return f"## {heading}\n\n" + table(["variable", "default", "meaning", "allowed"], rows)


def entries(text: str) -> Iterator[Entry]:
    """Yield each variable of .env.example, in order."""
    section = ""
    words: list[str] = []
    for line in text.splitlines():
        if found := _VARIABLE.fullmatch(line):
            yield Entry(found[1], section, found[2].strip('"'), " ".join(words))
            words = []
        elif line.startswith("# --- "):
            section, words = line.strip("# -"), []
        elif line.startswith("# "):
            words.append(line.removeprefix("# "))
        else:
            words = []


def _fields(root: Path) -> dict[str, FieldInfo]:
    """Return the fields of every settings class, by variable."""
    for path in sorted(root.glob("services/*/src/*/settings.py")):
        importlib.import_module(f"{path.parent.name}.settings")
    found: dict[str, FieldInfo] = {}
    classes: list[type[CommonSettings]] = [CommonSettings]
    while classes:
        kind = classes.pop()
        classes += kind.__subclasses__()
        fields: Mapping[str, FieldInfo] = kind.model_fields
        found.update({field.alias or name: field for name, field in fields.items()})
    return found


def _notes(name: str, field: FieldInfo) -> str:
    """Return which values are allowed, and whether the value may be in a file."""
    if is_secret(field):
        return f"a secret: also as a file, `{name}_FILE`"
    if field.annotation is bool:
        return "`true`, `false`"
    if get_origin(field.annotation) is Literal:
        return ", ".join(code(str(value)) for value in get_args(field.annotation))
    limits = []
    for limit in field.metadata:
        match limit:
            case Ge(low):
                limits.append(f"≥ {low}")
            case Gt(low):
                limits.append(f"> {low}")
            case Le(high):
                limits.append(f"≤ {high}")
            case Lt(high):
                limits.append(f"< {high}")
    return ", ".join(limits)
