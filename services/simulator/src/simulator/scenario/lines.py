"""Where in a TOML text a value stands; the standard reader does not say."""

import re
from typing import Final

Path = tuple[str | int, ...]
"""How to come to a value from the top: keys, and places in lists, from 0."""

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")
_PART: Final = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, from 1, of every table header and every key that begins a line."""
    found: dict[Path, int] = {(): 1}
    counts: dict[Path, int] = {}
    table: Path = ()
    quotes = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        if header := _HEADER.match(line):
            path = _resolved(_parts(header[2]), counts)
            if header[1] == "[[":
                place = counts[path] = counts.get(path, -1) + 1
                found.setdefault(path, number)
                path = (*path, place)
            table = path
            found[path] = number
        elif key := _KEY.match(line):
            path = (*table, *_parts(key[1]))
            for end in range(len(table) + 1, len(path) + 1):
                found.setdefault(path[:end], number)
            for triple in ('"""', "'''"):
                if line.count(triple) == 1:
                    quotes = triple
    return found


def line_at(found: dict[Path, int], path: Path) -> int:
    """Return the line of a value, or of the nearest thing around it that has one."""
    while path not in found:
        path = path[:-1]
    return found[path]


def _parts(text: str) -> Path:
    return tuple(one.strip("\"'") for one in _PART.findall(text))


def _resolved(path: Path, counts: dict[Path, int]) -> Path:
    """Put the place of the present element behind each list on the way, but for the last word."""
    whole: Path = ()
    for word in path[:-1]:
        whole = (*whole, word)
        if whole in counts:
            whole = (*whole, counts[whole])
    return (*whole, *path[-1:])
