"""A pillow: its gestures, its firmware, its battery and its Wi-Fi, advanced from event to event.

A pillow is advanced only when something is due, and the forces on it are computed only when its
firmware classifies them. So a pillow of a large fleet is a few numbers most of the time.
"""

from collections.abc import Iterator
from typing import Final

from simulator.model.battery import Battery
from simulator.model.classifier import WINDOW_S, classify, extract_features
from simulator.model.config import GroupConfig
from simulator.model.events import AT_REST, Event, NetworkChange, Report
from simulator.model.firmware import CHECK_DELAYS_S, Firmware
from simulator.model.gesture_timeline import GestureTimeline
from simulator.model.rng import Rng, stream_key
from simulator.model.sensor import sample_window, sample_window_at_rest
from simulator.model.vectors import Vector
from simulator.model.wifi import Wifi

_NOISE_STREAM: Final = int.from_bytes(b"noise", "big")
"""Combined with a pillow's key by XOR, it names another random stream."""


class Pillow:
    """One pillow; `next_s` is when its next step is due, in seconds from the start."""

    __slots__ = (
        "_battery",
        "_firmware",
        "_noise_key",
        "_seq",
        "_tick",
        "_wifi",
        "group",
        "next_s",
        "number",
        "timeline",
    )

    def __init__(self, group: GroupConfig, number: int, seed: int) -> None:
        self.group, self.number = group, number
        key = stream_key(seed, "pillow", group.name, number)
        rng = Rng(key)
        self._noise_key = key ^ _NOISE_STREAM
        self._seq = 0
        self.timeline = GestureTimeline(group, number, key, rng)
        # Pillows are switched on at different times, so their reports are spread over the interval.
        self._tick = rng.random()
        self._battery = Battery(group.battery, rng)
        self._wifi = Wifi(group.wifi, key)
        self._firmware = Firmware()
        self.timeline.plan_next(0.0, is_first=True)
        self.next_s = self._next_due_s()

    def step(self) -> Iterator[Event]:
        """Do what is due at `next_s`, then set `next_s` anew."""
        now_s = self.next_s
        is_tick = self._tick_s() <= now_s
        if is_tick:
            # A count and not a sum of intervals, so that no rounding error accumulates.
            self._tick += 1
        changed_s = self.timeline.advance(now_s)
        if changed_s is not None:
            self._schedule_checks(changed_s)
        is_check = self._firmware.take_due_checks(now_s)
        reconnected = False
        if self._wifi.next_change_s <= now_s:
            reconnected = self._wifi.change(now_s)
            yield NetworkChange(now_s, self.group, self.number, reconnected)
        if not self._wifi.is_up:
            if is_tick:
                yield Report(now_s, self.group, self.number, fate="unsent")
        elif is_tick or is_check or reconnected:
            samples = self._samples(now_s)
            state, confidence = classify(extract_features(samples, self.group.sample_hz))
            changed = self._firmware.classified(state, confidence, now_s)
            if is_tick or changed or reconnected:
                yield self._report(now_s, samples)
        self.next_s = self._next_due_s()

    def _next_due_s(self) -> float:
        return min(
            self._tick_s(),
            self.timeline.next_change_s,
            self._wifi.next_change_s,
            self._firmware.next_check_s,
        )

    def _tick_s(self) -> float:
        return round(self._tick * self.group.every_s, 3)

    def _schedule_checks(self, changed_s: float) -> None:
        """Classify also after a gesture's start, and after its end until the next one begins."""
        checks_s = tuple(round(changed_s + delay_s, 3) for delay_s in CHECK_DELAYS_S)
        if not self.timeline.is_active:
            checks_s = tuple(one for one in checks_s if one < self.timeline.begins_s)
        self._firmware.schedule_checks(checks_s)

    def _samples(self, now_s: float) -> list[Vector]:
        hz = self.group.sample_hz
        count = int(WINDOW_S * hz)
        if self.timeline.is_at_rest(now_s - WINDOW_S, now_s):
            return sample_window_at_rest(
                self.timeline.pose, key=self._noise_key, hz=hz, until_s=now_s, samples=count
            )
        return sample_window(
            self.timeline.force, key=self._noise_key, hz=hz, until_s=now_s, samples=count
        )

    def _report(self, now_s: float, samples: list[Vector]) -> Report:
        seq, self._seq = self._seq, self._seq + 1
        charge = self._battery.report(now_s)
        if self._wifi.loses(seq):
            return Report(now_s, self.group, self.number, seq, fate="lost")
        state = self._firmware.state
        has_motion = self.group.motion == "always" or (
            self.group.motion == "moving" and state != AT_REST
        )
        return Report(
            now_s,
            self.group,
            self.number,
            seq,
            state,
            self._firmware.confidence,
            round(charge, 2),
            tuple(samples) if has_motion else (),
        )
