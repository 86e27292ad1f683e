"""Whether anything was lost: what was put, held against what was seen afterwards. Pure.

A message has ended well when it was published; when a newer state of its pillow was, which
superseded it; or when it is in the poison queue, word for word.
What a poller says of itself, in its log or its counters, is no evidence here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from contract.updates import Update
from tests.fire.cargo import Cargo

Order = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Put:
    """A message on the queue, with the queue's insertion time and its id there."""

    cargo: Cargo
    inserted_us: int
    id: str = ""

    @property
    def order(self) -> Order:
        """By what the states of a pillow are sorted."""
        at_us = self.inserted_us if self.cargo.at_us is None else self.cargo.at_us
        return at_us, self.cargo.seq


@dataclass(slots=True)
class Verdict:
    """How every message ended. `missing` and `strange` are to be empty."""

    published: int = 0
    superseded: int = 0
    out_of_turn: int = 0
    """Those of them whose pillow's clock only goes forwards: delivered late, or again."""
    buried: int = 0
    worn_out: int = 0
    """Readable, but in the poison queue: received too often."""
    missing: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    """Seen, though nobody put it so."""
    newest: dict[str, Order] = field(default_factory=dict)
    """What each pillow's retained state has to be in the end."""

    def lose(self, put: Put, why: str) -> None:
        """Write down a message that has left no trace."""
        self.missing.append(f"number {put.cargo.number} {put.cargo.text[:160]!r}: {why}")
        self.missing_ids.append(put.id)


def judge(
    puts: Sequence[Put], heard: Mapping[str, Sequence[Update]], poison: Iterable[str]
) -> Verdict:
    """Hold what was put against the states heard, by pillow, and the poison queue's texts."""
    verdict = Verdict()
    buried = Counter(poison)
    said = {
        pillow: {(update.order, update.state, _number(update)) for update in updates}
        for pillow, updates in heard.items()
    }
    newest = {pillow: max(one[0] for one in every) for pillow, every in said.items() if every}
    expected: set[tuple[str | None, tuple[Order, str, int | None]]] = set()
    for put in puts:
        cargo = put.cargo
        told = (put.order, cargo.state, cargo.number if cargo.is_numbered else None)
        expected.add((cargo.pillow, told))
        if cargo.pillow is None:
            if buried[cargo.text]:
                verdict.buried += 1
            else:
                verdict.lose(put, "unreadable, and not in the poison queue")
            continue
        if told in said.get(cargo.pillow, ()):
            verdict.published += 1
        elif buried[cargo.text]:
            verdict.worn_out += 1
            continue  # never shown, so no newest state
        elif newest.get(cargo.pillow, (-1, -1)) > put.order:
            verdict.superseded += 1
            verdict.out_of_turn += cargo.pillow.startswith("steady")
        else:
            verdict.lose(
                put,
                f"of order {put.order}; the newest published of its pillow has "
                f"{newest.get(cargo.pillow)}",
            )
        verdict.newest[cargo.pillow] = max(put.order, verdict.newest.get(cargo.pillow, put.order))
    verdict.strange += [
        f"published, though it was put otherwise: {pillow} {one}"
        for pillow, every in said.items()
        for one in every
        if (pillow, one) not in expected
    ]
    texts = {put.cargo.text for put in puts}
    verdict.strange += [f"in the poison queue: {text[:200]!r}" for text in buried.keys() - texts]
    return verdict


def _number(update: Update) -> int | None:
    found: object = msgspec.json.decode(update.payload).get("n")
    return found if isinstance(found, int) else None
