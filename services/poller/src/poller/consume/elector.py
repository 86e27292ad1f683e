"""The election on MQTT: publishes the messages of `Election`, and reports its changes."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from contract.poller_roles import PollerRole, RoleMessage, decode_role, encode_role
from poller.consume.depth import DepthMonitor
from poller.consume.election import Election, Phase
from poller.consume.takeover_report import TakeoverReport
from poller.publish.state_publisher import StatePublisher
from runtime.health import OK, ok_but
from runtime.log_repeats import LogRepeats
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

BESIDE_S: Final = 15.0
"""For how long another poller publishes states beside this one until that is logged, in seconds:
the poller before it may still publish the states that it has in flight."""


class Elector:
    """Agrees with the other pollers of the queue which of them receives; a RoleListener.

    Where the broker refuses its messages, it receives as if it were alone.
    """

    def __init__(
        self,
        broker: StatePublisher,
        election: Election,
        depth: DepthMonitor,
        report: TakeoverReport,
        monotonic_s: Callable[[], float],
    ) -> None:
        """`monotonic_s` returns seconds of a clock that goes on while the machine sleeps."""
        self._broker = broker
        self._election = election
        self._depth = depth
        self._report = report
        self._monotonic_s = monotonic_s
        self._phase = Phase.OFFLINE
        """The last phase that was reported."""
        self._refusal = ""
        self._changed = asyncio.Event()
        self._repeats = LogRepeats()
        self._was_failing = False
        self._alone_s = -math.inf
        """When no other poller published states, or this one was not active."""

    @property
    def is_active(self) -> bool:
        """Whether this poller may receive now."""
        return bool(self._refusal) or self._election.is_active(self._monotonic_s())

    @property
    def is_standby(self) -> bool:
        """Whether another poller receives."""
        return self._election.phase is Phase.STANDBY and not self._refusal

    @property
    def state(self) -> str:
        """The state of the queue for readiness."""
        if self.is_standby:
            state = self._depth.state
            return ok_but(f"standby: {self._holder} receives") if state == OK else state
        if self._refusal and self._depth.health.state == OK:
            return ok_but(f"pollers do not coordinate: {self._refusal}")
        return self._depth.health.state

    async def wait_active(self) -> None:
        """Wait until this poller may receive."""
        while not self.is_active:
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Take part until cancelled; then another poller may be active at once."""
        try:
            while True:
                self._tick()
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._election.pause_s):
                        await self._changed.wait()
        finally:
            self._report.finish()
            self._publish(self._election.release())

    def on_connecting(self) -> None:
        """Receive nothing until the broker has sent which poller is active."""
        self._election.disconnect()

    def on_role(self, payload: bytes) -> None:
        """Handle a message of a poller of the queue; any other payload is ignored."""
        message = decode_role(payload)
        if message is not None:
            self._follow(self._election.receive(message, self._monotonic_s()))

    def on_ready(self) -> None:
        """Take part in the election, now that the broker has sent what it retains."""
        self._refusal = ""
        self._follow(self._election.ready(self._monotonic_s()))

    def on_lost(self) -> None:
        """Record that the connection was lost."""
        self._election.disconnect()

    @property
    def _holder(self) -> str:
        return self._election.known.poller if self._election.known is not None else "another poller"

    def _tick(self) -> None:
        is_active = self._election.phase is Phase.ACTIVE
        message = self._election.tick(
            self._monotonic_s(),
            works=self._depth.health.receives or not is_active,
            reaches_queue=self._depth.has_answered,
        )
        self._follow(message)
        if self._election.is_failing and not self._was_failing:
            self._depth.measure_now()
        self._was_failing = self._election.is_failing
        self._report.tick()
        self._notice_other(is_active=is_active)

    def _notice_other(self, *, is_active: bool) -> None:
        """Warn when another poller publishes states for BESIDE_S while this one is active."""
        now_s = self._monotonic_s()
        if not (is_active and self._broker.shares_queue):
            self._alone_s = now_s
            return
        if now_s - self._alone_s < BESIDE_S:
            return
        if self._repeats.due("beside") is not None:
            log.warning(
                "another poller publishes states too and does not stand by: it reads another "
                "queue, or has other settings or rights, and a pillow's states may be superseded",
            )

    def _follow(self, message: RoleMessage | None) -> None:
        """Publish a message, and report a change of the phase."""
        self._publish(message)
        phase = self._election.phase
        if phase is not self._phase and phase in (Phase.ACTIVE, Phase.STANDBY):
            self._phase = phase
            self._depth.stand_by(is_standby=phase is Phase.STANDBY)
            if phase is Phase.STANDBY:
                self._report.standby(self._holder)
            else:
                self._report.active(self._election.reason, self._holder)
        self._changed.set()

    def _publish(self, message: RoleMessage | None) -> None:
        if message is None:
            return
        retain = message.role is not PollerRole.STANDBY
        try:
            done = self._broker.publish_role(encode_role(message), retain=retain)
        except BrokerLost:
            return
        except PublishRefused as error:
            self._on_refused(error)
        else:
            done.add_done_callback(partial(self._on_done, message.role))

    def _on_done(self, role: PollerRole, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, PublishRefused):
            self._on_refused(error)
        elif error is None and role is PollerRole.ACTIVE:
            self._election.acknowledge(self._monotonic_s())
            self._changed.set()

    def _on_refused(self, error: PublishRefused) -> None:
        self._refusal = str(error)
        self._changed.set()
        if (repeats := self._repeats.due("refused")) is not None:
            log.warning(
                "the broker refuses what pollers say to each other, so that each receives by "
                "itself, and a pillow's states may be superseded",
                error=self._refusal,
                **repeats,
            )
