"""Deliveries: one event for one destination, and what is written of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from notifier.detect.event import Event
from notifier.detect.marks import Mark, Silence

State = Literal["waiting", "dead"]


class Row(NamedTuple):
    """A delivery as it is on disk.

    `waited_s` is how long it has waited while a notifier ran, `ended_ms` when it became a dead
    letter, in Unix milliseconds. `is_retried`: a person wants it sent once more.
    """

    number: int
    destination: str
    event: Event
    state: State = "waiting"
    attempts: int = 0
    waited_s: float = 0.0
    is_retried: bool = False
    error: str = ""
    ended_ms: int = 0


@dataclass(slots=True, eq=False)
class Delivery:
    """A delivery that waits. `since_s` is when this process got it, on its monotonic clock."""

    number: int
    destination: str
    event: Event
    since_s: float
    attempts: int = 0
    waited_before_s: float = 0.0
    is_retried: bool = False
    refusals: int = 0
    """How many attempts of this process were refused as they were."""

    @property
    def key(self) -> tuple[str, str]:
        """What distinguishes it from every other one that waits."""
        return self.destination, self.event.id

    def waited_s(self, now_s: float) -> float:
        """Return for how long it has waited while a notifier ran."""
        return self.waited_before_s + max(0.0, now_s - self.since_s)

    def row(self, now_s: float) -> Row:
        """Return what is written of it."""
        return Row(
            self.number, self.destination, self.event, "waiting", self.attempts,
            self.waited_s(now_s), self.is_retried,
        )  # fmt: skip

    def dead(self, error: str, now_s: float, wall_ms: int) -> Row:
        """Return what is written of it as a dead letter."""
        return self.row(now_s)._replace(state="dead", error=error, ended_ms=wall_ms)


def delivery_of(row: Row, now_s: float) -> Delivery:
    """Return the delivery that a row on disk is."""
    return Delivery(
        row.number, row.destination, row.event, now_s, row.attempts, row.waited_s, row.is_retried
    )


@dataclass(slots=True)
class Batch:
    """What is written with one commit: rows, or None for one that is deleted, marks, and all
    silences, or None where those on disk stay."""

    rows: dict[int, Row | None] = field(default_factory=dict)
    marks: dict[Mark, bool] = field(default_factory=dict)
    silences: Sequence[Silence] | None = None

    def __bool__(self) -> bool:
        return bool(self.rows or self.marks or self.silences is not None)

    def followed_by(self, later: "Batch") -> "Batch":
        """Return both as one; what is later replaces what is earlier."""
        silences = self.silences if later.silences is None else later.silences
        return Batch({**self.rows, **later.rows}, {**self.marks, **later.marks}, silences)
