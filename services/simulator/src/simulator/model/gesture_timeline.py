"""Which gesture happens to a pillow, and when: visitors' gestures and those of the scenario."""

from typing import Final

from simulator.model.classifier import WINDOW_S
from simulator.model.config import GroupConfig, ScheduledGesture
from simulator.model.gestures import DURATIONS_S, GESTURES, Gesture, random_rest_pose
from simulator.model.rng import Rng
from simulator.model.vectors import Vector
from simulator.model.visitors import MOODS, Mood, Range, next_gesture, next_visit_s

_SCHEDULE_STREAM: Final = int.from_bytes(b"script", "big")
"""Combined with a pillow's key by XOR, it names another random stream."""

_NEVER: Final = float("inf")


class GestureTimeline:
    """The previous, the current and the next gesture of one pillow.

    `next_gesture` begins at `begins_s`. Its `Gesture` is made only then, because it takes most of
    the memory of a pillow; it ends at `_ends_s`.
    """

    __slots__ = (
        "_config",
        "_current",
        "_duration_s",
        "_ends_s",
        "_gestures_left",
        "_key",
        "_mood",
        "_number",
        "_pose",
        "_previous",
        "_previous_begin_s",
        "_rng",
        "_scheduled_s",
        "begins_s",
        "next_gesture",
    )

    def __init__(self, config: GroupConfig, number: int, key: int, rng: Rng) -> None:
        self._config, self._number, self._key, self._rng = config, number, key, rng
        self._pose = random_rest_pose(rng)
        self._previous: Gesture | None = None
        self._previous_begin_s = 0.0
        self._current: Gesture | None = None
        self.next_gesture: str | None = None
        self.begins_s = self._ends_s = _NEVER
        self._duration_s = 0.0
        self._mood: Mood | None = None
        self._gestures_left = 0
        self._scheduled_s = -_NEVER

    @property
    def next_change_s(self) -> float:
        """When the next gesture begins, or the current one ends."""
        return self.begins_s if self._current is None else self._ends_s

    @property
    def is_active(self) -> bool:
        """Whether a gesture is going on."""
        return self._current is not None

    @property
    def pose(self) -> Vector:
        """Force in g on the pillow at rest."""
        return self._pose

    def advance(self, now_s: float) -> float | None:
        """Begin or end a gesture that is due; return when that happened, None without a change."""
        changed_s = None
        if self._current is None and self.begins_s <= now_s:
            self._begin()
            changed_s = self.begins_s
        if self._current is not None and self._ends_s <= now_s:
            changed_s = self._ends_s
            self._previous, self._previous_begin_s = self._current, self.begins_s
            self._pose = self._previous.end_pose
            self.plan_next(changed_s)
        return changed_s

    def is_at_rest(self, from_s: float, until_s: float) -> bool:
        """Return whether no gesture went on between these times."""
        return until_s < self.begins_s and (
            self._previous is None or self._previous_begin_s + self._previous.duration_s <= from_s
        )

    def force(self, t: float) -> Vector:
        """Return the force in g at time `t`."""
        if self._current is not None and t >= self.begins_s:
            return self._current.force(t - self.begins_s)
        if self._previous is not None and t >= self._previous_begin_s:
            return self._previous.force(t - self._previous_begin_s)
        return self._pose

    def plan_next(self, after_s: float, *, is_first: bool = False) -> None:
        """Choose the next gesture, which begins after `after_s`."""
        gesture, begins_s, duration_s = self._visitor_gesture(after_s, is_first=is_first)
        if self._config.schedule:
            scheduled, scheduled_s = self._next_scheduled()
            visit_end_s = begins_s + (duration_s[1] if duration_s else 0)
            if scheduled is not None and scheduled_s < visit_end_s + WINDOW_S:
                # A scheduled gesture takes precedence, and ends the visit.
                self._scheduled_s, self._gestures_left = scheduled_s, 0
                gesture, begins_s = scheduled.gesture, max(scheduled_s, after_s)
                duration_s = scheduled.duration_s or DURATIONS_S[gesture]
        self._current, self._ends_s = None, _NEVER
        if gesture is None or duration_s is None:
            self.next_gesture, self.begins_s = None, _NEVER
        else:
            self.next_gesture, self.begins_s = gesture, begins_s
            self._duration_s = self._rng.uniform(*duration_s)

    def _begin(self) -> None:
        assert self.next_gesture is not None, "without a next gesture begins_s is infinite"
        self._current = GESTURES[self.next_gesture](self._rng, self._pose, self._duration_s)
        self._ends_s = round(self.begins_s + self._current.duration_s, 3)

    def _visitor_gesture(
        self, after_s: float, *, is_first: bool
    ) -> tuple[str | None, float, Range | None]:
        """Return a visitor's next gesture, when it begins, and the range of its duration."""
        config, rng = self._config, self._rng
        if config.visitors is None:
            return None, _NEVER, None
        begins_s: float | None
        is_new_visit = self._gestures_left <= 0 or self._mood is None
        if self._mood is None or is_new_visit:
            if is_first and config.first_visit_s is not None:
                begins_s = round(rng.uniform(*config.first_visit_s), 3)
            else:
                begins_s = next_visit_s(config.visitors, config.start_hour, after_s + WINDOW_S, rng)
            self._mood = MOODS[rng.weighted_choice(config.visitors.moods)]
            low, high = self._mood.gestures
            self._gestures_left = int(rng.uniform(low, high + 1))
        else:
            begins_s = round(after_s + rng.uniform(*self._mood.pause_s), 3)
        self._gestures_left -= 1
        if begins_s is None:
            return None, _NEVER, None
        gesture = next_gesture(self._mood, is_first=is_new_visit, rng=rng)
        return gesture, begins_s, DURATIONS_S[gesture]

    def _next_scheduled(self) -> tuple[ScheduledGesture | None, float]:
        """Return the first scheduled gesture after the last one, and when it begins."""
        found: ScheduledGesture | None = None
        found_s = _NEVER
        for index, scheduled in enumerate(self._config.schedule):
            if scheduled.numbers is not None and self._number not in scheduled.numbers:
                continue
            begins_s = self._next_repetition_s(scheduled, self._key ^ _SCHEDULE_STREAM ^ index)
            if begins_s is not None and begins_s < found_s:
                found, found_s = scheduled, begins_s
        return found, found_s

    def _next_repetition_s(self, scheduled: ScheduledGesture, key: int) -> float | None:
        """Return when the first repetition after the last scheduled gesture begins."""
        repetition = 0
        if scheduled.every_s is not None and self._scheduled_s > scheduled.at_s:
            since_s = self._scheduled_s - scheduled.at_s - scheduled.spread_s
            repetition = max(0, int(since_s / scheduled.every_s))
        while (
            scheduled.begins_s(key, repetition) <= self._scheduled_s
            and scheduled.every_s is not None
        ):
            repetition += 1
        begins_s = scheduled.begins_s(key, repetition)
        repetitions = scheduled.times or (1 if scheduled.every_s is None else repetition + 1)
        return begins_s if repetition < repetitions and self._scheduled_s < begins_s else None
