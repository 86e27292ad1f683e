"""Faults: a fleet's events to messages on their way, with all that goes wrong, each counted.

Pure: the same plan gives the same faults. What is drawn for a fault depends on the seed, the
fault's place in the file, the pillow and the report's number, and on nothing else.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from contract.messages import Rejection, decode_message
from simulator.model.chance import bits, key_of, share
from simulator.model.fleet import pillow_id
from simulator.model.pillow import Event, Link, Said
from simulator.scenario.plan import Fault, Plan
from simulator.stream.bodies import WRITERS, encode_body

MOST_HELD: Final = 100_000
"""How many messages are held back at once; more are let go early, and counted."""

_DELAY_S: Final = (1.0, 10.0)
_DUPLICATE_S: Final = (0.0, 2.0)
_CLOCK_S: Final = (3600.0, 3600.0)
_AWAY_S: Final = (5.0, 20.0)
_BURST_S: Final = 10.0


@dataclass(slots=True)
class Item:
    """Something on its way, due `due_s` seconds after the start.

    A message has a `body`; where `link` is set it is the pillow's network that comes or goes.
    `reason` says why the message will be a dead letter, if it will; `said` is the report in it.
    """

    due_s: float
    pillow: str
    body: bytes = b""
    link: Literal["up", "down"] | None = None
    reason: str | None = None
    said: Said | None = None


class Stream:
    """Goes through a fleet's events; `counts` has each fault by its kind, also while it goes on.

    `stamp` says which time it is, in microseconds since 1970, at a number of seconds after the
    start.
    """

    def __init__(self, plan: Plan, events: Iterable[Event], stamp: Callable[[float], int]) -> None:
        self.counts: Counter[str] = Counter({fault.kind: 0 for fault in plan.faults})
        self._plan = plan
        self._events = events
        self._stamp = stamp
        self._of_group: dict[str, list[tuple[int, Fault]]] = {
            kind.name: [
                (place, fault)
                for place, fault in enumerate(plan.faults)
                if kind.name in fault.numbers and fault.kind != "disconnect"
            ]
            for kind, _ in plan.groups
        }
        self._held: list[tuple[float, int, Item]] = []
        self._order = 0
        self._away: dict[str, float] = {}
        self._storms = [
            (fault.from_s, place)
            for place, fault in enumerate(plan.faults)
            if fault.kind == "disconnect"
        ]
        heapq.heapify(self._storms)

    def __iter__(self) -> Iterator[Item]:
        """Tell what is on its way, in the order in which it is due."""
        lasts_s = self._plan.lasts_s
        for event in self._events:
            now_s = event.due_s
            if lasts_s is not None and now_s > lasts_s:
                break
            while self._storms and self._storms[0][0] <= now_s:
                yield from self._until(self._storms[0][0])
                yield from self._storm(*heapq.heappop(self._storms))
            yield from self._until(now_s)
            if isinstance(event, Link):
                pillow = pillow_id(event.kind.name, event.number)
                self.counts["wifi: came back" if event.up else "wifi: went away"] += 1
                yield Item(now_s, pillow, link="up" if event.up else "down")
            elif event.fate:
                self.counts[f"wifi: {event.fate}"] += 1
            else:
                yield from self._said(event)
            while len(self._held) > MOST_HELD:
                self.counts["let go early"] += 1
                item = heapq.heappop(self._held)[2]
                item.due_s = now_s
                yield item
        yield from self._until(float("inf"))

    def _until(self, now_s: float) -> Iterator[Item]:
        while self._held and self._held[0][0] <= now_s:
            yield heapq.heappop(self._held)[2]

    def _hold(self, item: Item) -> None:
        self._order += 1
        heapq.heappush(self._held, (item.due_s, self._order, item))

    def _said(self, said: Said) -> Iterator[Item]:
        kind, now_s = said.kind, said.due_s
        pillow = pillow_id(kind.name, said.number)
        if self._away and now_s < self._away.get(pillow, 0.0):
            self.counts["unsaid while away"] += 1
            return
        at_us = self._stamp(now_s) + round(kind.clock_s * 1e6)
        due_s = now_s
        copies: list[float] = []
        write = None
        lost = False
        for place, fault in self._of_group[kind.name]:
            if not (fault.from_s <= now_s < fault.until_s and fault.meets(kind.name, said.number)):
                continue
            key = key_of(self._plan.seed, "fault", place, kind.name, said.number)
            if fault.kind == "burst":
                every_s = fault.every_s or _BURST_S
                turn = int((now_s - fault.from_s) / every_s)
                if share(key, turn) < fault.rate:
                    self.counts["burst"] += 1
                    due_s = max(due_s, round(fault.from_s + (turn + 1) * every_s, 3))
                continue
            if share(key, 2 * said.seq) >= fault.rate:
                continue
            much = share(key, 2 * said.seq + 1)
            match fault.kind:
                case "loss":
                    lost = True
                case "delay":
                    due_s += _between(fault.by_s or _DELAY_S, much)
                case "reorder":
                    # Behind the next report, and most often not behind the one after that.
                    due_s += kind.every_s * (1.1 + 0.8 * much)
                case "duplicate":
                    for copy in range(fault.times):
                        later = share(key ^ (copy + 1), said.seq)
                        copies.append(_between(fault.by_s or _DUPLICATE_S, later))
                        self.counts["duplicate"] += 1
                    continue
                case "stale":
                    at_us -= round(_between(fault.by_s or _CLOCK_S, much) * 1e6)
                case "future":
                    at_us += round(_between(fault.by_s or _CLOCK_S, much) * 1e6)
                case _ if write is None:
                    turn = bits(key, 2 * said.seq + 1)
                    write = (WRITERS[fault.kind], turn)
                case _:
                    continue  # it is wrong in one way already
            self.counts[fault.kind] += 1
        if lost:
            return
        if write is None:
            item = Item(due_s, pillow, encode_body(said, pillow, at_us), said=said)
        else:
            body = write[0](said, pillow, at_us, write[1])
            item = Item(due_s, pillow, body, None, _reason(body, self._stamp(now_s)), said)
        if due_s > now_s:
            item.due_s = round(due_s, 3)
            self._hold(item)
        else:
            yield item
        for later in copies:
            self._hold(Item(round(due_s + later, 3), pillow, item.body, None, item.reason, said))

    def _storm(self, now_s: float, place: int) -> Iterator[Item]:
        fault = self._plan.faults[place]
        if now_s >= fault.until_s:
            return
        if fault.every_s is not None:
            heapq.heappush(self._storms, (round(now_s + fault.every_s, 3), place))
        for kind, count in self._plan.groups:
            if kind.name not in fault.numbers:
                continue
            some = fault.numbers[kind.name]
            for number in range(1, count + 1) if some is None else sorted(some):
                key = key_of(self._plan.seed, "fault", place, kind.name, number)
                turn = round(now_s * 1000)
                if share(key, 2 * turn) >= fault.rate:
                    continue
                pillow = pillow_id(kind.name, number)
                back_s = round(now_s + _between(fault.by_s or _AWAY_S, share(key, 2 * turn + 1)), 3)
                self.counts["disconnect"] += 1
                self._away[pillow] = back_s
                yield Item(now_s, pillow, link="down")
                self._hold(Item(back_s, pillow, link="up"))


def _between(bounds: tuple[float, float], share_of_it: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * share_of_it


def _reason(body: bytes, now_us: int) -> str | None:
    decided = decode_message(body, default_pillow="cloud", queued_us=now_us)
    return str(decided.reason) if isinstance(decided, Rejection) else None
