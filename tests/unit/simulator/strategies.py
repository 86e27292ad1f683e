"""Scenarios, seeds and streams for the simulator's properties."""

from itertools import islice, takewhile

from hypothesis import settings
from hypothesis import strategies as st

from simulator.fleet import fleet
from simulator.reports import Report
from simulator.scenario import SCENARIOS, Scenario

busy = settings(deadline=None)
"""For examples that take long on a machine that does other things as well."""

seeds = st.integers(min_value=0, max_value=2**63 - 1)
scenarios = st.sampled_from(list(SCENARIOS.values()))
rates = st.one_of(
    st.sampled_from([0.1, 1.0, 3.0, 10.0, 1000.0]),
    st.floats(min_value=0.01, max_value=1000, allow_nan=False),
)


def first(
    count: int, *, scenario: Scenario, pillows: int = 3, rate: float = 1, seed: int
) -> list[Report]:
    """The first reports of a fleet."""
    return list(islice(fleet(scenario, pillows=pillows, rate=rate, seed=seed), count))


def until(seconds: float, *, scenario: Scenario, seed: int, pillows: int = 3) -> list[Report]:
    """What a fleet that reports once a second says in its first seconds."""
    stream = fleet(scenario, pillows=pillows, rate=1, seed=seed)
    return list(takewhile(lambda report: report.due_s < seconds, stream))
