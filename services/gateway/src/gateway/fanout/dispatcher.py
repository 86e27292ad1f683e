"""Dispatcher: when a flush happens, and the writing of what the planner decided."""

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Final, Protocol

from contract.cursors import Cursor
from contract.frames import RECONNECT_MS, Status
from gateway.fanout.batching import AdaptiveLinger
from gateway.fanout.encoding import Encoding
from gateway.fanout.flush_planner import FlushPlanner
from gateway.fanout.raw_send import send_to_all
from gateway.fanout.subscriptions import Filter, Subscriber
from gateway.fanout.writes import Write
from gateway.metrics import GatewayMetrics
from gateway.state.state_store import Change, StateStore
from runtime.queue_aware_clock import Clock

SNAPSHOT_LINGER_S: Final = 0.002
"""How long a new subscriber waits for others, or one that wants other pillows, in seconds: they
share a snapshot, and a flush."""

CATCH_UP_S: Final = 0.0005
"""How long a flush goes on with subscribers that wait for a snapshot or a catch-up, in seconds: an
update waits as long for them as for a slice of what clients send. The first batch is served in any
case, and where updates wait for each other it is as long as they wait."""


class Tap(Protocol):
    """What an operator has watch a client; there is none unless somebody traces one."""

    def wrote(self, write: Write) -> None:
        """Note a write, before it happens."""

    def paused(self, subscriber: Subscriber, *, is_paused: bool) -> None:
        """Note that a subscriber is skipped, or not any more."""

    def left(self, subscriber: Subscriber) -> None:
        """Note that a subscriber is sent nothing any more."""


class Dispatcher:
    """Sends every change to the subscribers that want it, with the next flush."""

    def __init__(
        self,
        store: StateStore,
        metrics: GatewayMetrics,
        clock: Clock,
        on_first_or_last: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_first_or_last` is called when the first subscriber comes or the last one goes."""
        self._store = store
        self._planner = FlushPlanner(store)
        self._delivered = metrics.delivered
        self._send_times = metrics.send_times
        self._counters = {
            "snapshot": metrics.snapshots.labels("false"),
            "recovered": metrics.snapshots.labels("true"),
            "catch_up": metrics.conflated,
        }
        self._clock = clock
        self._on_first_or_last = on_first_or_last
        self._limited_s: Callable[[], float] = lambda: 0.0
        self._linger = AdaptiveLinger(time.monotonic(), self._cpu_s)
        self._scheduled: asyncio.Handle | None = None
        self._is_immediate = False  # the scheduled flush runs in the next turn of the event loop
        self.tap: Tap | None = None

    @property
    def status(self) -> Status:
        """The broker's status, as it was announced last."""
        return self._planner.status

    def ask_for_shown(self, share: float) -> None:
        """Ask a share of the clients that come from now on to report when they showed a state."""
        self._planner.shown_share = share

    def leave_out(self, limited_s: Callable[[], float]) -> None:
        """Leave work out of the load that makes updates wait for each other.

        `limited_s` returns how long this thread has done it until now, in seconds. It has a share
        of the time, and is done in slices.
        """
        self._limited_s = limited_s

    def subscriber_count(self) -> int:
        """Return how many subscribers there are."""
        return len(self._planner)

    def is_due(self) -> bool:
        """Return whether changes are sent in the next turn of the event loop."""
        return self._is_immediate and self._planner.has_changes

    def subscription_bytes(self, filter: Filter = None) -> int:
        """Return the memory of all filters, with that of one more subscriber with `filter`."""
        return self._planner.subscription_bytes(filter)

    def motion_bytes(self, subscriber: Subscriber, pillows: frozenset[str]) -> int:
        """Return `subscription_bytes` as it would be if a subscriber wanted this motion."""
        return self._planner.motion_bytes(subscriber, pillows)

    def snapshot_bytes(self, filter: frozenset[str] | None) -> int:
        """Return how large the states of a full snapshot are, in bytes."""
        if filter is None:
            return self._store.size_bytes
        states = map(self._store.state, self._store.known_of(filter))
        return sum(len(state) for state in states if state is not None)

    def subscribe(
        self,
        subscriber: Subscriber,
        filter: Filter,
        encoding: Encoding,
        resume_from: Cursor | None,
    ) -> None:
        """Send a subscriber a snapshot, and then every change of the pillows in its filter.

        The snapshot has what changed after `resume_from`, if the store covers that.
        """
        self._planner.subscribe(subscriber, filter, encoding, resume_from)
        if len(self._planner) == 1:
            self._on_first_or_last()
        self._schedule_flush(SNAPSHOT_LINGER_S)

    def change_filter(self, subscriber: Subscriber, filter: Filter) -> None:
        """Send a subscriber other pillows from now on, beginning with a full snapshot."""
        self._planner.change_filter(subscriber, filter)
        self._schedule_flush(SNAPSHOT_LINGER_S)

    def subscribe_motion(self, subscriber: Subscriber, pillows: frozenset[str]) -> None:
        """Send a subscriber the samples of these of its pillows from now on; nothing answers it."""
        self._planner.subscribe_motion(subscriber, pillows)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Send a subscriber nothing any more; without effect on one that is not subscribed."""
        self._planner.unsubscribe(subscriber)
        if self.tap is not None:
            self.tap.left(subscriber)
        if not len(self._planner):
            self._on_first_or_last()

    def pause(self, subscriber: Subscriber) -> None:
        """Skip a subscriber whose transport takes no more."""
        self._planner.pause(subscriber)
        if self.tap is not None:
            self.tap.paused(subscriber, is_paused=True)

    def resume(self, subscriber: Subscriber) -> None:
        """Send a subscriber what it missed while it was paused."""
        self._planner.resume(subscriber)
        if self.tap is not None:
            self.tap.paused(subscriber, is_paused=False)
        self._schedule_flush()

    def publish(self, change: Change) -> None:
        """Send a change to every subscriber that wants its pillow."""
        self._planner.publish(change)
        self._schedule_flush()

    def announce_broker(self, status: Status) -> None:
        """Send every subscriber the broker's status, after all changes until now."""
        self._write(self._planned())
        self._write(self._planner.announce_broker(status))
        self._go_on()

    def announce_restart(self) -> None:
        """Send every subscriber that is not paused all changes until now, and the goodbye."""
        self._write(self._planned())
        self._write(self._planner.announce_restart(RECONNECT_MS))
        self._write(self._planned())  # for those who wait for a snapshot or a catch-up

    def _schedule_flush(self, at_least_s: float = 0.0) -> None:
        """Flush in the next turn of the event loop, or after the linger.

        `at_least_s` is a wait that applies unless a flush is scheduled already.
        """
        if self._is_immediate or (at_least_s and self._scheduled is not None):
            return
        wait_s = 0.0 if self._planner.is_full else max(at_least_s, self._linger.linger_s)
        loop = asyncio.get_running_loop()
        if wait_s == 0:
            if self._scheduled is not None:
                self._scheduled.cancel()
            self._scheduled, self._is_immediate = loop.call_soon(self._flush), True
        elif self._scheduled is None:
            self._scheduled = loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._scheduled, self._is_immediate = None, False
        start_s = time.monotonic()
        self._write(self._planned())
        now_s = time.monotonic()
        self._linger.record_flush(now_s - start_s, now_s, self._cpu_s)
        if self._send_times.has_added:
            self._send_times.observe(self._clock.read().queue_ms)
        self._go_on()

    @property
    def _cpu_s(self) -> float:
        return time.thread_time() - self._limited_s()

    def _go_on(self) -> None:
        """Schedule the next pieces for subscribers that took all of the last ones."""
        if self._planner.is_due:
            self._schedule_flush()

    def _planned(self) -> Iterable[Write]:
        now = self._clock.read()
        # While updates wait for each other, flushes are few: then they wait for this as well.
        catch_up_s = max(CATCH_UP_S, self._linger.linger_s)
        return self._planner.flush(now.wall_ms, now.queue_offset_ms, _until_over(catch_up_s))

    def _write(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if self.tap is not None:
                self.tap.wrote(write)
            data, subscribers, descriptors, updates, kind, notify, closing = write
            taken = send_to_all(data, descriptors)
            # What the system did not take, and a snapshot or catch-up, goes through the transports.
            if taken.count(len(data)) != len(subscribers):
                for subscriber, size in zip(subscribers, chain(taken, repeat(0)), strict=False):
                    if size < len(data):
                        self._write_to(subscriber, memoryview(data)[size:] if size else data)
            if updates:
                self._delivered.inc(updates * len(subscribers))
            if kind in self._counters:
                self._counters[kind].inc(len(subscribers))
            if notify:
                for subscriber in subscribers:
                    subscriber.on_caught_up(closing=closing)

    def _write_to(self, subscriber: Subscriber, data: bytes | memoryview) -> None:
        try:
            subscriber.write(data)
        except RuntimeError:  # closed: `connection_lost` of its connection follows
            self.unsubscribe(subscriber)


def _until_over(length_s: float) -> Callable[[], bool]:
    """Return a function: whether a period is not over, which begins with its first call."""
    end_s: float | None = None

    def is_left() -> bool:
        nonlocal end_s
        now_s = time.monotonic()
        end_s = now_s + length_s if end_s is None else end_s
        return now_s < end_s

    return is_left
