"""The pause between two polls. It ends early when somebody begins to look, or by a wake hint."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from typing import Any, Final

import structlog

from poller.consume.polling import (
    Found,
    PollPolicy,
    PollState,
    after_failure,
    after_poll,
    next_delay_s,
)
from poller.consume.viewers import MAX_GATEWAYS, Gateways, Viewers
from poller.metrics import PollerMetrics
from runtime.log_repeats import LogRepeats

log = structlog.get_logger()

WAKE_S: Final = 1.0
"""For how long the queue counts as watched after a wake hint, because a message may become visible
only after it. However many hints come, they cost no more than somebody who looks."""


class PollPacer:
    """Keeps the state of the polls and what gateways say; a GatewayListener."""

    def __init__(
        self,
        policy: PollPolicy,
        metrics: PollerMetrics,
        on_caught_up: Callable[[float], None] = lambda _began_s: None,
    ) -> None:
        """`on_caught_up` is called after a poll that emptied the queue, with its `began_s`."""
        self._on_caught_up = on_caught_up
        self._policy = policy
        self._metrics = metrics
        self._gateways = Gateways(time.monotonic)
        self._state = PollState(last_message_s=-math.inf)
        self._woken_s = -math.inf
        self._is_woken = False  # since the last poll began
        self._changed = asyncio.Event()
        self._repeats = LogRepeats()
        self._logged = Viewers.UNKNOWN
        metrics.watching.set_function(self._watching)
        metrics.gateways.set_function(self._gateways.__len__)
        metrics.gateways_limit.set(MAX_GATEWAYS)

    @property
    def viewers(self) -> Viewers:
        """Whether the queue counts as watched now."""
        is_recent = asyncio.get_running_loop().time() - self._woken_s < WAKE_S
        return Viewers.SOME if is_recent or self._is_woken else self._gateways.viewers

    def wake(self, source: str) -> None:
        """Poll at once, because a message may have been put on the queue."""
        self._metrics.wakes.labels(source).inc()
        self._woken_s = asyncio.get_running_loop().time()
        if not self._is_woken:  # else the pause ends soon anyway
            self._is_woken = True
            self._changed.set()

    def on_connecting(self) -> None:
        """Forget what gateways said on another connection to the broker."""
        self._gateways.forget()
        self._changed.set()

    def on_watching(self, instance: str, payload: bytes) -> None:
        """Note how many clients a gateway says that it has."""
        self._note(instance, is_kept=self._gateways.receive_watching(instance, payload))

    def on_gateway_status(self, instance: str, payload: bytes) -> None:
        """Note whether a gateway is there."""
        self._note(instance, is_kept=self._gateways.receive_status(instance, payload))

    def on_wake(self) -> None:
        """Poll at once, because somebody says on MQTT that a message was put on the queue."""
        self.wake("mqtt")

    def record_poll(self, found: Found, began_s: float) -> None:
        """Note what a poll found that began at a time of the event loop."""
        now_s = asyncio.get_running_loop().time()
        if found is not Found.FULL:
            self._on_caught_up(began_s)
        self._state = after_poll(
            self._state, self._policy, self.viewers, found, now_s, now_s - began_s
        )

    def record_failure(self, retry_after_s: float) -> None:
        """Note that a poll failed; `retry_after_s` is the least delay, in seconds."""
        self._state = after_failure(self._state, retry_after_s)

    async def pause(self, stopped: "asyncio.Future[Any]") -> None:
        """Wait until the next poll is due, or `stopped` is done.

        A wake hint that came during the last poll counts, because its message may have missed it.
        """
        loop = asyncio.get_running_loop()
        began_s, jitter = loop.time(), random.random()  # noqa: S311 - jitter
        has_changed = True
        while has_changed and not stopped.done():
            self._changed.clear()
            delay_s = next_delay_s(self._state, self._policy, self.viewers, jitter)
            has_changed = await self._wait_for_change(stopped, began_s + delay_s - loop.time())
        self._is_woken = False

    async def _wait_for_change(self, stopped: "asyncio.Future[Any]", timeout_s: float) -> bool:
        """Wait until something changes that the pause depends on; False when the time is over."""
        if timeout_s <= 0:
            return False
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait(
                (stopped, changed), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            return changed.done()
        finally:
            changed.cancel()

    def _note(self, instance: str, *, is_kept: bool) -> None:
        """Log what came of a gateway's message, and poll at once if the policy says so now."""
        if not is_kept:
            self._metrics.ignored_gateways.inc()
            if (repeats := self._repeats.due("gateways")) is not None:
                log.warning(
                    "more gateways than can be remembered; what further ones say is only counted",
                    instance=instance,
                    limit=len(self._gateways),
                    **repeats,
                )
            return
        if self._logged is not self._gateways.viewers:
            self._logged = self._gateways.viewers
            log.debug("viewers changed", viewers=self._logged, clients=self._gateways.clients)
        self._changed.set()

    def _watching(self) -> float:
        is_known = self._gateways.viewers is not Viewers.UNKNOWN
        return self._gateways.clients if is_known else math.nan
