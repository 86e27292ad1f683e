"""Hypothesis profiles: how many examples a property gets in which kind of run.

`full` is the default, which `scripts/test` uses.
`ci` is what `.ci/run` uses: half of the examples, others in each run.
`quick` is what `scripts/test --quick` uses: a tenth of the examples.
A property with a number of its own writes `max_examples=examples(150)`, so that `quick` scales it;
a test with a long loop writes `for value in sample(values)`.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T")

FULL: Final = "full"
CI: Final = "ci"
QUICK: Final = "quick"

_FULL_EXAMPLES: Final = 100
_CI_EXAMPLES: Final = 50
_QUICK_EXAMPLES: Final = 10


def register() -> None:
    """Register the profiles and load `full`; pytest's --hypothesis-profile loads another later.

    No example has a deadline, because its duration depends on how busy the machine is.
    """
    for name, count in ((FULL, _FULL_EXAMPLES), (CI, _CI_EXAMPLES), (QUICK, _QUICK_EXAMPLES)):
        settings.register_profile(
            name,
            max_examples=count,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile(FULL)


def examples(full: int) -> int:
    """Return `full` scaled to the loaded profile, at least 5."""
    loaded = settings().max_examples
    return max(min(full, 5), full * loaded // _FULL_EXAMPLES)


def sample(values: Sequence[T]) -> Sequence[T]:
    """Return all values with the profile `full`, each second with `ci`, each tenth with `quick`."""
    return values[:: max(1, _FULL_EXAMPLES // settings().max_examples)]
