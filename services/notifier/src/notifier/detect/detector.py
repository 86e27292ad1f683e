"""Detector: messages and time in, decisions out. Pure: the time is an argument.

A decision is made as a whole: the events of one message, with the marks that say that they were
decided, are kept together or not at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from contract.updates import Update
from notifier.detect.dead_letter_watch import dead_letters
from notifier.detect.event import BACK_KINDS, Event, Found, make_event
from notifier.detect.marks import Mark, MarkChange, Silence
from notifier.detect.pillow import Moment
from notifier.detect.pillow_watch import PillowWatch
from notifier.detect.queue_watch import QueueWatch
from notifier.detect.throttle import Throttle
from notifier.rules.schema import Rule


@dataclass(slots=True)
class Decision:
    """Events with the destinations of each, marks that change with them, and rules whose events
    were suppressed."""

    events: list[tuple[Event, tuple[str, ...]]] = field(default_factory=list)
    marks: list[MarkChange] = field(default_factory=list)
    suppressed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.events or self.marks or self.suppressed)


class Detector:
    """All rules together."""

    def __init__(self, rules: Sequence[Rule], source: str, *, max_pillows: int) -> None:
        self._rules = rules
        self._source = source
        self.pillows = PillowWatch(rules, max_pillows)
        self.queue = QueueWatch(rules)
        self._throttle = Throttle()

    def restore(
        self, marks: Sequence[Mark], now: Moment, silences: Iterable[Silence] = ()
    ) -> Decision:
        """Take over what was known before a restart."""
        steps = [*self.pillows.restore(marks, now, silences), *self.queue.restore(marks)]
        return self._decide(steps, now)

    def receive_state(
        self, update: Update, now: Moment, *, retained: bool, expiry_s: int | None
    ) -> Decision:
        """Handle a state."""
        if not retained and update.queued_ms is not None:
            self.queue.hear_state()
        steps = self.pillows.receive_state(update, now, retained=retained, expiry_s=expiry_s)
        return self._decide(steps, now)

    def receive_availability(
        self, pillow: str, now: Moment, *, online: bool, retained: bool
    ) -> Decision:
        """Handle a pillow's availability."""
        steps = self.pillows.receive_availability(pillow, now, online=online, retained=retained)
        return self._decide(steps, now)

    def remove(self, pillow: str, now: Moment) -> Decision:
        """Forget a pillow that was removed."""
        return self._decide(self.pillows.remove(pillow), now)

    def receive_dead_letter(self, poller: str, payload: bytes, now: Moment) -> Decision:
        """Handle an announcement; raises ValueError if it is none."""
        return self._decide(dead_letters(self._rules, poller, payload, now.wall_ms), now)

    def check(self, now: Moment) -> Decision:
        """Handle what has become due, a part of it if it is much."""
        return self._decide(self._due(now), now)

    def _due(self, now: Moment) -> Iterator[Found | MarkChange]:
        yield from self.pillows.check(now)
        yield from self.queue.check(now.broker_ms, now.wall_ms)

    def _decide(self, steps: Iterable[Found | MarkChange], now: Moment) -> Decision:
        decision = Decision()
        for step in steps:
            if isinstance(step, MarkChange):
                decision.marks.append(step)
                continue
            rule = step.rule
            # That something is over is told whenever it was told that it began.
            interval_s = 0.0 if step.kind in BACK_KINDS else rule.at_most_every_s
            suppressed = self._throttle.admit(rule.name, step.group, interval_s, now.broker_ms)
            if suppressed is None:
                decision.suppressed.append(rule.name)
                continue
            decision.events.append((make_event(step, self._source, suppressed), rule.to))
            for mark in (self.pillows.told(step), self.queue.told(step)):
                if mark is not None:
                    decision.marks.append(mark)
        return decision
