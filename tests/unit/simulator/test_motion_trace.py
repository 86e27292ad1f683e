"""Motion traces and their plots: the documentation shows what the code makes."""

from xml.etree import ElementTree

import pytest

from devstack.processes import ROOT
from simulator.model.gestures import GESTURES
from simulator.model.motion_trace import REST_AFTER_S, REST_BEFORE_S, motion_trace
from simulator.plot import plot
from tests.unit.simulator.motions import classify_by_plot

IMAGES = ROOT / "docs" / "images"


@pytest.mark.parametrize("name", GESTURES)
def test_the_plots_of_the_documentation_are_those_of_seed_7(name: str) -> None:
    """`simulator trace <gesture> --seed 7 --svg` wrote them."""
    samples, states = motion_trace(name, seed=7, hz=100, duration_s=4.0)
    svg = plot(samples, 100, states, f"{name}, seed 7, 100 Hz")

    assert (IMAGES / f"motion-{name}.svg").read_text(encoding="utf-8") == svg
    assert ElementTree.fromstring(svg).tag.endswith("svg")


@pytest.mark.parametrize("name", GESTURES)
@pytest.mark.parametrize("hz", [25, 50, 100])
def test_a_trace_is_complete_and_its_longest_state_is_the_gestures(name: str, hz: int) -> None:
    """It begins and ends at rest; an independent classifier agrees in the gesture's middle."""
    samples, states = motion_trace(name, seed=3, hz=hz, duration_s=4)

    assert len(samples) == pytest.approx((REST_BEFORE_S + 4 + REST_AFTER_S) * hz, abs=hz / 5)
    assert (states[0][1], states[-1][1]) == ("neutral", "neutral")
    # At its start and end a gesture may be classified as another one for a moment.
    ends = [from_s for from_s, _ in states[1:]]
    durations = {
        state: until_s - from_s for (from_s, state), until_s in zip(states, ends, strict=False)
    }
    assert max(durations.keys() - {"neutral"}, key=durations.__getitem__) == GESTURES[name].state
    if name == "throw":
        assert classify_by_plot(samples[int(1.0 * hz) : int(2.5 * hz)], hz) == "throwing"
    else:
        middle = samples[int(2.5 * hz) : int(4.0 * hz)]
        assert classify_by_plot(middle, hz) == GESTURES[name].state


def test_a_trace_of_rest_is_neutral_throughout() -> None:
    """It has only gravity and noise."""
    samples, states = motion_trace("rest", seed=3, hz=25, duration_s=4)

    assert states == [(0.0, "neutral")]
    assert classify_by_plot(samples, 25) == "neutral"
