"""A trace of one gesture, for plots and for classifiers of other people."""

from simulator.model.gestures import GESTURES
from simulator.model.pillow import Cue, Kind, Pillow, Said
from simulator.model.space import Vector

BEFORE_S, AFTER_S = 1.0, 2.0
"""How long it rests before the gesture and after it."""


def trace_of(
    word: str, *, seed: int, hz: int, lasts_s: float
) -> tuple[list[Vector], list[tuple[float, str]]]:
    """Return the samples of a gesture (or `rest`), and from when on its pillow says which state.

    The pillow is that of a fleet: it is asked for reports, and these are its own.
    """
    cues = (Cue(None, word, BEFORE_S, lasts_s=(lasts_s, lasts_s)),) if word in GESTURES else ()
    kind = Kind("trace", every_s=0.1, sample_hz=hz, motion="always", cues=cues)
    pillow = Pillow(kind, 1, seed)
    until_s = BEFORE_S + lasts_s + AFTER_S
    samples: dict[int, Vector] = {}
    states = [(0.0, "neutral")]
    while pillow.next_s <= until_s:
        now_s = pillow.next_s
        for event in pillow.step():
            if not isinstance(event, Said):
                continue
            last = int(now_s * hz)
            first = last - len(event.motion) + 1
            samples.update(enumerate(event.motion, first))
            if event.state != states[-1][1]:
                states.append((now_s, event.state))
    return [samples[index] for index in sorted(samples)], states
