"""Vectors: the table of sines is accurate, and the same with every C library."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.vectors import DECIMALS, TABLE_SIZE, cosine, sine


@given(turns=st.floats(0, 1000))
def test_sine_and_cosine_are_accurate_to_0_002(turns: float) -> None:
    """The table has 4096 steps, and one step is 0.0015 rad."""
    assert sine(turns) == pytest.approx(math.sin(2 * math.pi * turns), abs=0.002)
    assert cosine(turns) == pytest.approx(math.cos(2 * math.pi * turns), abs=0.002)


def test_no_sine_of_the_table_is_near_a_rounding_boundary() -> None:
    """An error of 500 units in the last place does not change any entry.

    C libraries compute sines to within one unit in the last place, so all of them give the same
    table, and the same seed gives the same bytes.
    """
    error = 500 * math.ulp(1.0)
    for step in range(TABLE_SIZE):
        exact = math.sin(step * 2 * math.pi / TABLE_SIZE)
        assert round(exact - error, DECIMALS) == round(exact + error, DECIMALS)
        assert sine(step / TABLE_SIZE) == round(exact, DECIMALS)
