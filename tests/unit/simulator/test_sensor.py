"""The sensor: the steps, the noise and the range of an ADXL345, and windows that agree."""

from statistics import pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.gestures import random_rest_pose
from simulator.model.rng import Rng
from simulator.model.sensor import STEPS_PER_G, sample_window, sample_window_at_rest
from tests.unit.simulator.motions import rates_hz, seeds


@given(seed=seeds, hz=rates_hz, until_s=st.floats(3, 1000), later_s=st.floats(0, 1))
def test_two_windows_have_the_same_samples_where_they_overlap(
    seed: int, hz: int, until_s: float, later_s: float
) -> None:
    """A sample depends on its time, and not on when the window was taken."""

    def force(t: float) -> tuple[float, float, float]:
        return (t / 1000, 0.0, 1.0)

    early = sample_window(force, key=seed, hz=hz, until_s=until_s, samples=2 * hz)
    late = sample_window(force, key=seed, hz=hz, until_s=until_s + later_s, samples=2 * hz)
    shift = int((until_s + later_s) * hz) - int(until_s * hz)

    assert early[shift:] == late[: len(late) - shift]


@given(seed=seeds, hz=rates_hz)
def test_the_window_at_rest_equals_a_window_of_constant_force(seed: int, hz: int) -> None:
    """The fast path gives the same samples."""
    pose = random_rest_pose(Rng(seed))

    assert sample_window_at_rest(pose, key=seed, hz=hz, until_s=7, samples=hz) == sample_window(
        lambda _t: pose, key=seed, hz=hz, until_s=7, samples=hz
    )


def test_the_noise_has_the_rms_of_the_data_sheet() -> None:
    """0.75 steps on x and y and 1.1 on z, and the variance of rounding to steps, 1/12."""
    samples = sample_window_at_rest((0.0, 0.0, 1.0), key=1, hz=100, until_s=100, samples=9000)
    rms = [pstdev(sample[axis] for sample in samples) * STEPS_PER_G for axis in range(3)]
    rounding = 1 / 12

    assert rms[0] == pytest.approx((0.75**2 + rounding) ** 0.5, rel=0.05)
    assert rms[1] == pytest.approx((0.75**2 + rounding) ** 0.5, rel=0.05)
    assert rms[2] == pytest.approx((1.1**2 + rounding) ** 0.5, rel=0.05)


def test_a_force_beyond_the_range_is_clamped_to_16_g() -> None:
    """In both directions."""
    samples = sample_window(lambda _t: (99.0, -99.0, 0.0), key=1, hz=25, until_s=5, samples=5)

    assert {(sample[0], sample[1]) for sample in samples} == {(16.0, -16.0)}
