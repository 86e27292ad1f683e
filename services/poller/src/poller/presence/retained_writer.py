"""Writes retained values beside the states: the newest of each topic, a few at a time."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from prometheus_client import Counter

from runtime.log_repeats import LogRepeats
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

MAX_IN_FLIGHT: Final = 64
"""How many values are sent before the broker has confirmed one, so that states have room."""


class RetainedWriter:
    """Writes values; what is lost with a connection is not repeated, because its owner compares.

    Memory is bounded by the number of keys. After a refusal nothing is sent on that connection,
    because the ACL lacks the topic. `what` names the values in the log, and `written` counts those
    that the broker confirmed.
    """

    def __init__(
        self,
        send: Callable[[str, bytes], "asyncio.Future[None]"],
        what: str,
        advice: str,
        written: Counter,
    ) -> None:
        self._send = send
        self._what = what
        self._advice = advice
        self._waiting: dict[str, bytes] = {}
        self._in_flight = 0
        self._last_sent: dict[str, tuple[bytes, asyncio.Future[None]]] = {}
        """The last value of each key that is in flight."""
        self._is_refused = False
        self._repeats = LogRepeats()
        self._written = written

    def pending(self, key: str) -> bytes | None:
        """Return the value that is being written to a key; None if there is none."""
        value = self._waiting.get(key)
        if value is None and key in self._last_sent:
            value = self._last_sent[key][0]
        return value

    def write(self, key: str, value: bytes) -> None:
        """Write a value soon, in place of one that waits."""
        if not self._is_refused:
            self._waiting[key] = value
            self._send_waiting()

    def begin_connection(self) -> None:
        """Forget what was to be written on another connection."""
        self._waiting.clear()
        self._last_sent.clear()
        self._is_refused = False

    def _send_waiting(self) -> None:
        """Send what waits, in order; a connection keeps it, so the last value of a key wins."""
        while self._waiting and self._in_flight < MAX_IN_FLIGHT:
            key = next(iter(self._waiting))
            value = self._waiting.pop(key)
            try:
                sent = self._send(key, value)
            except BrokerLost:
                self._waiting.clear()
                return
            except PublishRefused as error:
                self._on_refused(error)
                return
            self._in_flight += 1
            self._last_sent[key] = (value, sent)
            sent.add_done_callback(partial(self._on_done, key))

    def _on_done(self, key: str, done: "asyncio.Future[None]") -> None:
        self._in_flight -= 1
        last = self._last_sent.get(key)
        if last is not None and last[1] is done:
            del self._last_sent[key]
        error = None if done.cancelled() else done.exception()
        if isinstance(error, PublishRefused):
            self._on_refused(error)
        elif error is None:
            self._written.inc()
        self._send_waiting()

    def _on_refused(self, error: PublishRefused) -> None:
        self._is_refused = True
        self._waiting.clear()
        if (repeats := self._repeats.due("refused")) is not None:
            log.warning(
                "the broker refuses a value; no more of these are written on this connection",
                what=self._what,
                error=str(error),
                advice=self._advice,
                **repeats,
            )
