"""Assertions: whether an expectation holds for the observations, and what was seen instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from contract.topics import is_pillow_id
from simulator.checking.observations import Observations, PillowObservations
from simulator.model.fleet import pillow_id
from simulator.scenario.literals import parse_duration, select_numbers
from simulator.scenario.plan import Plan
from simulator.scenario.schema import Bounds, Expect

_MAX_LISTED: Final = 3
"""Number of pillows that a result lists; of the others only the number is given."""

DEFAULT_EXPECTATIONS: Final = (
    Expect(seen="as sent"),
    Expect(poison="as sent"),
    Expect(newest=True),
)
"""The expectations of a scenario without any."""


@dataclass(frozen=True, slots=True)
class AssertionResult:
    """Whether an expectation holds, with sentences for what was expected and what was found."""

    holds: bool
    expected: str
    found: str


def selected_pillows(plan: Plan, selector: str = "*") -> list[str]:
    """Return the plan's selected ids; a selector that selects none may itself be an id."""
    selected = []
    for group, count in plan.groups:
        numbers = select_numbers(selector, group.name, count)
        selected += [
            pillow_id(group.name, number)
            for number in (range(1, count + 1) if numbers is None else sorted(numbers))
        ]
    return selected or ([selector] if is_pillow_id(selector) else [])


def observed_pillows(plan: Plan) -> frozenset[str]:
    """Return the plan's pillows and those that its expectations name."""
    named = (selected_pillows(plan, expect.pillows) for expect in plan.expect)
    return frozenset(selected_pillows(plan)).union(*named)


def evaluate(
    plan: Plan, expectations: Iterable[Expect], seen: Observations, *, by_queue: bool
) -> list[AssertionResult]:
    """Evaluate every expectation.

    `by_queue` says that the states were sent through the poller, which drops superseded states.
    """
    return [_evaluate(plan, expect, seen, by_queue=by_queue) for expect in expectations]


def _evaluate(plan: Plan, expect: Expect, seen: Observations, *, by_queue: bool) -> AssertionResult:
    pillows = selected_pillows(plan, expect.pillows)
    if expect.state is not UNSET:
        return _each_seen(expect, pillows, seen, str(expect.state))
    if expect.availability is not UNSET:
        return _each_seen(expect, pillows, seen, str(expect.availability))
    if expect.seen is not UNSET:
        number = _number_seen(expect, pillows, seen)
        return _count(f"pillows seen{_time_span(expect)}", expect.seen, number, len(pillows))
    if expect.states is not UNSET:
        return _count("states received", expect.states, seen.states_received, seen.messages_sent)
    if expect.sent is not UNSET:
        return _count("messages sent", expect.sent, seen.messages_sent, seen.messages_sent)
    if expect.faults is not UNSET:
        parts = [
            _count(kind, count, seen.faults[kind], seen.faults[kind])
            for kind, count in expect.faults.items()
        ]
        return AssertionResult(
            all(part.holds for part in parts),
            "faults: " + ", ".join(part.expected for part in parts),
            ", ".join(part.found for part in parts),
        )
    if expect.poison is not UNSET:
        return _dead_letters(expect, seen)
    return _each_newest(pillows, seen, by_queue=by_queue)


def _bounds_s(expect: Expect) -> tuple[float, float]:
    """Return the time span of an expectation; without `by` it ends when the check ends."""
    by_s = parse_duration(expect.by) if isinstance(expect.by, str) else float("inf")
    return parse_duration(expect.from_), by_s


def _time_span(expect: Expect) -> str:
    text = f" from {expect.from_}" if expect.from_ != "0s" else ""
    return text + (f" by {expect.by}" if isinstance(expect.by, str) else "")


def _number_seen(expect: Expect, pillows: Sequence[str], seen: Observations) -> int:
    from_s, by_s = _bounds_s(expect)
    return sum(
        any(observed.first_seen(state, from_s, by_s) is not None for state in observed.state_times)
        for pillow in pillows
        if (observed := seen.pillows.get(pillow)) is not None
    )


def _each_seen(
    expect: Expect, pillows: Sequence[str], seen: Observations, value: str
) -> AssertionResult:
    """Check that each pillow had a state or an availability."""
    from_s, by_s = _bounds_s(expect)
    expected = f"{expect.pillows} {value}{_time_span(expect)}"
    last_s = 0.0
    missing = []
    for pillow in pillows:
        observed = seen.pillows.get(pillow, PillowObservations())
        at_s = observed.first_seen(value, from_s, by_s)
        if at_s is None:
            missing.append(f"{pillow} {_seen_instead(observed, value, from_s)}")
        else:
            last_s = max(last_s, at_s)
    if missing:
        return AssertionResult(False, expected, _first_few(missing))
    prefix = "the last at" if len(pillows) > 1 else "at"
    return AssertionResult(True, expected, f"{prefix} {last_s:.1f} s")


def _seen_instead(observed: PillowObservations, value: str, from_s: float) -> str:
    is_availability = value in ("online", "offline")
    times = observed.availability_times if is_availability else observed.state_times
    if value in times:
        later_s = observed.first_seen(value, from_s, float("inf"))
        if later_s is not None:
            return f"only at {later_s:.1f} s"
        return f"only before, last at {times[value][-1]:.1f} s"
    if not times:
        return "was not seen"
    return "was only " + " and ".join(times)


def _count(what: str, wanted: object, found: int, sent: int) -> AssertionResult:
    """Compare a count with a number, with bounds, or with `sent` where it is "as sent"."""
    if isinstance(wanted, Bounds):
        at_most = wanted.at_most if isinstance(wanted.at_most, int) else None
        holds = wanted.at_least <= found and (at_most is None or found <= at_most)
        if at_most is None:
            text = f"at least {wanted.at_least:,}"
        elif wanted.at_least:
            text = f"{wanted.at_least:,} to {at_most:,}"
        else:
            text = f"at most {at_most:,}"
    else:
        number = wanted if isinstance(wanted, int) else sent
        holds, text = found == number, f"{number:,}"
        if not isinstance(wanted, int):
            text += " (as sent)"
    return AssertionResult(holds, f"{what}: {text}", f"{found:,}")


def _dead_letters(expect: Expect, seen: Observations) -> AssertionResult:
    if isinstance(expect.reason, str):
        return _count(
            f"dead letters, {expect.reason}",
            expect.poison,
            seen.dead_letters_received[expect.reason],
            seen.rejections_sent[expect.reason],
        )
    sent = seen.rejections_sent.total()
    result = _count("dead letters", expect.poison, seen.dead_letters, sent)
    if result.holds or not seen.dead_letters_received:
        return result
    reasons = ", ".join(
        f"{reason} {number:,}" for reason, number in sorted(seen.dead_letters_received.items())
    )
    return AssertionResult(False, result.expected, f"{result.found}: {reasons}")


def _each_newest(pillows: Sequence[str], seen: Observations, *, by_queue: bool) -> AssertionResult:
    """Check that each pillow's last received state is its newest sent one."""
    wrong, unknown, right = [], 0, 0
    for pillow in pillows:
        observed = seen.pillows.get(pillow, PillowObservations())
        if observed.newest_sent is None or observed.order_unknown:
            unknown += 1
        elif observed.newest_received is None:
            wrong.append(f"nothing was received from {pillow}")
        elif observed.newest_received != observed.newest_sent:
            behind_s = (observed.newest_sent[0] - observed.newest_received[0]) / 1e6
            wrong.append(f"{pillow} ended {behind_s:.1f} s before its newest")
        elif by_queue and observed.regressions:
            wrong.append(f"{pillow} went backwards {observed.regressions} times")
        else:
            right += 1
    found = f"{right:,} pillows"
    if unknown:
        found += f"; {unknown:,} without a time of their own were not checked"
    return AssertionResult(
        not wrong, "each pillow ends at its newest state", _first_few(wrong) or found
    )


def _first_few(sentences: Sequence[str]) -> str:
    more = len(sentences) - _MAX_LISTED
    return "; ".join(sentences[:_MAX_LISTED]) + (f"; and {more:,} more" if more > 0 else "")
