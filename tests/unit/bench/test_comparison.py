import random
import statistics

from hypothesis import given
from hypothesis import strategies as st

from bench.abuse.comparison import compare, typical

DELAYS = st.lists(st.floats(0.01, 1000), min_size=2, max_size=50)


@given(DELAYS, DELAYS, st.floats(0.1, 10))
def test_a_ratio_follows_a_factor_on_one_side(
    calm: list[float], crowded: list[float], factor: float
) -> None:
    ratio = compare(calm, crowded)
    scaled = compare(calm, [factor * one for one in crowded])

    assert ratio.low <= ratio.value <= ratio.high
    for before, after in zip(ratio, scaled, strict=True):
        assert abs(after / before / factor - 1) < 1e-6


def test_the_interval_has_the_true_ratio_in_about_95_of_100_runs() -> None:
    rng = random.Random(7)

    def delays(middle: float) -> list[float]:
        return [middle * rng.lognormvariate(0, 0.4) for _ in range(30)]

    hits = 0
    for _ in range(1000):
        ratio = compare(delays(2.0), delays(2.2))
        hits += ratio.low <= 1.1 <= ratio.high

    assert 920 <= hits <= 980


def test_what_is_typical_is_no_mean_that_one_outlier_moves() -> None:
    assert typical([1, 1, 1, 1000]) < statistics.fmean([1, 1, 1, 1000]) / 20
