"""The verdict: why a pillow is grey, the first cause first. Pure.

A part further up the way is to blame before one further down: the pillow itself only when every
part works and none has anything newer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.explain.ages import ago
from ops.explain.facts import Facts
from ops.explain.rules import (
    CLOCK_ADVICE,
    RULES,
    Reason,
    dead_letters,
    silent_or_unknown,
    superseded,
    tokens,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether clients see the pillow grey, None if nobody can tell; and why, the cause first."""

    is_grey: bool | None
    reasons: list[Reason]


def why(facts: Facts) -> Verdict:
    """Return the verdict."""
    shown = facts.gateway_reports
    is_grey = None if not shown else any(one.grey is not None for one in shown)
    lost = any("mqtt" in one.troubles for one in facts.gateways)
    if is_grey is False and not lost:
        return Verdict(False, list(_of_a_live_one(facts)))
    found = [reason for rule in RULES for reason in rule(facts)]
    if not found:
        found = list(silent_or_unknown(facts))
    return Verdict(True if lost else is_grey, [*found, *tokens(facts)])


def _of_a_live_one(facts: Facts) -> Iterator[Reason]:
    latest = min(facts.gateway_reports, key=lambda one: one.silent_ms or 0)
    age = ago((latest.silent_ms or 0) / 1000)
    yield Reason("not-grey", f"it is not grey: it is shown as {latest.state}, and was heard {age}")
    yield from superseded(facts)
    if latest.clock_behind:
        yield Reason(
            "clock-behind",
            f"its clock is behind: its newest state, of {latest.at}, stays until then",
            CLOCK_ADVICE,
        )
    yield from dead_letters(facts)
    yield from tokens(facts)
