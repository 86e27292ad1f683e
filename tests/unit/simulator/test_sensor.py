"""The sensor: steps of an ADXL345, its noise and its range, and windows that agree."""

from statistics import pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.chance import Chance
from simulator.model.gestures import resting_pose
from simulator.model.sensor import STEPS_A_G, still_window, window
from simulator.model.space import cosine, sine
from tests.unit.simulator.motions import rates_hz, seeds


@given(seed=seeds, hz=rates_hz, until_s=st.floats(3, 1000), later_s=st.floats(0, 1))
def test_windows_agree_where_they_overlap(
    seed: int, hz: int, until_s: float, later_s: float
) -> None:
    """One sensor, one trace, whenever it is looked at."""

    def force(t: float) -> tuple[float, float, float]:
        return (t / 1000, 0.0, 1.0)

    early = window(force, key=seed, hz=hz, until_s=until_s, samples=2 * hz)
    late = window(force, key=seed, hz=hz, until_s=until_s + later_s, samples=2 * hz)
    shift = int((until_s + later_s) * hz) - int(until_s * hz)

    assert early[shift:] == late[: len(late) - shift]


@given(seed=seeds, hz=rates_hz)
def test_a_still_pillow_may_be_looked_at_the_quick_way(seed: int, hz: int) -> None:
    """Both ways give the same numbers."""
    pose = resting_pose(Chance(seed))

    assert still_window(pose, key=seed, hz=hz, until_s=7, samples=hz) == window(
        lambda _t: pose, key=seed, hz=hz, until_s=7, samples=hz
    )


def test_the_noise_is_that_of_the_data_sheet() -> None:
    """0.75 steps rms on x and y, 1.1 on z, and the rounding to steps on top of it."""
    samples = still_window((0.0, 0.0, 1.0), key=1, hz=100, until_s=100, samples=9000)
    rms = [pstdev(one[axis] for one in samples) * STEPS_A_G for axis in range(3)]
    rounding = 1 / 12

    assert rms[0] == pytest.approx((0.75**2 + rounding) ** 0.5, rel=0.05)
    assert rms[1] == pytest.approx((0.75**2 + rounding) ** 0.5, rel=0.05)
    assert rms[2] == pytest.approx((1.1**2 + rounding) ** 0.5, rel=0.05)


def test_what_is_beyond_its_range_is_held_there() -> None:
    """16 g either way."""
    samples = window(lambda _t: (99.0, -99.0, 0.0), key=1, hz=25, until_s=5, samples=5)

    assert {(one[0], one[1]) for one in samples} == {(16.0, -16.0)}


@given(turns=st.floats(0, 1000))
def test_the_table_is_a_sine(turns: float) -> None:
    """To one part in 500."""
    import math

    assert sine(turns) == pytest.approx(math.sin(2 * math.pi * turns), abs=0.002)
    assert cosine(turns) == pytest.approx(math.cos(2 * math.pi * turns), abs=0.002)
