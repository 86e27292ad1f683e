"""The worker: receives, publishes, and deletes only what has been confirmed.

Messages of different pillows go side by side, those of one pillow in the order of their states.
A message leaves the worker in one of four ways, and each is counted:
published (the broker confirmed), superseded (a newer state was confirmed before), dead-lettered
(the poison queue confirmed), or given back, to come again.
"""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

import structlog

from contract.dead_letters import DeadLetter, encode_dead_letter
from contract.instants import format_instant
from contract.messages import Reading, Rejection
from contract.updates import Update, encode_state
from poller.broker import Broker
from poller.metrics import PollerMetrics
from poller.newest import Newest
from poller.polling import (
    DENIED_S,
    FAILING,
    Pace,
    Policy,
    after_failure,
    after_messages,
    after_nothing,
    pause,
)
from poller.queues import Finish, Queue, QueueDenied, QueueUnavailable, Received
from poller.routing import route
from runtime.health import OK
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

PAGE: Final = 32
"""The most messages that Azure hands out at once."""

WINDOW: Final = 256
"""How many messages may be in hand: enough to keep the broker and 32 deletions busy."""

DELETIONS: Final = 32
"""How many deletions may be under way: 2,000 a second at 10 ms each need 20."""

SENDS: Final = 3
"""How often a publish may end in a lost connection before its message is given back.

Else a message that makes the broker hang up would be sent for ever; given back, it becomes a dead
letter after its last attempt. While there is no connection nothing is sent, and nothing counts.
The last send is alone: what was in flight beside a message like that must not end as it does.
"""

LOST_S: Final = 0.1
"""The pause after a send that was lost: a connection may call itself ready for a moment longer."""

UNSAVED_MS: Final = 60_000
"""How old a state may be that a broker forgot when it died: mosquitto saves twice a minute."""

REFUSED_S: Final = 5.0
ANNOUNCE_S: Final = 5.0

# Together below the deadline for a stop (runtime/lifecycle.py).
LAST_PAGE_S: Final = 1.0
DRAIN_S: Final = 6.0
RELEASE_S: Final = 2.0


@dataclass(slots=True, eq=False)
class Item:
    """A message in hand.

    `lost` says that somebody else has received it meanwhile, `decided` that how it ended has been
    counted and only its deletion is left, `settling` that it is being deleted or given back.
    `troubles` are the acts on the queue that it still waits for.
    """

    message: Received
    polled_ms: int
    sends: int = 0
    lost: bool = False
    decided: bool = False
    settling: bool = False
    troubles: set[str] = field(default_factory=set)
    receipt: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by who uses the receipt: a renewal makes it worthless for a deletion beside it."""


@dataclass(slots=True, eq=False)
class _Queued:
    item: Item
    reading: Reading


class Worker:
    """Carries messages from a queue to a broker."""

    def __init__(
        self,
        queue: Queue,
        broker: Broker,
        metrics: PollerMetrics,
        policy: Policy,
        *,
        default_pillow: str,
        max_attempts: int,
        visibility_s: float,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._queue = queue
        self._broker = broker
        self._metrics = metrics
        self._policy = policy
        self._default_pillow = default_pillow
        self._max_attempts = max_attempts
        self._visibility_s = visibility_s
        self._clock_ms = clock_ms

        self._newest = Newest()
        self._in_hand: dict[str, Item] = {}
        self._lanes: dict[str, deque[_Queued]] = {}
        self._healing: dict[str, bool] = {}
        """Whose newest state is being published again, and whether once more after that."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._left = asyncio.Event()
        self._deletions = asyncio.Semaphore(DELETIONS)
        self._last_send = asyncio.Lock()
        self._lost_ms = 0
        self._singles = 0
        self._refusal: str | None = None
        self._asked_queue = False
        self._troubles: dict[str, str] = {}
        metrics.in_hand.set_function(lambda: len(self._in_hand))

    @property
    def queue_state(self) -> str:
        """`ok`, or what the queue did not do and why."""
        if not self._asked_queue:
            return "not asked yet"
        return next((f"{act}: {why}" for act, why in self._troubles.items()), OK)

    @property
    def broker_state(self) -> str:
        """`ok`, or the broker's reason to refuse what it is sent."""
        return self._refusal or OK

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then finish or give back what is in hand."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                renewing = group.create_task(self._renew())
                await self._receive(stopping)
                await self._drain()
                renewing.cancel()
                await self._let_go()
        finally:
            self._group = None

    # What the broker tells

    def see(self, update: Update) -> None:
        """Take in a state that the broker sent."""
        self._heal(self._newest.see(update))

    def see_removed(self, pillow: str) -> None:
        """Take in that a pillow was removed from the broker."""
        self._newest.forget(pillow)

    def broker_ready(self) -> None:
        """Take in that the broker has told all it retains."""
        self._metrics.broker_up.set(1)
        for update in tuple(self._newest.missing(self._lost_ms - UNSAVED_MS)):
            self._heal(update)

    def broker_lost(self) -> None:
        """Take in that the broker is gone."""
        self._metrics.broker_up.set(0)
        self._lost_ms = self._clock_ms()
        self._newest.lose_broker()

    # Receiving

    async def _receive(self, stopping: asyncio.Event) -> None:
        asked = asyncio.ensure_future(stopping.wait())
        pace = Pace(last_message_s=-self._policy.hot_s)
        now = asyncio.get_running_loop().time
        try:
            while not stopping.is_set():
                # Without a broker nothing could be published: leave the leases to others.
                await _first(asked, self._broker.wait_ready())
                await _first(asked, self._room())
                if stopping.is_set():
                    return
                try:
                    limit = 1 if self._singles else PAGE
                    page = await self._page(asked, min(limit, WINDOW - len(self._in_hand)))
                except TimeoutError:
                    return
                except QueueUnavailable as error:
                    self._failed("receive", error)
                    pace = after_failure(pace)
                    # It may be one message that the queue cannot hand out (Azurite, and a control
                    # character): one by one, it takes no others with it.
                    self._singles = PAGE
                except QueueDenied as error:
                    self._failed("receive", error)
                    pace = after_failure(pace)
                    await _first(asked, asyncio.sleep(DENIED_S))
                else:
                    self._worked("receive")
                    found = "full" if len(page) == PAGE else "some" if page else "nothing"
                    self._metrics.polls.labels(found).inc()
                    self._singles = max(0, self._singles - len(page))
                    self._take(page)
                    pace = (
                        after_messages(pace, now())
                        if page
                        else after_nothing(pace, self._policy, now())
                    )
                delay_s = pause(pace, self._policy, random.random())  # noqa: S311 - jitter
                if delay_s:
                    await _first(asked, asyncio.sleep(delay_s))
        finally:
            asked.cancel()

    async def _page(self, asked: "asyncio.Future[Any]", limit: int) -> list[Received]:
        """Receive a page; once `asked` is done, raises TimeoutError if that takes long.

        What the queue then hands out to nobody becomes visible again when its lease ends.
        """
        page = asyncio.ensure_future(self._queue.receive(limit))
        try:
            await asyncio.wait((asked, page), return_when=asyncio.FIRST_COMPLETED)
            async with asyncio.timeout(LAST_PAGE_S):
                return await page
        finally:
            page.cancel()

    async def _room(self) -> None:
        while len(self._in_hand) >= WINDOW:
            self._left.clear()
            await self._left.wait()

    def _take(self, page: list[Received]) -> None:
        polled_ms = self._clock_ms()
        self._metrics.received.inc(len(page))
        for message in page:
            mine = self._in_hand.get(message.id)
            if mine is not None:
                # It outlived its lease in our hand; the new receipt is the one that deletes.
                mine.message.receipt = message.receipt
                mine.message.leased_until = message.leased_until
                mine.lost = False
                self._metrics.retried.inc()
                continue
            item = self._in_hand[message.id] = Item(message, polled_ms)
            decision = route(
                message.body,
                default_pillow=self._default_pillow,
                max_attempts=self._max_attempts,
            )
            if isinstance(decision, Rejection):
                self._spawn(self._bury(item, decision))
                continue
            lane = self._lanes.get(decision.pillow)
            if lane is not None:
                lane.append(_Queued(item, decision))
            else:
                self._lanes[decision.pillow] = deque([_Queued(item, decision)])
                self._spawn(self._lane(decision.pillow))

    def _failed(self, act: str, error: QueueUnavailable | QueueDenied) -> None:
        kind = "denied" if isinstance(error, QueueDenied) else "unavailable"
        self._metrics.failures.labels(act, kind).inc()
        self._asked_queue = True
        if act not in self._troubles:
            log.warning("the queue does not work; trying until it does", act=act, why=str(error))
            self._metrics.queue_up.set(0)
        self._troubles[act] = str(error)

    def _worked(self, act: str) -> None:
        first, self._asked_queue = not self._asked_queue, True
        if self._troubles.pop(act, None) is not None or first:
            log.info("queue ready", act=act)
        if not self._troubles:
            self._metrics.queue_up.set(1)

    # Publishing

    async def _lane(self, pillow: str) -> None:
        """Publish one pillow's messages in the order of their states, until none waits."""
        lane = self._lanes[pillow]
        try:
            while lane:
                batch = sorted(lane, key=lambda queued: queued.reading.order)
                lane.clear()
                while batch:
                    await self._broker.wait_ready()
                    batch = await self._publish(batch)
        finally:
            del self._lanes[pillow]

    async def _publish(self, batch: list[_Queued]) -> list[_Queued]:
        """Publish of a batch what can go together; returns what has yet to be published."""
        together = list(takewhile(lambda queued: queued.item.sends < SENDS - 1, batch))
        if together:
            again, rest = await self._send(together), batch[len(together) :]
        else:
            async with self._last_send:
                await self._broker.wait_ready()
                again, rest = await self._send(batch[:1]), batch[1:]
        if again:
            await asyncio.sleep(LOST_S if self._refusal is None else REFUSED_S)
        return sorted(again + rest, key=lambda queued: queued.reading.order)

    async def _send(self, batch: list[_Queued]) -> list[_Queued]:
        """Send messages in their order and see how each ends; returns those to send again."""
        again: list[_Queued] = []
        to_heal: Update | None = None
        sent: list[tuple[_Queued, Update, asyncio.Future[None]]] = []
        for queued in batch:
            if queued.item.lost:
                self._give_up(queued.item)
                continue
            update = self._stamped(queued)
            if self._newest.supersedes(update):
                self._metrics.superseded.inc()
                self._finish(queued.item)
                continue
            try:
                confirmed = self._broker.publish_state(update, queued.reading.traceparent)
            except BrokerLost:
                again.append(queued)
            else:
                sent.append((queued, update, confirmed))
        for queued, update, confirmed in sent:
            try:
                await confirmed
            except BrokerLost:
                queued.item.sends += 1
                if queued.item.sends < SENDS:
                    again.append(queued)
                else:
                    self._spawn(self._give_back(queued.item))
            except PublishRefused as error:
                self._refused(str(error))
                again.append(queued)
            else:
                self._accepted()
                self._metrics.published.inc()
                self._metrics.latency.observe(
                    max(0.0, self._clock_ms() / 1e3 - queued.item.message.body.queued_us / 1e6)
                )
                # Only the last one counts: what was sent after the others has replaced them.
                to_heal = self._newest.confirm(update)
                self._finish(queued.item)
        self._heal(to_heal)
        return again

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

    def _refused(self, why: str) -> None:
        if self._refusal is None:
            log.error("the broker refuses our states; keeping them until it takes them", why=why)
        self._refusal = f"{why}; check its ACL and the user in MQTT_URL"

    def _accepted(self) -> None:
        if self._refusal is not None:
            log.info("the broker takes our states again")
            self._refusal = None

    def _heal(self, update: Update | None) -> None:
        if update is None:
            return
        under_way = update.pillow in self._healing
        self._healing[update.pillow] = True
        if not under_way:
            self._spawn(self._publish_newest(update.pillow))

    async def _publish_newest(self, pillow: str) -> None:
        """Publish a pillow's newest state again, until there is nothing to heal."""
        try:
            while self._healing[pillow] and (newest := self._newest.of(pillow)) is not None:
                self._healing[pillow] = False
                await self._broker.publish_state(newest, None)
                self._metrics.healed.inc()
                if self._newest.confirm(newest) is not None:
                    self._healing[pillow] = True
        except (BrokerLost, PublishRefused):
            pass  # the broker is gone; all of it is looked at again when it is back
        finally:
            del self._healing[pillow]

    # Ending

    async def _bury(self, item: Item, rejection: Rejection) -> None:
        """Copy a message to the poison queue, say so, and only then delete it."""
        message = item.message
        letters: list[str | None] = []

        async def keep() -> None:
            letters.append(await self._queue.put_poison(message))

        if not await self._insist(item, "keep a dead letter", keep):
            self._give_up(item)
            return
        item.decided = True
        self._metrics.dead_lettered.labels(rejection.reason).inc()
        log.warning(
            "dead letter: kept in the poison queue",
            message=message.id,
            # The id by which `poller dead-letters` knows it; the queue does not keep the rest.
            letter=letters[0],
            reason=str(rejection.reason),
            detail=rejection.detail,
            attempts=message.body.attempts,
        )
        letter = DeadLetter(
            message.id,
            rejection.reason,
            rejection.detail,
            message.body.attempts,
            format_instant(message.body.queued_us),
            message.body.text,
        )
        try:
            async with asyncio.timeout(ANNOUNCE_S):
                await self._broker.wait_ready()
                await self._broker.announce(encode_dead_letter(letter))
        except (BrokerLost, PublishRefused, TimeoutError) as error:
            log.warning("dead letter not announced on MQTT", message=message.id, why=str(error))
        self._finish(item)

    def _finish(self, item: Item) -> None:
        item.decided = item.settling = True
        self._spawn(self._delete(item))

    async def _delete(self, item: Item) -> None:
        outcomes: list[Finish] = []

        async def delete() -> None:
            outcomes.append(await self._queue.delete(item.message))

        async with item.receipt, self._deletions:
            done = await self._insist(item, "delete", delete)
        # Where it could not be deleted it comes again, and is found to be superseded.
        self._metrics.deleted.labels(outcomes[0].value if done else "failed").inc()
        self._leave(item)

    async def _insist(
        self, item: Item, act: str, do: Callable[[], Coroutine[Any, Any, None]]
    ) -> bool:
        """Do something on the queue until it works; False when the lease is over before."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            try:
                await do()
            except (QueueUnavailable, QueueDenied) as error:
                self._failed(act, error)
                item.troubles.add(act)
                if item.lost or loop.time() > item.message.leased_until:
                    return False
                await asyncio.sleep(FAILING.delay(attempt, random.random()))  # noqa: S311
                attempt += 1
            else:
                item.troubles.discard(act)
                self._worked(act)
                return True

    async def _give_back(self, item: Item) -> None:
        item.settling = True
        try:
            async with item.receipt:
                await self._queue.release(item.message)
        except (QueueUnavailable, QueueDenied):
            pass  # then it comes again when its lease ends
        finally:
            self._give_up(item)

    def _give_up(self, item: Item) -> None:
        """Let go of a message that comes again by itself."""
        self._metrics.retried.inc()
        self._leave(item)

    def _leave(self, item: Item) -> None:
        self._in_hand.pop(item.message.id, None)
        self._left.set()
        for act in item.troubles:
            if not any(act in other.troubles for other in self._in_hand.values()):
                self._worked(act)  # or nothing waits for it any more, which is as good

    async def _renew(self) -> None:
        """Renew leases at half time, for as long as messages are in hand."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._visibility_s / 8)
            soon = loop.time() + self._visibility_s / 2
            due = [
                item
                for item in self._in_hand.values()
                if item.message.leased_until < soon and not (item.settling or item.lost)
            ]
            for start in range(0, len(due), DELETIONS):
                await asyncio.gather(*map(self._renew_one, due[start : start + DELETIONS]))

    async def _renew_one(self, item: Item) -> None:
        async with item.receipt:
            if item.settling:
                return
            try:
                renewed = await self._queue.renew(item.message)
            except (QueueUnavailable, QueueDenied) as error:
                self._failed("renew", error)
                item.troubles.add("renew")
                return
        item.troubles.discard("renew")
        self._worked("renew")
        self._metrics.renewed.labels("renewed" if renewed else "lost").inc()
        item.lost = not renewed

    async def _drain(self) -> None:
        """Finish what is in hand, unless that takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while self._in_hand:
                    self._left.clear()
                    await self._left.wait()

    async def _let_go(self) -> None:
        """Give back what is still in hand; what was published or buried is deleted instead."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        left = tuple(self._in_hand.values())
        if not left:
            return
        log.warning("giving back what could not be finished", messages=len(left))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_S):
                await asyncio.gather(
                    *(
                        self._delete_once(item) if item.decided else self._give_back(item)
                        for item in left
                    )
                )

    async def _delete_once(self, item: Item) -> None:
        outcome = "failed"
        try:
            outcome = (await self._queue.delete(item.message)).value
        except (QueueUnavailable, QueueDenied):
            pass  # it comes again, and is found to be superseded, or is buried twice
        finally:
            self._metrics.deleted.labels(outcome).inc()
            self._leave(item)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _first(asked: "asyncio.Future[Any]", waiting: Coroutine[Any, Any, Any]) -> None:
    """Wait for `waiting`, or until `asked` is done."""
    task = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait((asked, task), return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
