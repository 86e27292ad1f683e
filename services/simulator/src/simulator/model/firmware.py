"""The firmware's debouncing: when a classified state becomes the reported state."""

from typing import Final

from simulator.model.events import AT_REST

MIN_CONFIDENCE: Final = 0.5
"""Below this confidence the previous state is reported again, with half its confidence."""

CONFIRMATION_S: Final = 0.3
"""A new state must persist for this long before it is reported, because the first tenth of a
second of a shake looks like a hug."""

CHECK_DELAYS_S: Final = (0.5, 0.9, 1.4)
"""Additional classifications after a gesture's start and end, besides those of regular reports."""

_TOLERANCE_S: Final = 0.0005
"""Half a millisecond, because all times are rounded to milliseconds."""

_NEVER: Final = float("inf")


class Firmware:
    """The reported `state` of one pillow, and the times of additional classifications."""

    __slots__ = ("_candidate", "_candidate_s", "_checks_s", "_confidence", "_is_held", "state")

    def __init__(self) -> None:
        self.state = AT_REST
        self._confidence = 0.99
        self._is_held = False
        self._candidate, self._candidate_s = AT_REST, 0.0
        self._checks_s: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """Confidence of the reported state, two decimals; half of it while the state is held."""
        # Truncated, because half of a two-decimal number is a tie for round().
        return int(self._confidence * 50) / 100 if self._is_held else self._confidence

    @property
    def next_check_s(self) -> float:
        """Time of the next additional classification."""
        return self._checks_s[0] if self._checks_s else _NEVER

    def schedule_checks(self, at_s: tuple[float, ...]) -> None:
        """Replace the times of the additional classifications, which are in ascending order."""
        self._checks_s = at_s

    def take_due_checks(self, now_s: float) -> bool:
        """Remove the classifications that are due; return whether there were any."""
        is_due = False
        while self._checks_s and self._checks_s[0] <= now_s:
            is_due, self._checks_s = True, self._checks_s[1:]
        return is_due

    def classified(self, state: str, confidence: float, now_s: float) -> bool:
        """Process a classification; return whether the reported state changed."""
        if state == self.state:
            self._candidate, self._confidence, self._is_held = state, confidence, False
            return False
        self._is_held = True
        if confidence < MIN_CONFIDENCE:
            self._candidate = self.state
            return False
        if state != self._candidate:
            self._candidate, self._candidate_s = state, now_s
        if now_s < self._candidate_s + CONFIRMATION_S - _TOLERANCE_S:
            confirmed_s = round(self._candidate_s + CONFIRMATION_S, 3)
            if confirmed_s not in self._checks_s:
                self._checks_s = tuple(sorted((*self._checks_s, confirmed_s)))
            return False
        self.state, self._confidence, self._is_held = state, confidence, False
        return True
