"""Comparison: by how much a figure differs with a crowd, and how sure that is. Pure."""

import math
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

_SURE: Final = statistics.NormalDist().inv_cdf(0.975)
"""A value of a normal distribution is within so many standard errors of its mean in 95 of 100."""


class Ratio(NamedTuple):
    """A ratio of two typical values, and the interval that has the true one in 95 of 100 runs."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def compare(calm: Sequence[float], crowded: Sequence[float]) -> Ratio:
    """Return the ratio of the geometric means of two samples of positive values.

    Delays are skewed, and their logarithms nearly normal. The interval is Welch's, with the normal
    distribution, which is close from about twenty values on. It takes the values as independent:
    where those of one phase are alike, it is too narrow. A sample has two values or more.
    """
    before, during = [math.log(one) for one in calm], [math.log(one) for one in crowded]
    difference = statistics.fmean(during) - statistics.fmean(before)
    error = math.sqrt(sum(statistics.variance(one) / len(one) for one in (before, during)))
    low, high = difference - _SURE * error, difference + _SURE * error
    return Ratio(math.exp(difference), math.exp(low), math.exp(high))


def typical(values: Sequence[float]) -> float:
    """Return the geometric mean."""
    return statistics.geometric_mean(values)
