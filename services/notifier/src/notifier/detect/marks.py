"""Marks: what has to be known after a restart, so that nothing is told twice. Pure."""

from typing import Literal, NamedTuple

MarkKind = Literal["alive", "offline", "queue"]
"""`alive`: a pillow was heard of, so that its silence is news. `offline` and `queue`: the rule has
told it."""


class Mark(NamedTuple):
    """One mark; `rule` is empty for `alive`, `subject` for `queue`."""

    kind: MarkKind
    rule: str
    subject: str


class MarkChange(NamedTuple):
    """A mark that is set, or removed."""

    mark: Mark
    is_set: bool
