"""Texts in the source of the services: what they log, and why they refuse."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

LEVELS: Final = ("warning", "error")
_LOGGERS: Final = {"log", "_log", "logger", "self._log"}


@dataclass(frozen=True, order=True)
class Call:
    """A call of a named function in the source, with its arguments as texts."""

    service: str
    name: str
    arguments: tuple[str, ...]


@cache
def calls(root: Path) -> tuple[Call, ...]:
    """Return every call in the services and what they share, once each, in order."""
    return tuple(sorted(set(_calls(root))))


def _calls(root: Path) -> Iterator[Call]:
    for source in sorted([*root.glob("services/*/src"), *root.glob("packages/*/src")]):
        for path in sorted(source.rglob("*.py")):
            service = path.relative_to(source).parts[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield Call(service, ast.unparse(node.func), tuple(map(_text, node.args)))


def _text(node: ast.expr) -> str:
    """Return a text with … for what is put in; another expression as it is written."""
    match node:
        case ast.Constant(str(value)):
            return value
        case ast.JoinedStr(parts):
            return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in parts)
        case ast.BinOp(left, ast.Add(), right):
            return _text(left) + _text(right)
        case ast.IfExp(_, then, otherwise):
            return f"{_text(then)} / {_text(otherwise)}"
        case _:
            return ast.unparse(node)


def log_lines(found: Iterable[Call]) -> list[tuple[str, str, str]]:
    """Return each warning and error that is logged: level, event, and the services that log it."""
    lines: dict[tuple[str, str], set[str]] = {}
    for call in found:
        logger, _, level = call.name.rpartition(".")
        if logger in _LOGGERS and level in LEVELS and call.arguments:
            event = call.arguments[0]
            if " " in event and "(" not in event:
                lines.setdefault((level, event), set()).add(call.service)
    return [
        (level, event, ", ".join(sorted(services)))
        for (level, event), services in sorted(lines.items(), key=lambda item: item[0][1].lower())
    ]
