"""Queue watch: when the queue is too old, by what its pollers say. Pure: the time is an argument.

While no poller is there, or none gets an answer from its queue, a message may have waited since.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from contract.queue_report import QueueReport, decode_queue_report
from contract.topics import OFFLINE
from notifier.detect.event import Found, format_seconds
from notifier.detect.marks import Mark, MarkChange
from notifier.rules.schema import Rule

MAX_POLLERS: Final = 1000
"""How many pollers are remembered: more than one queue has."""

RECOVERED_SHARE: Final = 0.5
"""The queue is no longer too old when its age is below this share of the limit, so that an age
about the limit is one event."""

Reason = Literal["waiting", "no-answer", "no-poller"]

_SENTENCES: Final[dict[Reason, str]] = {
    "waiting": "the oldest message on the queue has waited for {}",
    "no-answer": "the queue has not answered any poller for {}",
    "no-poller": "no poller has been there for {}",
}


class QueueAge(NamedTuple):
    """How long a message has waited, or may have, and why."""

    ms: int
    reason: Reason


@dataclass(slots=True)
class Poller:
    """What a poller said last, and when."""

    is_online: bool = False
    report: QueueReport | None = None
    reported_ms: int = 0

    @property
    def answers(self) -> bool | None:
        """Whether its queue answers it; None while it has no report."""
        return None if self.report is None else self.report.answers

    def age_ms(self, now_ms: int) -> int:
        """Return the age in its report, 0 without one; what waits has become older since."""
        oldest_ms = 0 if self.report is None else self.report.oldest_s * 1000
        return oldest_ms + now_ms - self.reported_ms if oldest_ms else 0


class QueueWatch:
    """What pollers have said, and the rules on `queue`.

    Times are those of Moment.broker_ms, which begins with 0.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [rule for rule in rules if rule.on == "queue"]
        self._pollers: dict[str, Poller] = {}
        self._was_heard_of = False
        self._absent_since_ms: int | None = 0
        self._handled: set[str] = set()
        self._told: set[str] = set()
        self.ignored = 0
        """How many messages of pollers were ignored because too many are remembered."""

    @property
    def is_reachable(self) -> bool:
        """Whether a state that is put on the queue is published now, as far as is known."""
        if not self._pollers:
            return self._was_heard_of
        return any(one.is_online and one.answers is not False for one in self._pollers.values())

    def restore(self, marks: Iterable[Mark]) -> Iterator[MarkChange]:
        """Take over what was told before a restart."""
        names = {rule.name for rule in self._rules}
        for mark in marks:
            if mark.kind != "queue":
                continue
            if mark.rule in names:
                self._told.add(mark.rule)
                self._handled.add(mark.rule)
            else:
                yield MarkChange(mark, False)

    def hear_state(self) -> None:
        """Note that a poller has published a state just now."""
        self._was_heard_of = True
        if not self._pollers:
            self._absent_since_ms = None

    def receive_status(self, instance: str, payload: bytes, now_ms: int) -> None:
        """Handle a poller's status; an empty one was removed."""
        if not payload:
            self._pollers.pop(instance, None)
        elif (poller := self._poller(instance)) is not None:
            poller.is_online = payload != OFFLINE
            if not poller.is_online:
                poller.report = None
        if any(one.is_online for one in self._pollers.values()):
            self._absent_since_ms = None
        elif self._absent_since_ms is None:
            self._absent_since_ms = now_ms

    def receive_report(self, instance: str, payload: bytes, now_ms: int) -> bool:
        """Handle a poller's report; returns whether it is one."""
        report = decode_queue_report(payload) if payload else None
        poller = self._poller(instance)
        if poller is not None:
            poller.report, poller.reported_ms = report, now_ms
        return report is not None or not payload

    def age(self, now_ms: int) -> QueueAge:
        """Return how old the queue is: that of the poller that knows most of it."""
        if self._absent_since_ms is not None:
            return QueueAge(now_ms - self._absent_since_ms, "no-poller")
        online = [one for one in self._pollers.values() if one.is_online]
        answered = [one for one in online if one.answers]
        unanswered = [one for one in online if one.answers is False]
        ages_ms = [one.age_ms(now_ms) for one in answered or unanswered]
        reason: Reason = "no-answer" if unanswered and not answered else "waiting"
        return QueueAge(max(ages_ms, default=0), reason)

    def check(self, now_ms: int, wall_ms: int) -> Iterator[Found | MarkChange]:
        """Return what is due."""
        if not self._rules:
            return
        age = self.age(now_ms)
        for rule in self._rules:
            if rule.name not in self._handled and age.ms >= rule.lasts_ms:
                self._handled.add(rule.name)
                yield _too_old(rule, age, wall_ms)
            elif rule.name in self._handled and age.ms < rule.lasts_ms * RECOVERED_SHARE:
                self._handled.discard(rule.name)
                if rule.name in self._told:
                    self._told.discard(rule.name)
                    yield MarkChange(Mark("queue", rule.name, ""), False)
                    if rule.also_back:
                        yield _recovered(rule, wall_ms)

    def told(self, found: Found) -> MarkChange | None:
        """Note that an event was not suppressed; returns the mark that has to be kept with it."""
        if found.kind != "queue.old":
            return None
        self._told.add(found.rule.name)
        return MarkChange(Mark("queue", found.rule.name, ""), True)

    def _poller(self, instance: str) -> Poller | None:
        """Return a poller; one that is offline makes room for another."""
        poller = self._pollers.get(instance)
        if poller is None:
            if len(self._pollers) >= MAX_POLLERS:
                gone = [name for name, one in self._pollers.items() if not one.is_online]
                if not gone:
                    self.ignored += 1
                    return None
                del self._pollers[gone[0]]
            poller = self._pollers[instance] = Poller()
        return poller


def _too_old(rule: Rule, age: QueueAge, wall_ms: int) -> Found:
    oldest = format_seconds(age.ms / 1000)
    text = _SENTENCES[age.reason].format(oldest)
    data = {"oldest_seconds": age.ms // 1000, "reason": age.reason}
    return Found(
        rule, "queue.old", "queue", (wall_ms,), wall_ms * 1000, text, data,
        replacements={"oldest": oldest, "reason": age.reason},
    )  # fmt: skip


def _recovered(rule: Rule, wall_ms: int) -> Found:
    text = "no message on the queue waits for long any more"
    return Found(rule, "queue.recovered", "queue", (wall_ms,), wall_ms * 1000, text, {})
