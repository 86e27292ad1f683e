"""The histogram is the same as that of the library, at a fraction of its cost."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as LibraryHistogram

from runtime.histogram import Histogram

BOUNDS = (0.005, 0.1, 1, 2.5, 10)


@given(st.lists(st.floats(0, 20) | st.sampled_from(BOUNDS)))
def test_a_scrape_is_that_of_the_library(values: list[float]) -> None:
    """With the bounds, which belong to the bucket below them."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    own = Histogram("took_seconds", "How long it took.", BOUNDS, ours)
    library = LibraryHistogram("took_seconds", "How long it took.", buckets=BOUNDS, registry=theirs)
    for value in values:
        own.observe(value)
        library.observe(value)

    expected = [line for line in lines(theirs) if "_created" not in line]
    assert lines(ours) == expected


def lines(registry: CollectorRegistry) -> list[str]:
    """Return the lines of a scrape."""
    return generate_latest(registry).decode().splitlines()


def test_the_duration_of_a_block_is_observed_also_when_it_fails() -> None:
    """As a failing disk takes time too."""
    registry = CollectorRegistry()
    histogram = Histogram("took_seconds", "How long it took.", BOUNDS, registry)
    with pytest.raises(OSError, match="full"), histogram.time():
        raise OSError("full")

    assert registry.get_sample_value("took_seconds_count") == 1
    assert 0 <= (registry.get_sample_value("took_seconds_sum") or math.nan) < 1


def test_two_histograms_of_one_name_are_refused() -> None:
    """As by the library."""
    registry = CollectorRegistry()
    Histogram("took_seconds", "How long it took.", BOUNDS, registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Histogram("took_seconds", "How long it took.", BOUNDS, registry)


def test_bounds_that_do_not_ascend_are_refused() -> None:
    """A bucket would never be reached."""
    with pytest.raises(AssertionError, match="ascend"):
        Histogram("took_seconds", "How long it took.", (1, 0.5), CollectorRegistry())
