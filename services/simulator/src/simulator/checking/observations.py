"""Observations: what was sent during a check and what was received, as the assertions need it.

Pure: times are given in seconds of the scenario. For each pillow only the times at which it was
seen in each state are kept, so memory is proportional to the received states.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field

from contract.messages import Rejection, decode_message
from contract.updates import Update
from simulator.stream.items import StreamItem

DEFAULT_PILLOW = "cloud"
"""The pillow of a message without an id, unless POLLER_DEFAULT_PILLOW is set."""

Order = tuple[int, int]
"""`at` in microseconds and `seq`, by which the states of a pillow are ordered."""


@dataclass(slots=True)
class PillowObservations:
    """What was sent and received for one pillow.

    `state_times` and `availability_times` are the times at which it was seen in a state or with an
    availability. `order_unknown` is set where the queue's clock decides the order of a message, so
    that the newest sent state is not known here. `regressions` counts received states that were
    older than the one before.
    """

    state_times: dict[str, list[float]] = field(default_factory=dict)
    availability_times: dict[str, list[float]] = field(default_factory=dict)
    newest_sent: Order | None = None
    order_unknown: bool = False
    newest_received: Order | None = None
    regressions: int = 0

    def first_seen(self, value: str, from_s: float, by_s: float) -> float | None:
        """Return the first time in a span at which it had this state or availability."""
        times = self.state_times.get(value) or self.availability_times.get(value) or []
        index = bisect_left(times, from_s)
        return times[index] if index < bisect_right(times, by_s) else None


class Observations:
    """Everything that was sent and received during one check."""

    def __init__(self, pillows: frozenset[str]) -> None:
        """Only `pillows` are observed, because another simulator may use the same broker."""
        self._observed = pillows
        self.pillows: dict[str, PillowObservations] = {}
        self.states_received = 0
        self.undecodable = 0
        self.messages_sent = 0
        self.rejections_sent: Counter[str] = Counter()
        self.dead_letters_received: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.not_before_ms: int | None = None
        """The queue's time when the check began; states that were queued before are not counted."""
        self.poison_before: int | None = None
        self.poison_after: int | None = None

    def of(self, pillow: str) -> PillowObservations:
        """Return the observations of a pillow."""
        return self.pillows.setdefault(pillow, PillowObservations())

    def record_sent(self, item: StreamItem, now_us: int) -> None:
        """Record a message that was sent at this time of the wall clock."""
        self.messages_sent += 1
        if item.rejection is not None:
            self.rejections_sent[item.rejection] += 1
            return
        decoded = decode_message(item.body, default_pillow=DEFAULT_PILLOW, queued_us=now_us)
        if isinstance(decoded, Rejection):
            return
        pillow = self.of(decoded.pillow)
        if b'"clock":"' in decoded.content or b'"at"' not in item.body:
            pillow.order_unknown = True
        elif pillow.newest_sent is None or decoded.order > pillow.newest_sent:
            pillow.newest_sent = decoded.order

    def record_state(self, at_s: float, update: Update) -> bool:
        """Record a received state; return whether it is one of the check."""
        if update.pillow not in self._observed or self._was_queued_before(update):
            return False
        self.states_received += 1
        pillow = self.of(update.pillow)
        pillow.state_times.setdefault(update.state, []).append(at_s)
        # The poller judges `at` by the queue's clock, which may differ from this machine's.
        if b'"clock":"' in update.payload:
            pillow.order_unknown = True
        if pillow.newest_received is not None and update.order < pillow.newest_received:
            pillow.regressions += 1
        else:
            pillow.newest_received = update.order
        return True

    def record_availability(self, at_s: float, pillow: str, availability: str) -> None:
        """Record a received availability: "online" or "offline"."""
        if pillow in self._observed:
            self.of(pillow).availability_times.setdefault(availability, []).append(at_s)

    def _was_queued_before(self, update: Update) -> bool:
        return (
            self.not_before_ms is not None
            and update.queued_ms is not None
            and update.queued_ms < self.not_before_ms
        )

    @property
    def dead_letters(self) -> int:
        """Number of new dead letters: in the poison queue, or on MQTT where it cannot be read."""
        if self.poison_before is None or self.poison_after is None:
            return self.dead_letters_received.total()
        return self.poison_after - self.poison_before
