"""Publishing: each pillow's states in their order, the pillows side by side.

Where all goes well no task is started for a message: it is sent when it comes, and the broker's
confirmation ends it. Only what has to be sent again is waited for by a task of its own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import Final

import structlog

from contract.messages import ParsedMessage
from contract.updates import Update, encode_state
from poller.consume.in_flight import InFlight, InFlightMessage
from poller.metrics import PollerMetrics
from poller.publish.last_write import LastWrites
from poller.publish.reconciler import REFUSED_S, Reconciler
from poller.publish.state_publisher import StatePublisher
from poller.settle.settlement import Settlement
from poller.tasks import Tasks
from runtime.health import OK
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

SENDS: Final = 3
"""How often a publish may end in a lost connection before its message is given back.

Else a message that makes the broker hang up would be sent for ever; given back, it becomes a dead
letter after its last attempt. While there is no connection nothing is sent, and nothing counts.
The last send is alone: what was in flight beside a message like that must not end as it does.
"""

LOST_S: Final = 0.1
"""The pause after a send that was lost: a connection may call itself ready for a moment longer."""


@dataclass(slots=True, eq=False)
class _Queued:
    item: InFlightMessage
    reading: ParsedMessage


def _order(queued: _Queued) -> tuple[int, int]:
    return queued.reading.order


def _may_go_beside_others(queued: _Queued) -> bool:
    return queued.item.sends < SENDS - 1


@dataclass(slots=True, eq=False)
class _KeyQueue:
    """One pillow's messages: what waits, how many are in flight, and what has to be sent again.

    What waits is sent when nothing is in flight: an older state must not overtake a newer one.
    """

    pillow: str
    waiting: list[_Queued] = field(default_factory=list)
    in_flight: int = 0
    again: list[_Queued] = field(default_factory=list)
    to_heal: Update | None = None
    held: bool = False
    """A task looks after it, and sends what waits when it is time."""
    landed: asyncio.Event | None = None
    """Set for that task when nothing is in flight any more."""


class Publisher:
    """Sends states to the broker and ends their messages when it has confirmed them.

    With `newest_only`, of the states of a pillow that wait together only the newest is published.
    """

    def __init__(
        self,
        broker: StatePublisher,
        in_flight: InFlight,
        last_writes: LastWrites,
        reconciler: Reconciler,
        settlement: Settlement,
        tasks: Tasks,
        metrics: PollerMetrics,
        clock_ms: Callable[[], int],
        *,
        newest_only: bool,
    ) -> None:
        self._broker = broker
        self._in_flight = in_flight
        self._last_writes = last_writes
        self._reconciler = reconciler
        self._settlement = settlement
        self._tasks = tasks
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._newest_only = newest_only
        self._lanes: dict[str, _KeyQueue] = {}
        self._alone = asyncio.Lock()
        self._refusals: dict[str, str] = {}
        """Whose states the broker does not take, and why."""
        self._closed = False

    @property
    def state(self) -> str:
        """`ok`, or the broker's reason to refuse what it is sent."""
        return next((f"{pillow}: {why}" for pillow, why in self._refusals.items()), OK)

    def publish(self, batch: list[tuple[InFlightMessage, ParsedMessage]]) -> None:
        """Publish states, in whatever order they came, and end their messages."""
        touched: dict[str, _KeyQueue] = {}
        for item, reading in batch:
            lane = self._lanes.get(reading.pillow)
            if lane is None:
                lane = self._lanes[reading.pillow] = _KeyQueue(reading.pillow)
            lane.waiting.append(_Queued(item, reading))
            touched[reading.pillow] = lane
        for lane in touched.values():
            if not (lane.in_flight or lane.held):
                self._send_waiting(lane)

    def supersede(self, item: InFlightMessage, reading: ParsedMessage) -> bool:
        """End a message whose state, or a newer one, was published before; say whether it was."""
        if not self._last_writes.supersedes(self._stamped(_Queued(item, reading))):
            return False
        self._metrics.superseded.inc()
        self._settlement.complete(item)
        return True

    def close(self) -> None:
        """Take no confirmation any more: somebody else ends what is in hand."""
        self._closed = True

    def _send_waiting(self, lane: _KeyQueue) -> None:
        """Send what waits, if it can be sent at once; else have it looked after."""
        while lane.waiting and not lane.in_flight:
            lane.waiting.sort(key=_order)
            ready = list(takewhile(_may_go_beside_others, lane.waiting))
            if not (ready and self._broker.is_ready):
                self._hold(lane, 0.0)
                return
            # What stays behind is superseded when the newest is confirmed, and not before.
            behind = ready[:-1] if self._newest_only else []
            lane.waiting = behind + lane.waiting[len(ready) :]
            # Sent one after the other they arrive so: there is one connection.
            self._send(lane, ready[len(behind) :])
            if lane.again and not lane.in_flight:
                self._on_drained(lane)
                return
        if not (lane.waiting or lane.in_flight):
            self._lanes.pop(lane.pillow, None)
            self._refusals.pop(lane.pillow, None)  # nothing of it is here any more

    def _hold(self, lane: _KeyQueue, pause_s: float) -> None:
        lane.held = True
        self._tasks.start(self._look_after(lane, pause_s))

    async def _look_after(self, lane: _KeyQueue, pause_s: float) -> None:
        """Send what waits when there is a broker; one that is at its last send, alone."""
        await asyncio.sleep(pause_s)
        await self._broker.wait_ready()
        lane.waiting.sort(key=_order)
        if not _may_go_beside_others(lane.waiting[0]):
            async with self._alone:
                await self._broker.wait_ready()
                lane.landed = asyncio.Event()
                self._send(lane, [lane.waiting.pop(0)])
                if lane.in_flight:
                    await lane.landed.wait()
                lane.landed = None
        lane.held = False
        if lane.again:
            self._on_drained(lane)
        else:
            self._send_waiting(lane)

    def _send(self, lane: _KeyQueue, batch: list[_Queued]) -> None:
        for queued in batch:
            if queued.item.lost:
                self._settlement.drop(queued.item)
                continue
            update = self._stamped(queued)
            if self._last_writes.supersedes(update):
                self._metrics.superseded.inc()
                self._settlement.complete(queued.item)
                continue
            try:
                confirmed = self._broker.publish_state(update, queued.reading.traceparent)
            except BrokerLost:
                lane.again.append(queued)
            except PublishRefused as error:
                self._refused(lane, queued, str(error))
            else:
                lane.in_flight += 1
                confirmed.add_done_callback(partial(self._answered, lane, queued, update))

    def _answered(
        self, lane: _KeyQueue, queued: _Queued, update: Update, confirmed: asyncio.Future[None]
    ) -> None:
        if self._closed or confirmed.cancelled():
            return
        lane.in_flight -= 1
        error = confirmed.exception()
        if error is None:
            self._confirmed(lane, queued, update)
        elif isinstance(error, BrokerLost):
            queued.item.sends += 1
            if queued.item.sends < SENDS:
                lane.again.append(queued)
            else:
                self._settlement.abandon(queued.item)
        elif isinstance(error, PublishRefused):
            self._refused(lane, queued, str(error))
        else:
            self._tasks.fail(error)
            return
        if not lane.in_flight:
            self._on_drained(lane)

    def _confirmed(self, lane: _KeyQueue, queued: _Queued, update: Update) -> None:
        if self._refusals.pop(lane.pillow, None) is not None:
            log.info("the broker takes our states again", pillow=lane.pillow)
        self._in_flight.unblock(queued.item)
        self._metrics.published.inc()
        self._metrics.latency.observe(
            max(0.0, self._clock_ms() / 1e3 - queued.item.message.body.queued_us / 1e6)
        )
        # Only the last one counts: what was sent after the others has replaced them.
        lane.to_heal = self._last_writes.confirm(update)
        self._settlement.complete(queued.item)

    def _on_drained(self, lane: _KeyQueue) -> None:
        """Go on with a lane when nothing of it is in flight any more."""
        self._reconciler.heal(lane.to_heal)
        lane.to_heal = None
        if lane.landed is not None:
            lane.landed.set()
            return
        if lane.again:
            lane.waiting += lane.again
            lane.again = []
            self._hold(lane, REFUSED_S if lane.pillow in self._refusals else LOST_S)
        else:
            self._send_waiting(lane)

    def _stamped(self, queued: _Queued) -> Update:
        reading, published_ms = queued.reading, self._clock_ms()
        queued_ms = queued.item.message.body.queued_us // 1000
        payload = encode_state(
            reading,
            queued_ms=queued_ms,
            polled_ms=queued.item.polled_ms,
            published_ms=published_ms,
        )
        return Update(
            reading.pillow, reading.state, reading.order, payload, queued_ms, published_ms
        )

    def _refused(self, lane: _KeyQueue, queued: _Queued, why: str) -> None:
        if lane.pillow not in self._refusals:
            log.error(
                "the broker refuses our states; keeping them until it takes them",
                pillow=lane.pillow,
                why=why,
            )
        self._refusals[lane.pillow] = f"{why}; check its ACL and the user in MQTT_URL"
        if self._in_flight.mark_blocked(queued.item):
            lane.again.append(queued)
        else:
            self._settlement.abandon(queued.item, aside=True)
