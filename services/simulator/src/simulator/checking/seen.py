"""What was sent and what was seen of it, kept as the verdicts need it.

Pure: times come in, in seconds of the scenario. Of a pillow no more is kept than when it was seen
in each state, so a fleet's check is as large as the fleet.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field

from contract.messages import Rejection, decode_message
from contract.updates import Update
from simulator.stream.faults import Item

DEFAULT_PILLOW = "cloud"
"""Who a message without an id is from, unless POLLER_DEFAULT_PILLOW says otherwise."""

Order = tuple[int, int]


@dataclass(slots=True)
class Known:
    """What is known of one pillow. Its newest sent `order` is None where nobody can know it."""

    times: dict[str, list[float]] = field(default_factory=dict)
    availability: dict[str, list[float]] = field(default_factory=dict)
    newest_sent: Order | None = None
    is_ahead: bool = False
    newest_seen: Order | None = None
    newest_state: str = ""
    backwards: int = 0

    def saw(self, what: str, from_s: float, by_s: float) -> float | None:
        """Return when it was first seen in a state, or with an availability, within that time."""
        times = self.times.get(what) or self.availability.get(what) or []
        at = bisect_left(times, from_s)
        return times[at] if at < bisect_right(times, by_s) else None


class Seen:
    """Everything that was sent and seen in one check."""

    def __init__(self, pillows: frozenset[str]) -> None:
        """`pillows` are those that are looked at; states of others are somebody else's."""
        self.pillows = pillows
        self.known: dict[str, Known] = {}
        self.states = 0
        self.sent = 0
        self.reasons_sent: Counter[str] = Counter()
        self.reasons_seen: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.unreadable = 0
        self.poison_before: int | None = None
        self.poison_after: int | None = None

    def of(self, pillow: str) -> Known:
        """Return what is known of a pillow."""
        return self.known.setdefault(pillow, Known())

    def note_sent(self, item: Item, now_us: int) -> None:
        """Note a message that was taken, at the time of the wall clock."""
        self.sent += 1
        if item.reason is not None:
            self.reasons_sent[item.reason] += 1
            return
        reading = decode_message(item.body, default_pillow=DEFAULT_PILLOW, queued_us=now_us)
        if isinstance(reading, Rejection):
            return
        known = self.of(reading.pillow)
        if b'"clock":"ahead"' in reading.content or b'"at"' not in item.body:
            # The queue's clock decides then, and it is not ours.
            known.is_ahead = True
        elif known.newest_sent is None or reading.order > known.newest_sent:
            known.newest_sent = reading.order

    def note_state(self, at_s: float, update: Update) -> bool:
        """Note a state that arrived; return whether it was one of ours."""
        if update.pillow not in self.pillows:
            return False
        self.states += 1
        known = self.of(update.pillow)
        known.times.setdefault(update.state, []).append(at_s)
        if known.newest_seen is not None and update.order < known.newest_seen:
            known.backwards += 1
        else:
            known.newest_seen, known.newest_state = update.order, update.state
        return True

    def note_availability(self, at_s: float, pillow: str, word: str) -> None:
        """Note that a pillow said, or its broker for it, that it is online or offline."""
        if pillow in self.pillows:
            self.of(pillow).availability.setdefault(word, []).append(at_s)

    @property
    def poison(self) -> int:
        """How many dead letters came: by the poison queue, or where that is not seen, by MQTT."""
        if self.poison_before is None or self.poison_after is None:
            return self.reasons_seen.total()
        return self.poison_after - self.poison_before
