"""The audit: compares what was put with what the broker and the poison queue had. Pure.

A message is accounted for if its state was published, if a newer state of its pillow was published,
or if the poison queue has it byte for byte.
A poller's own logs and counters are no evidence here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from contract.updates import Update
from tests.fire.messages import PlannedMessage

Order = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Put:
    """A message that was put, with its insertion time and id in the queue."""

    planned: PlannedMessage
    inserted_us: int
    id: str = ""

    @property
    def order(self) -> Order:
        """The order of its state among those of its pillow."""
        at_us = self.inserted_us if self.planned.at_us is None else self.planned.at_us
        return at_us, self.planned.seq


@dataclass(slots=True)
class AuditResult:
    """The outcome of every message; `missing` and `unexpected` have to be empty."""

    published: int = 0
    superseded: int = 0
    out_of_order: int = 0
    """Superseded ones of a steady clock: they were delivered late or again."""
    dead_lettered: int = 0
    exhausted: int = 0
    """Those that can be decoded, but were received too often and are in the poison queue."""
    missing: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    """What was published or dead-lettered, but never put."""
    newest: dict[str, Order] = field(default_factory=dict)
    """The order of the state that each pillow has to end with."""

    def add_missing(self, put: Put, why: str) -> None:
        """Record a message that was not found."""
        self.missing.append(f"number {put.planned.number} {put.planned.text[:160]!r}: {why}")
        self.missing_ids.append(put.id)


def audit(
    puts: Sequence[Put], received: Mapping[str, Sequence[Update]], poison: Iterable[str]
) -> AuditResult:
    """Compare what was put with the states received by pillow, and with the poison queue."""
    result = AuditResult()
    dead_lettered = Counter(poison)
    published = {
        pillow: {(update.order, update.state, _number(update)) for update in updates}
        for pillow, updates in received.items()
    }
    newest = {pillow: max(one[0] for one in every) for pillow, every in published.items() if every}
    expected: set[tuple[str | None, tuple[Order, str, int | None]]] = set()
    for put in puts:
        planned = put.planned
        content = (put.order, planned.state, planned.number if planned.is_numbered else None)
        expected.add((planned.pillow, content))
        if planned.pillow is None:
            if dead_lettered[planned.text]:
                result.dead_lettered += 1
            else:
                result.add_missing(put, "invalid, and not in the poison queue")
            continue
        if content in published.get(planned.pillow, ()):
            result.published += 1
        elif dead_lettered[planned.text]:
            result.exhausted += 1
            continue  # it was not published, so it cannot be the newest state
        elif newest.get(planned.pillow, (-1, -1)) > put.order:
            result.superseded += 1
            result.out_of_order += planned.pillow.startswith("steady")
        else:
            result.add_missing(
                put,
                f"of order {put.order}; the newest published of its pillow has "
                f"{newest.get(planned.pillow)}",
            )
        result.newest[planned.pillow] = max(put.order, result.newest.get(planned.pillow, put.order))
    result.unexpected += [
        f"published, but not put: {pillow} {one}"
        for pillow, every in published.items()
        for one in every
        if (pillow, one) not in expected
    ]
    texts = {put.planned.text for put in puts}
    result.unexpected += [
        f"in the poison queue: {text[:200]!r}" for text in dead_lettered.keys() - texts
    ]
    return result


def _number(update: Update) -> int | None:
    found: object = msgspec.json.decode(update.payload).get("n")
    return found if isinstance(found, int) else None
