"""Pillow watch: which states and silences of pillows are events. Pure: the time is an argument.

One event is one change of state, not each report. What the broker had retained before the first
connection is no change; after another connection it is compared with what was known.
A pillow is offline for as long as nothing was heard of it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from contract.updates import EXPIRY_S, Update
from notifier.detect.event import Found
from notifier.detect.marks import Mark, MarkChange, Silence
from notifier.detect.pillow import Moment, Pillow, state_key
from notifier.detect.pillow_events import back_event, offline_event, state_event
from notifier.detect.timers import Timer, Timers
from notifier.rules.schema import Rule

FRESH_MS: Final = 60_000
"""The first state that is ever heard of a pillow is a change only if it has not waited longer: a
poller publishes what a broker has lost again."""

SILENT_MS: Final = 30_000
"""A state of a pillow that is silent for longer is not known to last (GATEWAY_EXPIRE_AFTER)."""

KEPT_MS: Final = 15_000
"""A silence that is shorter is not kept for a restart."""

MAX_DUE: Final = 100
"""How many timers are looked at before messages have their turn: a few milliseconds."""

Step = Found | MarkChange


class PillowWatch:
    """What is known of each pillow, and the rules on `state` and `offline`."""

    def __init__(self, rules: Sequence[Rule], max_pillows: int) -> None:
        self._rules = rules
        self._state_rules = [n for n, rule in enumerate(rules) if rule.on == "state"]
        self._offline_rules = [n for n, rule in enumerate(rules) if rule.on == "offline"]
        self._max_pillows = max_pillows
        self._pillows: OrderedDict[str, Pillow] = OrderedDict()
        self._by_broker, self._by_queue = Timers(), Timers()
        self._connection = 0
        self.forgotten = 0
        """How many pillows were forgotten because there were too many."""

    def __len__(self) -> int:
        return len(self._pillows)

    def restore(
        self, marks: Iterable[Mark], now: Moment, silences: Iterable[Silence] = ()
    ) -> Iterator[Step]:
        """Take over what was known before a restart; silences go on from what was kept of them."""
        names = {rule.name: number for number, rule in enumerate(self._rules)}
        for mark in marks:
            if mark.kind == "queue":
                continue
            is_new = mark.subject not in self._pillows
            is_unknown = mark.kind == "offline" and mark.rule not in names
            if is_unknown or (is_new and len(self._pillows) >= self._max_pillows):
                yield MarkChange(mark, False)
                continue
            pillow = self._pillows.setdefault(mark.subject, Pillow(seen_ms=now.broker_ms))
            if mark.kind == "alive":
                pillow.is_armed = True
            else:
                pillow.told.add(names[mark.rule])
                pillow.handled.add(names[mark.rule])
                pillow.is_offline = None
        for kept in silences:
            if (known := self._pillows.get(kept.pillow)) is not None:
                known.restore(kept, now)
        for name, pillow in self._pillows.items():
            self._start_timers(name, pillow)

    def silences(self, now: Moment) -> Iterator[Silence]:
        """Yield what has to be kept for a restart, the silences that are not short."""
        for name, pillow in self._pillows.items():
            silent_ms = pillow.silent_ms(now)
            if pillow.is_armed and silent_ms >= KEPT_MS:
                yield Silence(
                    name, silent_ms, pillow.by_queue, bool(pillow.is_offline), pillow.state_key
                )

    def on_connecting(self) -> None:
        """Note that another connection begins: the broker tells again what it retains."""
        self._connection += 1

    def on_ready(self) -> None:
        """Disarm the pillows that the broker does not know any more: they were removed."""
        for pillow in self._pillows.values():
            if pillow.connection != self._connection:
                pillow.is_armed = False

    def receive_state(
        self, update: Update, now: Moment, *, retained: bool, expiry_s: int | None = None
    ) -> Iterator[Step]:
        """Handle a state."""
        yield from self._make_room(update.pillow)
        pillow = self._touch(update.pillow, now)
        known, by_queue = pillow.update, update.queued_ms is not None
        if known is not None and update.order <= known.order:
            if update.is_later_sign_of_life(known):
                pillow.update = update
                yield from self._hear(update.pillow, pillow, now, by_queue=by_queue)
            return
        pillow.update = update
        is_first = known is None
        is_stale = is_first and (retained or _waited_ms(update) > FRESH_MS)
        if is_first and retained:
            yield from self._receive_first(update, pillow, now, expiry_s)
        else:
            yield from self._hear(update.pillow, pillow, now, by_queue=by_queue)
        if is_stale or (known is not None and known.state == update.state):
            return
        yield from self._change(update, known, pillow, now)

    def receive_availability(
        self, name: str, now: Moment, *, online: bool, retained: bool
    ) -> Iterator[Step]:
        """Handle `online` or `offline`."""
        yield from self._make_room(name)
        pillow = self._touch(name, now)
        if online:
            # What is retained and known is told again with each connection: no sign of life.
            if not retained or pillow.is_offline is not False or not pillow.is_armed:
                yield from self._hear(name, pillow, now, by_queue=pillow.by_queue)
            return
        if not pillow.is_armed and not retained:
            yield from self._hear(name, pillow, now, by_queue=pillow.by_queue)
        pillow.is_offline = True

    def remove(self, name: str) -> Iterator[Step]:
        """Forget a pillow."""
        pillow = self._pillows.pop(name, None)
        if pillow is not None:
            yield MarkChange(Mark("alive", "", name), False)
            for number in pillow.told:
                yield MarkChange(Mark("offline", self._rules[number].name, name), False)

    def is_due(self, now: Moment) -> bool:
        """Return whether something has become due."""
        return self._by_broker.is_due(now.broker_ms) or self._by_queue.is_due(now.queue_ms)

    def check(self, now: Moment) -> Iterator[Step]:
        """Handle what has become due, a part of it if it is much."""
        for timers, now_ms in ((self._by_broker, now.broker_ms), (self._by_queue, now.queue_ms)):
            for timer in timers.due(now_ms, MAX_DUE):
                pillow = self._pillows.get(timer.pillow)
                if pillow is None:
                    continue
                if timer.episode:
                    yield from self._state_due(timer, pillow, now)
                else:
                    yield from self._silence_due(timer, pillow, now)

    def told(self, found: Found) -> MarkChange | None:
        """Note that an event was not suppressed; returns the mark that has to be kept with it."""
        pillow = self._pillows.get(found.subject)
        if found.kind != "pillow.offline" or pillow is None:
            return None
        pillow.told.add(self._rules.index(found.rule))
        return MarkChange(Mark("offline", found.rule.name, found.subject), True)

    def _receive_first(
        self, update: Update, pillow: Pillow, now: Moment, expiry_s: int | None
    ) -> Iterator[Step]:
        """Handle the first state of a pillow, which the broker had retained.

        Where its silence was kept, one that was known then changes nothing, and another one is a
        sign of life. Else a broker that counts the expiry down tells how old it is, and a young one
        is a sign of life.
        """
        kept, pillow.kept = pillow.kept, None
        if kept is not None:
            if kept.state != state_key(update):
                yield from self._hear(
                    update.pillow, pillow, now, by_queue=update.queued_ms is not None
                )
            return
        pillow.by_queue = update.queued_ms is not None
        age_ms = (EXPIRY_S - expiry_s) * 1000 if expiry_s is not None else EXPIRY_S * 1000
        if 0 < age_ms < SILENT_MS and not pillow.is_armed:
            pillow.is_armed = True
            yield MarkChange(Mark("alive", "", update.pillow), True)
        pillow.seen_ms = pillow.clock_ms(now)
        self._start_timers(update.pillow, pillow)

    def _touch(self, name: str, now: Moment) -> Pillow:
        pillow = self._pillows.get(name)
        if pillow is None:
            pillow = self._pillows[name] = Pillow(seen_ms=now.broker_ms)
        pillow.connection = self._connection
        return pillow

    def _make_room(self, name: str) -> Iterator[Step]:
        """Forget the pillow that was silent for longest, where a new one has no place."""
        if name not in self._pillows and len(self._pillows) >= self._max_pillows:
            self.forgotten += 1
            yield from self.remove(next(iter(self._pillows)))

    def _hear(self, name: str, pillow: Pillow, now: Moment, *, by_queue: bool) -> Iterator[Step]:
        """Handle a sign of life."""
        if not pillow.is_armed:
            yield MarkChange(Mark("alive", "", name), True)
        silent_ms = pillow.silent_ms(now)
        pillow.hear(now, by_queue=by_queue)
        self._pillows.move_to_end(name)
        for number in sorted(pillow.told):
            rule = self._rules[number]
            yield MarkChange(Mark("offline", rule.name, name), False)
            if rule.also_back:
                yield back_event(rule, name, pillow, silent_ms, now)
        pillow.told.clear()
        self._start_timers(name, pillow)
        for number in sorted(pillow.waiting):
            yield from self._state_lasts(number, pillow)
        pillow.waiting.clear()

    def _change(
        self, update: Update, known: Update | None, pillow: Pillow, now: Moment
    ) -> Iterator[Step]:
        """Handle a change of state."""
        pillow.episode += 1
        pillow.began = update
        pillow.waiting.clear()
        for number in self._state_rules:
            rule = self._rules[number]
            if update.state not in rule.states or update.pillow not in rule.pillows:
                continue
            if not rule.lasts_s:
                yield state_event(rule, update, None if known is None else known.state)
                continue
            due_ms = pillow.clock_ms(now) + rule.lasts_ms
            self._timers(pillow).add(Timer(due_ms, update.pillow, number, pillow.episode))

    def _state_due(self, timer: Timer, pillow: Pillow, now: Moment) -> Iterator[Step]:
        if timer.episode != pillow.episode:
            return
        if pillow.is_offline or pillow.silent_ms(now) > SILENT_MS:
            pillow.waiting.add(timer.rule)
        else:
            yield from self._state_lasts(timer.rule, pillow)

    def _state_lasts(self, number: int, pillow: Pillow) -> Iterator[Step]:
        if pillow.began is not None:
            yield state_event(self._rules[number], pillow.began, None)

    def _silence_due(self, timer: Timer, pillow: Pillow, now: Moment) -> Iterator[Step]:
        pillow.timed.discard(timer.rule)
        rule = self._rules[timer.rule]
        if not pillow.is_armed or timer.rule in pillow.handled:
            return
        silent_ms = pillow.silent_ms(now)
        if silent_ms < rule.lasts_ms:
            self._start_timers(timer.pillow, pillow)
            return
        pillow.handled.add(timer.rule)
        yield offline_event(rule, timer.pillow, pillow, silent_ms, now)

    def _start_timers(self, name: str, pillow: Pillow) -> None:
        """Start the timers of a pillow's silence that do not run."""
        if not pillow.is_armed:
            return
        for number in self._offline_rules:
            rule = self._rules[number]
            if number in pillow.timed or number in pillow.handled or name not in rule.pillows:
                continue
            pillow.timed.add(number)
            due_ms = pillow.seen_ms + rule.lasts_ms
            self._timers(pillow).add(Timer(due_ms, name, number, 0))

    def _timers(self, pillow: Pillow) -> Timers:
        return self._by_queue if pillow.by_queue else self._by_broker


def _waited_ms(update: Update) -> int:
    if update.published_ms is None or update.queued_ms is None:
        return 0
    return update.published_ms - update.queued_ms
