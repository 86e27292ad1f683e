"""Fault injection: makes messages of a fleet's events, with the plan's faults, and counts them.

Pure: the same plan gives the same faults. The random numbers of a fault depend on the seed, the
fault's position in the file, the pillow and the report's number, and on nothing else.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from contract.messages import Rejection, decode_message
from simulator.model.events import Event, NetworkChange, Report
from simulator.model.fleet import pillow_id
from simulator.model.rng import random_bits, random_unit, stream_key
from simulator.scenario.plan import Fault, Plan
from simulator.stream.bodies import FAULTY_ENCODERS, FaultyEncoder, encode_body
from simulator.stream.items import StreamItem

MAX_DELAYED: Final = 100_000
"""Limit of delayed messages. Above it the earliest are sent early, and counted."""

_DELAY_S: Final = (1.0, 10.0)
_DUPLICATE_S: Final = (0.0, 2.0)
_CLOCK_ERROR_S: Final = (3600.0, 3600.0)
_OUTAGE_S: Final = (5.0, 20.0)
_BURST_S: Final = 10.0


@dataclass(slots=True)
class _Effects:
    """What the faults do to one report."""

    due_s: float
    at_us: int
    is_lost: bool = False
    copies_after_s: list[float] = field(default_factory=list)
    encoder: tuple[FaultyEncoder, int] | None = None


class FaultInjector:
    """Makes stream items of a fleet's events; `counts` holds the faults so far by their kind.

    `timestamp` returns the time in microseconds since 1970 at a number of seconds after the start.
    """

    def __init__(
        self, plan: Plan, events: Iterable[Event], timestamp: Callable[[float], int]
    ) -> None:
        self.counts: Counter[str] = Counter({fault.kind: 0 for fault in plan.faults})
        self._plan = plan
        self._events = events
        self._timestamp = timestamp
        self._faults_by_group: dict[str, list[tuple[int, Fault]]] = {
            group.name: [
                (index, fault)
                for index, fault in enumerate(plan.faults)
                if group.name in fault.numbers and fault.kind != "disconnect"
            ]
            for group, _ in plan.groups
        }
        self._delayed: list[tuple[float, int, StreamItem]] = []
        self._delayed_count = 0
        self._disconnected_until_s: dict[str, float] = {}
        self._disconnects = [
            (fault.from_s, index)
            for index, fault in enumerate(plan.faults)
            if fault.kind == "disconnect"
        ]
        heapq.heapify(self._disconnects)

    def __iter__(self) -> Iterator[StreamItem]:
        """Return the items in the order in which they are due."""
        ends_s = self._plan.lasts_s
        for event in self._events:
            now_s = event.due_s
            if ends_s is not None and now_s > ends_s:
                break
            while self._disconnects and self._disconnects[0][0] <= now_s:
                yield from self._due_items(self._disconnects[0][0])
                yield from self._disconnect(*heapq.heappop(self._disconnects))
            yield from self._due_items(now_s)
            if isinstance(event, NetworkChange):
                yield self._network_change(event)
            elif event.fate:
                self.counts[f"wifi: {event.fate}"] += 1
            else:
                yield from self._messages(event)
            while len(self._delayed) > MAX_DELAYED:
                self.counts["sent early"] += 1
                item = heapq.heappop(self._delayed)[2]
                item.due_s = now_s
                yield item
        yield from self._due_items(float("inf"))

    def _due_items(self, now_s: float) -> Iterator[StreamItem]:
        while self._delayed and self._delayed[0][0] <= now_s:
            yield heapq.heappop(self._delayed)[2]

    def _delay(self, item: StreamItem) -> None:
        self._delayed_count += 1
        heapq.heappush(self._delayed, (item.due_s, self._delayed_count, item))

    def _network_change(self, event: NetworkChange) -> StreamItem:
        self.counts["wifi: reconnected" if event.is_up else "wifi: disconnected"] += 1
        return StreamItem(
            event.due_s,
            pillow_id(event.group.name, event.number),
            network="up" if event.is_up else "down",
        )

    def _messages(self, report: Report) -> Iterator[StreamItem]:
        """Return the message of a report, unless it is delayed or lost."""
        now_s = report.due_s
        pillow = pillow_id(report.group.name, report.number)
        if self._disconnected_until_s and now_s < self._disconnected_until_s.get(pillow, 0.0):
            self.counts["unsent while disconnected"] += 1
            return
        effects = self._apply_faults(report)
        if effects.is_lost:
            return
        if effects.encoder is None:
            body, rejection = encode_body(report, pillow, effects.at_us), None
        else:
            encode, variant = effects.encoder
            body = encode(report, pillow, effects.at_us, variant)
            rejection = _rejection(body, self._timestamp(now_s))
        item = StreamItem(effects.due_s, pillow, body, None, rejection, report)
        if effects.due_s > now_s:
            item.due_s = round(effects.due_s, 3)
            self._delay(item)
        else:
            yield item
        for after_s in effects.copies_after_s:
            due_s = round(effects.due_s + after_s, 3)
            self._delay(StreamItem(due_s, pillow, body, None, rejection, report))

    def _apply_faults(self, report: Report) -> _Effects:
        group, now_s = report.group, report.due_s
        at_us = self._timestamp(now_s) + round(group.clock_s * 1e6)
        effects = _Effects(now_s, at_us)
        for index, fault in self._faults_by_group[group.name]:
            if not fault.from_s <= now_s < fault.until_s:
                continue
            if not fault.applies_to(group.name, report.number):
                continue
            key = stream_key(self._plan.seed, "fault", index, group.name, report.number)
            if fault.kind == "burst":
                self._apply_burst(fault, key, effects, now_s)
            elif random_unit(key, 2 * report.seq) < fault.rate:
                self._apply(fault, key, effects, report)
        return effects

    def _apply_burst(self, fault: Fault, key: int, effects: _Effects, now_s: float) -> None:
        """Delay a report to the end of its burst interval, for a share `rate` of the intervals."""
        every_s = fault.every_s or _BURST_S
        interval = int((now_s - fault.from_s) / every_s)
        if random_unit(key, interval) < fault.rate:
            self.counts["burst"] += 1
            end_s = round(fault.from_s + (interval + 1) * every_s, 3)
            effects.due_s = max(effects.due_s, end_s)

    def _apply(self, fault: Fault, key: int, effects: _Effects, report: Report) -> None:
        random = random_unit(key, 2 * report.seq + 1)
        match fault.kind:
            case "loss":
                effects.is_lost = True
            case "delay":
                effects.due_s += _between(fault.by_s or _DELAY_S, random)
            case "reorder":
                # After the next report, and in most cases not after the one after that.
                effects.due_s += report.group.every_s * (1.1 + 0.8 * random)
            case "duplicate":
                for copy in range(fault.times):
                    copy_random = random_unit(key ^ (copy + 1), report.seq)
                    effects.copies_after_s.append(_between(fault.by_s or _DUPLICATE_S, copy_random))
                    self.counts["duplicate"] += 1
                return
            case "stale":
                effects.at_us -= round(_between(fault.by_s or _CLOCK_ERROR_S, random) * 1e6)
            case "future":
                effects.at_us += round(_between(fault.by_s or _CLOCK_ERROR_S, random) * 1e6)
            case _ if effects.encoder is None:
                variant = random_bits(key, 2 * report.seq + 1)
                effects.encoder = (FAULTY_ENCODERS[fault.kind], variant)
            case _:
                return  # A message has at most one fault in its content.
        self.counts[fault.kind] += 1

    def _disconnect(self, now_s: float, index: int) -> Iterator[StreamItem]:
        """Disconnect a share `rate` of the fault's pillows, and schedule their return."""
        fault = self._plan.faults[index]
        if now_s >= fault.until_s:
            return
        if fault.every_s is not None:
            heapq.heappush(self._disconnects, (round(now_s + fault.every_s, 3), index))
        for group, count in self._plan.groups:
            if group.name not in fault.numbers:
                continue
            numbers = fault.numbers[group.name]
            for number in range(1, count + 1) if numbers is None else sorted(numbers):
                key = stream_key(self._plan.seed, "fault", index, group.name, number)
                now_ms = round(now_s * 1000)
                if random_unit(key, 2 * now_ms) >= fault.rate:
                    continue
                pillow = pillow_id(group.name, number)
                outage_s = _between(fault.by_s or _OUTAGE_S, random_unit(key, 2 * now_ms + 1))
                until_s = round(now_s + outage_s, 3)
                self.counts["disconnect"] += 1
                self._disconnected_until_s[pillow] = until_s
                yield StreamItem(now_s, pillow, network="down")
                self._delay(StreamItem(until_s, pillow, network="up"))


def _between(bounds: tuple[float, float], fraction: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * fraction


def _rejection(body: bytes, now_us: int) -> str | None:
    decoded = decode_message(body, default_pillow="cloud", queued_us=now_us)
    return str(decoded.reason) if isinstance(decoded, Rejection) else None
