"""Traces and their plots: what the documentation shows is what the code makes."""

from xml.etree import ElementTree

import pytest

from devstack.processes import ROOT
from simulator.model.gestures import GESTURES
from simulator.model.tracing import AFTER_S, BEFORE_S, trace_of
from simulator.plot import plot
from tests.unit.simulator.motions import by_eye

IMAGES = ROOT / "docs" / "images"


@pytest.mark.parametrize("word", GESTURES)
def test_the_plots_in_the_documentation_are_these(word: str) -> None:
    """`simulator trace <gesture> --seed 7 --svg` made them."""
    samples, states = trace_of(word, seed=7, hz=100, lasts_s=4.0)
    drawn = plot(samples, 100, states, f"{word}, seed 7, 100 Hz")

    assert (IMAGES / f"motion-{word}.svg").read_text(encoding="utf-8") == drawn
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


@pytest.mark.parametrize("word", GESTURES)
@pytest.mark.parametrize("hz", [25, 50, 100])
def test_a_trace_is_whole_and_says_what_it_is(word: str, hz: int) -> None:
    """Rest, the gesture, rest; and a stranger sees the same in its middle."""
    samples, states = trace_of(word, seed=3, hz=hz, lasts_s=4)

    assert len(samples) == pytest.approx((BEFORE_S + 4 + AFTER_S) * hz, abs=hz / 5)
    assert (states[0][1], states[-1][1]) == ("neutral", "neutral")
    # Coming and going may look like something else for a moment.
    ends = [from_s for from_s, _ in states[1:]]
    lasted = {
        state: until_s - from_s for (from_s, state), until_s in zip(states, ends, strict=False)
    }
    assert max(lasted.keys() - {"neutral"}, key=lasted.__getitem__) == GESTURES[word].state
    if word == "throw":
        assert by_eye(samples[int(1.0 * hz) : int(2.5 * hz)], hz) == "throwing"
    else:
        assert by_eye(samples[int(2.5 * hz) : int(4.0 * hz)], hz) == GESTURES[word].state


def test_a_trace_of_rest_is_rest() -> None:
    """Nothing but gravity and noise."""
    samples, states = trace_of("rest", seed=3, hz=25, lasts_s=4)

    assert states == [(0.0, "neutral")]
    assert by_eye(samples, 25) == "neutral"
