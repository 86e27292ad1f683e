"""Verdicts: an expectation and what was seen, to whether it holds, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from contract.topics import is_pillow_id
from simulator.checking.seen import Known, Seen
from simulator.model.fleet import pillow_id
from simulator.scenario.form import Bounds, Expect
from simulator.scenario.plan import Plan
from simulator.scenario.words import numbers, seconds

_NAMED: Final = 3
"""How many pillows a sentence names."""

IMPLIED: Final = (
    Expect(seen="as sent"),
    Expect(poison="as sent"),
    Expect(newest=True),
)
"""What is expected of a scenario that expects nothing itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an expectation holds: what was expected, and what was found."""

    holds: bool
    expected: str
    found: str


def pillows_of(plan: Plan, who: str = "*") -> list[str]:
    """Return the ids that `who` means: of the plan's groups, or one that is in none of them."""
    found = []
    for kind, count in plan.groups:
        some = numbers(who, kind.name, count)
        every = range(1, count + 1) if some is None else sorted(some)
        found += [pillow_id(kind.name, number) for number in every]
    return found or ([who] if is_pillow_id(who) else [])


def watched(plan: Plan) -> frozenset[str]:
    """Return every id that matters to a check of the plan."""
    named = (pillows_of(plan, one.pillows) for one in plan.expect)
    return frozenset(pillows_of(plan)).union(*named)


def verdicts(plan: Plan, expect: Sequence[Expect], seen: Seen, *, by_queue: bool) -> list[Verdict]:
    """Judge every expectation. `by_queue` says that the states took the way through the poller."""
    return [_judge(plan, one, seen, by_queue=by_queue) for one in expect]


def _judge(plan: Plan, one: Expect, seen: Seen, *, by_queue: bool) -> Verdict:
    pillows = pillows_of(plan, one.pillows)
    if one.state is not UNSET:
        return _within(plan, one, pillows, seen, str(one.state))
    if one.availability is not UNSET:
        return _within(plan, one, pillows, seen, str(one.availability))
    if one.seen is not UNSET:
        from_s, by_s = _times(plan, one)
        heard = sum(
            any(known.saw(state, from_s, by_s) is not None for state in known.times)
            for pillow in pillows
            if (known := seen.known.get(pillow)) is not None
        )
        return _count(f"pillows seen{_when(one)}", one.seen, heard, len(pillows))
    if one.states is not UNSET:
        return _count("states arrived", one.states, seen.states, seen.sent)
    if one.sent is not UNSET:
        return _count("messages sent", one.sent, seen.sent, seen.sent)
    if one.faults is not UNSET:
        parts = [
            _count(kind, count, seen.faults[kind], seen.faults[kind])
            for kind, count in one.faults.items()
        ]
        return Verdict(
            all(part.holds for part in parts),
            "faults: " + ", ".join(part.expected for part in parts),
            ", ".join(part.found for part in parts),
        )
    if one.poison is not UNSET:
        return _poison(one, seen)
    return _newest(pillows, seen, by_queue=by_queue)


def _times(plan: Plan, one: Expect) -> tuple[float, float]:
    by_s = seconds(one.by) if isinstance(one.by, str) else plan.lasts_s
    # Without an end of its own it may come as late as all else that is waited for.
    return seconds(one.from_), by_s if isinstance(one.by, str) and by_s else float("inf")


def _when(one: Expect) -> str:
    words = f" from {one.from_}" if one.from_ != "0s" else ""
    return words + (f" by {one.by}" if isinstance(one.by, str) else "")


def _within(plan: Plan, one: Expect, pillows: list[str], seen: Seen, what: str) -> Verdict:
    from_s, by_s = _times(plan, one)
    expected = f"{one.pillows} {what}{_when(one)}"
    last_s = 0.0
    missing = []
    for pillow in pillows:
        known = seen.known.get(pillow, Known())
        at_s = known.saw(what, from_s, by_s)
        if at_s is None:
            missing.append(f"{pillow} {_instead(known, what, from_s)}")
        else:
            last_s = max(last_s, at_s)
    if missing:
        return Verdict(False, expected, _some(missing))
    which = "the last" if len(pillows) > 1 else ""
    return Verdict(True, expected, f"{which} at {last_s:.1f} s".strip())


def _instead(known: Known, what: str, from_s: float) -> str:
    times = known.availability if what in ("online", "offline") else known.times
    if what in times:
        late = known.saw(what, from_s, float("inf"))
        if late is not None:
            return f"only at {late:.1f} s"
        return f"only before, last at {times[what][-1]:.1f} s"
    if not times:
        return "was not heard of"
    return "was only " + " and ".join(times)


def _count(what: str, wanted: object, found: int, sent: int) -> Verdict:
    if isinstance(wanted, Bounds):
        most = wanted.at_most if isinstance(wanted.at_most, int) else None
        holds = wanted.at_least <= found and (most is None or found <= most)
        if most is None:
            text = f"at least {wanted.at_least:,}"
        elif wanted.at_least:
            text = f"{wanted.at_least:,} to {most:,}"
        else:
            text = f"at most {most:,}"
    else:
        number = wanted if isinstance(wanted, int) else sent
        holds, text = found == number, f"{number:,}"
        if not isinstance(wanted, int):
            text += " (as sent)"
    return Verdict(holds, f"{what}: {text}", f"{found:,}")


def _poison(one: Expect, seen: Seen) -> Verdict:
    if isinstance(one.reason, str):
        reason = one.reason
        return _count(
            f"dead letters, {reason}",
            one.poison,
            seen.reasons_seen[reason],
            seen.reasons_sent[reason],
        )
    verdict = _count("dead letters", one.poison, seen.poison, seen.reasons_sent.total())
    if verdict.holds or not seen.reasons_seen:
        return verdict
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(seen.reasons_seen.items()))
    return Verdict(verdict.holds, verdict.expected, f"{verdict.found}: {reasons}")


def _newest(pillows: list[str], seen: Seen, *, by_queue: bool) -> Verdict:
    wrong, unknown, right = [], 0, 0
    for pillow in pillows:
        known = seen.known.get(pillow, Known())
        if known.newest_sent is None or known.is_ahead:
            unknown += 1
        elif known.newest_seen is None:
            wrong.append(f"nothing came of {pillow}")
        elif known.newest_seen != known.newest_sent:
            late_s = (known.newest_sent[0] - known.newest_seen[0]) / 1e6
            wrong.append(f"{pillow} ended {late_s:.1f} s before its newest")
        elif by_queue and known.backwards:
            wrong.append(f"{pillow} went backwards {known.backwards} times")
        else:
            right += 1
    found = f"{right:,} pillows"
    if unknown:
        found += f"; {unknown:,} without a time of their own were left out"
    return Verdict(not wrong, "each pillow ends at its newest state", _some(wrong) or found)


def _some(sentences: list[str]) -> str:
    more = len(sentences) - _NAMED
    return "; ".join(sentences[:_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
