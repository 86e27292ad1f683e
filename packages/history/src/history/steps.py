"""Steps: spans of equal length, one after the other, and what a pillow did in each. Pure."""

from collections.abc import Sequence
from typing import Final

from contract.http_types import ActivityStep
from contract.timestamps import format_timestamp
from history.spans import Span
from history.summary import seconds
from history.tallies import Activity

MAX_STEPS: Final = 1000
MAX_WINDOW_S: Final = 366 * 86_400
"""The longest time that is asked about at once: a leap year."""


def steps_between(from_us: int, until_us: int, step_s: int) -> list[Span]:
    """Return the steps from an instant on until another; the last one may be shorter."""
    step_us = step_s * 1_000_000
    return [
        (began_us, min(began_us + step_us, until_us))
        for began_us in range(from_us, until_us, step_us)
    ]


def describe_steps(steps: Sequence[Span], found: Activity) -> list[ActivityStep]:
    """Return what each step had; `found` is what one pillow did in them."""
    spent: list[dict[str, float]] = [{} for _ in steps]
    began: list[dict[str, int]] = [{} for _ in steps]
    for (number, state), tally in sorted(found.tallies.items()):
        if tally.spent_us:
            spent[number][state] = seconds(tally.spent_us)
        if tally.episodes:
            began[number][state] = tally.episodes
    asleep_us = found.asleep_us(steps)
    return [
        ActivityStep(
            at=format_timestamp(began_us),
            seconds=spent[number],
            episodes=began[number],
            asleep_s=seconds(asleep_us[number]),
            unheard_s=seconds(found.unheard_us[number]),
        )
        for number, (began_us, _) in enumerate(steps)
    ]
