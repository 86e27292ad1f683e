"""Marks: what has to be known after a restart, so that nothing is told twice. Pure."""

from typing import Literal, NamedTuple

MarkKind = Literal["alive", "offline", "queue"]
"""`alive`: a pillow was heard of, so that its silence is news. `offline` and `queue`: the rule has
told it."""


StateKey = tuple[int, int, int]
"""`at` of a state in microseconds, `seq`, and the hop `queued`, -1 for none."""


class Mark(NamedTuple):
    """One mark; `rule` is empty for `alive`, `subject` for `queue`."""

    kind: MarkKind
    rule: str
    subject: str


class Silence(NamedTuple):
    """For how long nothing was heard of a pillow, so that a restart does not count anew.

    `state` is the key of its newest state. Another one after a restart says that the pillow was
    heard of meanwhile.
    """

    pillow: str
    silent_ms: int
    by_queue: bool
    is_offline: bool
    state: StateKey


class MarkChange(NamedTuple):
    """A mark that is set, or removed."""

    mark: Mark
    is_set: bool
