"""Command names: what a person has typed, where one command line has the commands of another.

`pillowcast remove` is `simulator clear`; its errors and advice name what was typed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_names: ContextVar[Mapping[str, str]] = ContextVar("names", default={})  # noqa: B039


def command_name(own: str) -> str:
    """Return a command's name as it was typed: `simulator clear`, or what stands for it."""
    for name, typed in _names.get().items():
        if own == name or own.startswith(f"{name} "):
            return typed + own[len(name) :]
    return own


@contextmanager
def typed_as(names: Mapping[str, str]) -> Iterator[None]:
    """Name these commands as they were typed, within the block."""
    token = _names.set(names)
    try:
        yield
    finally:
        _names.reset(token)
