"""A pillow: what happens to it, what its firmware makes of that, its battery and its radio.

It is asked for what is next only when that is due, and computes the forces it felt only then: of a
hundred thousand pillows nearly all are a few numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from simulator.model.chance import Chance, bits, key_of, share
from simulator.model.classifier import WINDOW_S, features, judge
from simulator.model.gestures import GESTURES, LASTS_S, Gesture, resting_pose
from simulator.model.people import MOODS, Mood, People, Range, next_gesture, next_visit_s
from simulator.model.sensor import still_window, window
from simulator.model.space import Vector

RESTING: Final = "neutral"

UNSURE: Final = 0.5
"""Below this confidence the firmware says again what it said before, and half as sure."""

CONFIRMED_S: Final = 0.3
"""It does so too until something new has been seen for so long: the first tenth of a second of a
shake looks like a hug."""

_LOOKS_S: Final = (0.5, 0.9, 1.4)
"""When, after a gesture's beginning and its end, the firmware looks beside its regular reports."""

_BATTERY_LOW: Final = 0.12
_REPORT_COST: Final = 5e-6
"""Of a full battery: at a report a second a tenth of what the computer itself takes."""

_NEVER: Final = float("inf")

_NOISE, _RADIO, _LINKS, _SCRIPT = 0x6E6F697365, 0x726164696F, 0x6C696E6B73, 0x736372697074


@dataclass(frozen=True, slots=True)
class Wifi:
    """A pillow's radio: which share of reports is lost, and how often and how long it is away."""

    loss: float = 0.0
    drops_every_s: float = _NEVER
    away_s: Range = (5, 20)


@dataclass(frozen=True, slots=True)
class Battery:
    """How full it is at first (None: anything), how long it lasts and how long it charges."""

    at_first: float | None = None
    lasts_s: float = 5.5 * 3600
    charges_s: float = 1.5 * 3600


@dataclass(frozen=True, slots=True)
class Cue:
    """A gesture that a scenario orders, of the pillows `numbers` of a kind.

    It begins within `spread_s` after `at_s`, and again every `every_s`, `times` times in all.
    """

    numbers: frozenset[int] | None
    gesture: str
    at_s: float
    spread_s: float = 0.0
    lasts_s: Range | None = None
    every_s: float | None = None
    times: int | None = None

    def begins_s(self, key: int, turn: int) -> float:
        """Return when it begins for the pillow of this key, for the `turn`th time, from 0."""
        later_s = turn * (self.every_s or 0) + self.spread_s * share(key, turn)
        return round(self.at_s + later_s, 3)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the pillows of one group have in common.

    `hour` is that of the day at the start, `fields` more fields of a report with their JSON,
    `clock_s` how far the pillows' clocks are ahead.
    """

    name: str
    every_s: float = 1.0
    hour: float = 12.0
    people: People | None = None
    first_visit_s: Range | None = None
    sample_hz: int = 25
    motion: Literal["moving", "always", "never"] = "moving"
    wifi: Wifi = Wifi()
    battery: Battery = Battery()
    cues: tuple[Cue, ...] = ()
    speaks: Literal["json", "base64", "word", "tuple"] = "json"
    fields: tuple[tuple[str, bytes], ...] = ()
    clock_s: float = 0.0


@dataclass(slots=True)
class Said:
    """One report, due `due_s` seconds after the start; `seq` counts from 0.

    `fate` says what became of it on the way out of the pillow: `lost` on the air, or `unsaid`
    because there was no network; a report of either kind has no content.
    """

    due_s: float
    kind: Kind
    number: int
    seq: int = 0
    state: str = RESTING
    confidence: float = 0.0
    battery: float = 0.0
    motion: tuple[Vector, ...] = ()
    fate: Literal["", "lost", "unsaid"] = ""


@dataclass(slots=True)
class Link:
    """A pillow's network came back (`up`) or went away."""

    due_s: float
    kind: Kind
    number: int
    up: bool


Event = Said | Link


class Pillow:
    """One pillow; `next_s` is when it has something to do."""

    __slots__ = (
        "_battery",
        "_battery_s",
        "_begins_s",
        "_begun_s",
        "_chance",
        "_charging",
        "_cued_s",
        "_doubt",
        "_doubt_s",
        "_ends_s",
        "_gesture",
        "_is_held",
        "_key",
        "_last",
        "_lasts_s",
        "_link_s",
        "_links",
        "_looks",
        "_mood",
        "_pose",
        "_seq",
        "_shown",
        "_sure",
        "_tick",
        "_up",
        "_visit_left",
        "_word",
        "kind",
        "next_s",
        "number",
    )  # fmt: skip

    def __init__(self, kind: Kind, number: int, seed: int) -> None:
        self.kind, self.number = kind, number
        self._key = key_of(seed, "pillow", kind.name, number)
        chance = self._chance = Chance(self._key)

        # What happens to it: the last gesture, and the one that goes on (until `_ends_s`) or is to
        # come (at `_begins_s`) and is not made before: it is most of what a pillow would weigh.
        self._pose = resting_pose(chance)
        self._last: Gesture | None = None
        self._begun_s = 0.0
        self._word: str | None = None
        self._lasts_s = 0.0
        self._gesture: Gesture | None = None
        self._begins_s = self._ends_s = _NEVER
        self._mood: Mood | None = None
        self._visit_left = 0
        self._cued_s = -_NEVER

        # What its firmware knows
        self._shown, self._sure, self._seq = RESTING, 0.99, 0
        self._looks: tuple[float, ...] = ()
        self._doubt, self._doubt_s, self._is_held = RESTING, 0.0, False
        # Pillows are switched on when they are, not all at the same tick of a second.
        self._tick = chance.draw()

        # Battery and radio
        first = kind.battery.at_first
        full = chance.between(0.3, 1.0)
        self._battery, self._battery_s, self._charging = (
            first if first is not None else full,
            0.0,
            False,
        )
        self._up, self._links = True, 0
        self._link_s = self._next_drop_s(0.0)

        self._plan(0.0, is_first=True)
        self.next_s = self._soonest()

    def step(self) -> Iterator[Event]:
        """Do what is due at `next_s`, and set it anew."""
        now_s = self.next_s
        is_tick = self._tick_s() <= now_s
        if is_tick:
            # Counted, not added up: a day later it is still on its beat.
            self._tick += 1
        if self._gesture is None and self._begins_s <= now_s:
            self._begin()
        if self._gesture is not None and self._ends_s <= now_s:
            self._last, self._begun_s = self._gesture, self._begins_s
            self._pose = self._last.pose
            self._plan(self._ends_s)
        is_look = False
        while self._looks and self._looks[0] <= now_s:
            is_look, self._looks = True, self._looks[1:]
        came_back = False
        if self._link_s <= now_s:
            self._up = came_back = not self._up
            yield Link(now_s, self.kind, self.number, self._up)
            self._link_s = self._next_drop_s(now_s) if self._up else self._next_return_s(now_s)
        if not self._up:
            if is_tick:
                yield Said(now_s, self.kind, self.number, fate="unsaid")
        elif is_tick or is_look or came_back:
            changed, samples = self._look(now_s)
            if is_tick or changed or came_back:
                yield self._report(now_s, samples)
        self.next_s = self._soonest()

    def _soonest(self) -> float:
        look_s = self._looks[0] if self._looks else _NEVER
        change_s = self._begins_s if self._gesture is None else self._ends_s
        return min(self._tick_s(), change_s, self._link_s, look_s)

    def _tick_s(self) -> float:
        return round(self._tick * self.kind.every_s, 3)

    # What happens to it

    def _plan(self, after_s: float, *, is_first: bool = False) -> None:
        """Decide on the next gesture, which begins after then."""
        chance = self._chance
        word, begins_s, lasts_s = self._visitors_next(after_s, is_first=is_first)
        if self.kind.cues:
            cue, cued_s = self._next_cue()
            if cue is not None and cued_s < begins_s + (lasts_s[1] if lasts_s else 0) + WINDOW_S:
                # What is ordered comes before what people would have done; they are gone then.
                self._cued_s, self._visit_left = cued_s, 0
                word, begins_s = cue.gesture, max(cued_s, after_s)
                lasts_s = cue.lasts_s or LASTS_S[word]
        self._gesture, self._ends_s = None, _NEVER
        if word is None or lasts_s is None:
            self._word, self._begins_s = None, _NEVER
        else:
            self._word, self._begins_s = word, begins_s
            self._lasts_s = chance.between(*lasts_s)
        # What the last one's end looks like is of interest only until the next one begins.
        looks = (round(after_s + look_s, 3) for look_s in _LOOKS_S)
        self._looks = () if is_first else tuple(one for one in looks if one < self._begins_s)

    def _begin(self) -> None:
        assert self._word is not None
        self._gesture = GESTURES[self._word](self._chance, self._pose, self._lasts_s)
        self._ends_s = round(self._begins_s + self._gesture.lasts_s, 3)
        self._looks = tuple(round(self._begins_s + look_s, 3) for look_s in _LOOKS_S)

    def _visitors_next(
        self, after_s: float, *, is_first: bool
    ) -> tuple[str | None, float, Range | None]:
        people, chance = self.kind.people, self._chance
        if people is None:
            return None, _NEVER, None
        if self._visit_left > 0 and self._mood is not None:
            begins_s: float | None = round(after_s + chance.between(*self._mood.pause_s), 3)
            new = False
        else:
            if is_first and self.kind.first_visit_s is not None:
                begins_s = round(chance.between(*self.kind.first_visit_s), 3)
            else:
                begins_s = next_visit_s(people, self.kind.hour, after_s + WINDOW_S, chance)
            self._mood = MOODS[chance.pick(people.moods)]
            low, high = self._mood.gestures
            self._visit_left = int(chance.between(low, high + 1))
            new = True
        self._visit_left -= 1
        if begins_s is None:
            return None, _NEVER, None
        word = next_gesture(self._mood, is_first=new, chance=chance)
        return word, begins_s, LASTS_S[word]

    def _next_cue(self) -> tuple[Cue | None, float]:
        """Return the first ordered gesture after the last one, and when it begins."""
        found: Cue | None = None
        found_s = _NEVER
        for place, cue in enumerate(self.kind.cues):
            if cue.numbers is not None and self.number not in cue.numbers:
                continue
            key = self._key ^ _SCRIPT ^ place
            turn = 0
            if cue.every_s is not None and self._cued_s > cue.at_s:
                turn = max(0, int((self._cued_s - cue.at_s - cue.spread_s) / cue.every_s))
            while cue.begins_s(key, turn) <= self._cued_s and cue.every_s is not None:
                turn += 1
            begins_s = cue.begins_s(key, turn)
            is_over = turn >= (cue.times or (1 if cue.every_s is None else turn + 1))
            if not is_over and self._cued_s < begins_s < found_s:
                found, found_s = cue, begins_s
        return found, found_s

    def _force(self, t: float) -> Vector:
        if self._gesture is not None and t >= self._begins_s:
            return self._gesture.force(t - self._begins_s)
        if self._last is not None and t >= self._begun_s:
            return self._last.force(t - self._begun_s)
        return self._pose

    # What its firmware makes of it

    def _look(self, now_s: float) -> tuple[bool, list[Vector]]:
        """Look at the last samples; return whether it is something new, and them."""
        hz = self.kind.sample_hz
        count = int(WINDOW_S * hz)
        from_s = now_s - WINDOW_S
        lies = now_s < self._begins_s and (
            self._last is None or self._begun_s + self._last.lasts_s <= from_s
        )
        noise = self._key ^ _NOISE
        if lies:
            samples = still_window(self._pose, key=noise, hz=hz, until_s=now_s, samples=count)
        else:
            samples = window(self._force, key=noise, hz=hz, until_s=now_s, samples=count)
        state, confidence = judge(features(samples, hz))
        if state == self._shown:
            self._doubt, self._sure, self._is_held = state, confidence, False
            return False, samples
        if confidence < UNSURE:
            self._doubt, self._is_held = self._shown, True
            return False, samples
        if state != self._doubt:
            self._doubt, self._doubt_s = state, now_s
        if now_s < self._doubt_s + CONFIRMED_S - 0.0005:
            self._is_held = True
            again_s = round(self._doubt_s + CONFIRMED_S, 3)
            if again_s not in self._looks:
                self._looks = tuple(sorted((*self._looks, again_s)))
            return False, samples
        self._shown, self._sure, self._is_held = state, confidence, False
        return True, samples

    def _report(self, now_s: float, samples: list[Vector]) -> Said:
        seq, self._seq = self._seq, self._seq + 1
        battery = self._drain(now_s)
        if share(self._key ^ _RADIO, seq) < self.kind.wifi.loss:
            return Said(now_s, self.kind, self.number, seq, fate="lost")
        tells = self.kind.motion == "always" or (
            self.kind.motion == "moving" and self._shown != RESTING
        )
        return Said(
            now_s,
            self.kind,
            self.number,
            seq,
            self._shown,
            # Two decimals of the half of a number of two decimals, without a tie to round.
            int(self._sure * 50) / 100 if self._is_held else self._sure,
            round(battery, 2),
            tuple(samples) if tells else (),
        )

    def _drain(self, now_s: float) -> float:
        """Return how full the battery is now; near its end somebody puts it on the charger."""
        kind = self.kind.battery
        since_s, self._battery_s = now_s - self._battery_s, now_s
        level = self._battery
        if self._charging:
            level += since_s / kind.charges_s
            if level >= 1:
                level, self._charging = 1.0, False
        else:
            level -= since_s / kind.lasts_s + _REPORT_COST
            if level <= _BATTERY_LOW:
                level, self._charging = max(0.0, level), True
        self._battery = level
        return level

    # Its radio

    def _next_drop_s(self, now_s: float) -> float:
        every_s = self.kind.wifi.drops_every_s
        if every_s == _NEVER:
            return _NEVER
        return round(now_s + every_s * (0.3 + 1.4 * self._link_share()), 3)

    def _next_return_s(self, now_s: float) -> float:
        low, high = self.kind.wifi.away_s
        return round(now_s + low + (high - low) * self._link_share(), 3)

    def _link_share(self) -> float:
        self._links += 1
        return (bits(self._key ^ _LINKS, self._links) >> 11) * 2.0**-53
