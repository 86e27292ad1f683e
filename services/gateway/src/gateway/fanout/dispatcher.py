"""The way out: what the fan-out decides is written, at the pace that the process can keep."""

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Final

from contract.cursors import Cursor
from contract.frames import RECONNECT_MS, Broker
from gateway.fanout.batching import AdaptiveLinger
from gateway.fanout.encoding import Encoding
from gateway.fanout.planner import Planner, Write
from gateway.fanout.raw_send import send_to_all
from gateway.fanout.subscriptions import Filter, Subscriber
from gateway.metrics import GatewayMetrics
from gateway.state.state_store import Change, StateStore

SNAPSHOT_LINGER_S: Final = 0.002
"""How long a browser that came waits for others who come: they share a snapshot."""


class Dispatcher:
    """Everyone who listens; a change that is published reaches them with the next flush.

    `clock` gives Unix milliseconds.
    """

    def __init__(
        self, store: StateStore, metrics: GatewayMetrics, clock: Callable[[], int]
    ) -> None:
        self.planner = Planner(store)
        self._delivered = metrics.delivered
        self._counters = {
            "snapshot": metrics.snapshots.labels("false"),
            "recovered": metrics.snapshots.labels("true"),
            "catch_up": metrics.conflated,
        }
        self._clock = clock
        self._linger = AdaptiveLinger(time.monotonic(), time.thread_time())
        self._asked: asyncio.Handle | None = None
        self._asked_soon = False

    @property
    def broker(self) -> Broker:
        """Whether the broker is there."""
        return self.planner.broker

    @property
    def subscriber_count(self) -> int:
        """How many subscribers there are."""
        return len(self.planner)

    def publish(self, change: Change) -> None:
        """Tell everyone who wants it of a change."""
        self.planner.add(change)
        self._ask()

    def subscribe(
        self, subscriber: Subscriber, filter: Filter, encoding: Encoding, resume_from: Cursor | None
    ) -> None:
        """Begin to tell a browser, with a snapshot."""
        self.planner.subscribe(subscriber, filter, encoding, resume_from)
        self._ask(SNAPSHOT_LINGER_S)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Tell a browser nothing any more."""
        self.planner.unsubscribe(subscriber)

    def change_filter(self, subscriber: Subscriber, filter: Filter) -> None:
        """Tell a browser of other pillows from now on, with a snapshot."""
        self.planner.change_filter(subscriber, filter)
        self._ask()

    def pause(self, subscriber: Subscriber) -> None:
        """Pass over a browser that does not read."""
        self.planner.pause(subscriber)

    def resume(self, subscriber: Subscriber) -> None:
        """Tell a browser that reads again what it missed."""
        self.planner.resume(subscriber)
        self._ask()

    def announce_broker(self, broker: Broker) -> None:
        """Tell everyone whether the broker is there, after all that is known until now."""
        self._write(self.planner.flush(self._clock()))
        self._write(self.planner.announce_broker(broker))

    def announce_restart(self) -> None:
        """Ask everyone to come back after the restart, after all that is known until now."""
        self._write(self.planner.flush(self._clock()))
        self._write(self.planner.announce_restart(RECONNECT_MS))

    def _ask(self, at_least_s: float = 0.0) -> None:
        """Have everything flushed: at once, or after the wait that the pace asks for."""
        if self._asked_soon or (at_least_s and self._asked is not None):
            return
        wait_s = 0.0 if self.planner.is_full else max(at_least_s, self._linger.wait_s)
        loop = asyncio.get_running_loop()
        if wait_s == 0:
            if self._asked is not None:
                self._asked.cancel()
            self._asked, self._asked_soon = loop.call_soon(self._flush), True
        elif self._asked is None:
            self._asked = loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._asked, self._asked_soon = None, False
        began_s = time.monotonic()
        self._write(self.planner.flush(self._clock()))
        now_s = time.monotonic()
        self._linger.flushed(now_s - began_s, now_s, time.thread_time())

    def _write(self, writes: Iterable[Write]) -> None:
        for data, subscribers, raw_sockets, updates, kind, notify, closing in writes:
            taken = send_to_all(data, raw_sockets)
            # Behind what waits, and what was not taken, go the ways of their transports.
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
        except RuntimeError:  # closed underneath: its end is about to be told
            self.planner.unsubscribe(subscriber)
