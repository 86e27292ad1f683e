"""The way out: what the fan-out decides is written, at the pace that the process can keep."""

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Final

from contract.cursors import Cursor
from contract.frames import RECONNECT_MS, Broker
from gateway.fanout.batching import Pace
from gateway.fanout.encoding import Form
from gateway.fanout.planner import Delivery, Fanout
from gateway.fanout.raw_send import send_to_all
from gateway.fanout.subscriptions import Interest, Listener
from gateway.metrics import GatewayMetrics
from gateway.state.state_store import Change, Hub

GATHER_S: Final = 0.002
"""How long a browser that came waits for others who come: they share a snapshot."""


class Broadcast:
    """Everyone who listens; a change that is published reaches them with the next flush.

    `clock` gives Unix milliseconds.
    """

    def __init__(self, hub: Hub, metrics: GatewayMetrics, clock: Callable[[], int]) -> None:
        self.fanout = Fanout(hub)
        self._delivered = metrics.delivered
        self._counters = {
            "snapshot": metrics.snapshots.labels("false"),
            "recovered": metrics.snapshots.labels("true"),
            "newest": metrics.conflated,
        }
        self._clock = clock
        self._pace = Pace(time.monotonic(), time.thread_time())
        self._asked: asyncio.Handle | None = None
        self._asked_soon = False

    @property
    def broker(self) -> Broker:
        """Whether the broker is there."""
        return self.fanout.broker

    def publish(self, change: Change) -> None:
        """Tell everyone who wants it of a change."""
        self.fanout.add(change)
        self._ask()

    def join(
        self, listener: Listener, interest: Interest, form: Form, since: Cursor | None
    ) -> None:
        """Begin to tell a browser, with a snapshot."""
        self.fanout.join(listener, interest, form, since)
        self._ask(GATHER_S)

    def leave(self, listener: Listener) -> None:
        """Tell a browser nothing any more."""
        self.fanout.leave(listener)

    def subscribe(self, listener: Listener, interest: Interest) -> None:
        """Tell a browser of other pillows from now on, with a snapshot."""
        self.fanout.subscribe(listener, interest)
        self._ask()

    def stall(self, listener: Listener) -> None:
        """Pass over a browser that does not read."""
        self.fanout.stall(listener)

    def drain(self, listener: Listener) -> None:
        """Tell a browser that reads again what it missed."""
        self.fanout.drain(listener)
        self._ask()

    def say_broker(self, broker: Broker) -> None:
        """Tell everyone whether the broker is there, after all that is known until now."""
        self._write(self.fanout.flush(self._clock()))
        self._write(self.fanout.say_broker(broker))

    def say_goodbye(self) -> None:
        """Ask everyone to come back after the restart, after all that is known until now."""
        self._write(self.fanout.flush(self._clock()))
        self._write(self.fanout.say_goodbye(RECONNECT_MS))

    def _ask(self, at_least_s: float = 0.0) -> None:
        """Have everything flushed: at once, or after the wait that the pace asks for."""
        if self._asked_soon or (at_least_s and self._asked is not None):
            return
        wait_s = 0.0 if self.fanout.is_full else max(at_least_s, self._pace.wait_s)
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
        self._write(self.fanout.flush(self._clock()))
        now_s = time.monotonic()
        self._pace.flushed(now_s - began_s, now_s, time.thread_time())

    def _write(self, deliveries: Iterable[Delivery]) -> None:
        for data, listeners, outlets, updates, kind, call_back, closing in deliveries:
            taken = send_to_all(data, outlets)
            # Behind what waits, and what was not taken, go the ways of their transports.
            if taken.count(len(data)) != len(listeners):
                for listener, size in zip(listeners, chain(taken, repeat(0)), strict=False):
                    if size < len(data):
                        self._write_to(listener, memoryview(data)[size:] if size else data)
            if updates:
                self._delivered.inc(updates * len(listeners))
            if kind in self._counters:
                self._counters[kind].inc(len(listeners))
            if call_back:
                for listener in listeners:
                    listener.caught_up(closing=closing)

    def _write_to(self, listener: Listener, data: bytes | memoryview) -> None:
        try:
            listener.write(data)
        except RuntimeError:  # closed underneath: its end is about to be told
            self.fanout.leave(listener)
