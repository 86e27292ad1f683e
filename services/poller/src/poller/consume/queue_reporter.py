"""Publishes on MQTT how long the queue's oldest message has waited."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from contract.queue_report import QueueReport
from poller.consume.receive_gate import ReceiveGate
from poller.in_flight import InFlight
from poller.publish.state_publisher import StatePublisher
from poller.queue_age import QueueReportSchedule
from poller.settle.queue_health import UNUSED
from runtime.health import is_ok
from runtime.mqtt import BrokerLost, PublishRefused

log = structlog.get_logger()

CHECK_S: Final = 1.0
"""The time between two looks at the age, in seconds."""


class QueueReporter:
    """Publishes the age of the oldest message when the schedule has it due.

    A poller on standby receives no messages, and reports only whether the queue answers it.
    """

    def __init__(
        self,
        broker: StatePublisher,
        in_flight: InFlight,
        gate: ReceiveGate,
        queue_state: Callable[[], str],
    ) -> None:
        """`queue_state` returns the state of the queue for readiness."""
        self._broker = broker
        self._in_flight = in_flight
        self._gate = gate
        self._queue_state = queue_state
        self._schedule = QueueReportSchedule()
        self._connection = 0
        self._was_refused = False

    async def run(self) -> None:
        """Publish until cancelled, beginning when the queue was asked for the first time."""
        loop = asyncio.get_running_loop()
        while True:
            await self._broker.wait_ready()
            if self._connection != self._broker.connections:
                self._connection = self._broker.connections
                self._schedule.forget()
            if self._queue_state() != UNUSED:
                await self._publish_if_due(loop.time())
            await asyncio.sleep(CHECK_S)

    async def _publish_if_due(self, now_s: float) -> None:
        answers = is_ok(self._queue_state())
        report = QueueReport(0, answers)
        if not self._gate.is_standby:
            oldest_s = self._in_flight.oldest_s()
            report = self._in_flight.queue_age.report(now_s, oldest_s, answers=answers)
        if not self._schedule.is_due(report, now_s):
            return
        self._schedule.record(report, now_s)
        try:
            await self._broker.publish_queue_report(report)
        except BrokerLost:
            self._schedule.forget()
        except PublishRefused as error:
            if not self._was_refused:
                self._was_refused = True
                log.warning(
                    "the broker refuses to keep how old the queue is; webhooks cannot tell it",
                    error=str(error),
                )
