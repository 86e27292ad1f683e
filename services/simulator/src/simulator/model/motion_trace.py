"""The accelerometer trace of one gesture, for plots and for other classifiers."""

from simulator.model.config import GroupConfig, ScheduledGesture
from simulator.model.events import AT_REST, Report
from simulator.model.gestures import GESTURES
from simulator.model.pillow import Pillow
from simulator.model.vectors import Vector

REST_BEFORE_S, REST_AFTER_S = 1.0, 2.0
"""Seconds of rest before and after the gesture."""


def motion_trace(
    gesture: str, *, seed: int, hz: int, duration_s: float
) -> tuple[list[Vector], list[tuple[float, str]]]:
    """Return the samples of a gesture (or `rest`) in g, and when which state was reported.

    The trace is taken from the reports of an ordinary pillow.
    """
    schedule = (
        (ScheduledGesture(None, gesture, REST_BEFORE_S, duration_s=(duration_s, duration_s)),)
        if gesture in GESTURES
        else ()
    )
    group = GroupConfig("trace", every_s=0.1, sample_hz=hz, motion="always", schedule=schedule)
    pillow = Pillow(group, 1, seed)
    until_s = REST_BEFORE_S + duration_s + REST_AFTER_S
    samples: dict[int, Vector] = {}
    states = [(0.0, AT_REST)]
    while pillow.next_s <= until_s:
        now_s = pillow.next_s
        for event in pillow.step():
            if not isinstance(event, Report):
                continue
            last = int(now_s * hz)
            first = last - len(event.motion) + 1
            samples.update(enumerate(event.motion, first))
            if event.state != states[-1][1]:
                states.append((now_s, event.state))
    return [samples[index] for index in sorted(samples)], states
