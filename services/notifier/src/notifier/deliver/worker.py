"""Delivers to one destination: one event after the other, each until it is settled.

Each destination has a worker of its own, so that a slow one delays no other.
"""

import asyncio
import random
import time
from typing import Any, Final, Protocol

import structlog

from notifier.deliver.formats import encode_body
from notifier.deliver.retry_policy import Answer, Standing, Verdict, is_refusal, judge
from notifier.deliver.signature import webhook_headers
from notifier.metrics import RESULTS, NotifierMetrics
from notifier.outbox.delivery import Delivery
from notifier.outbox.outbox import Outbox
from notifier.rules.schema import Destination
from runtime.clocks import monotonic_s
from runtime.outage import Outage, Report

log = structlog.get_logger()

GONE: Final = "the destination answered 410 Gone, so nothing more is sent to it"


class Sender(Protocol):
    """Posts to a destination; see HttpSender."""

    async def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Post a body; returns how it ended."""


class Worker:
    """Sends what waits for a destination, in order."""

    def __init__(
        self, destination: Destination, sender: Sender, outbox: Outbox, metrics: NotifierMetrics
    ) -> None:
        self._destination = destination
        self._sender = sender
        self._outbox = outbox
        self._metrics = metrics
        self._outage = Outage()
        self._error: str | None = None
        self._is_gone = False
        self._stopping = asyncio.Event()

    @property
    def limitation(self) -> str | None:
        """Why nothing is delivered now, and how much waits, for readiness; None if all is well."""
        if self._is_gone:
            return f"{self._destination.name}: {GONE}"
        if self._error is None:
            return None
        waiting = self._outbox.waiting(self._destination.name)
        return f"{self._destination.name}: {self._error}; {waiting} waiting"

    def stop(self) -> None:
        """End `run` as soon as no request is under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Deliver until `stop`."""
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            while not stopping.done():
                await self._deliver_next(stopping)
        finally:
            stopping.cancel()

    async def _deliver_next(self, stopping: "asyncio.Future[Any]") -> None:
        waiting = asyncio.ensure_future(self._outbox.next(self._destination.name))
        try:
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                return
            delivery = waiting.result()
        finally:
            waiting.cancel()
        if self._is_gone and not delivery.is_retried:
            self._outbox.bury(delivery, GONE)
            return
        answer = await self._attempt(delivery)
        verdict = self._judge(delivery, answer)
        self._record(answer, verdict)
        if verdict.kind == "delivered":
            self._outbox.complete(delivery)
        elif verdict.kind == "retry":
            self._outbox.record_attempt(delivery)
            await asyncio.wait((stopping,), timeout=verdict.after_s)
        else:
            self._outbox.bury(delivery, answer.error)

    async def _attempt(self, delivery: Delivery) -> Answer:
        delivery.attempts += 1
        return await send(self._sender, self._destination, delivery)

    def _judge(self, delivery: Delivery, answer: Answer) -> Verdict:
        delivery.refusals += is_refusal(answer)
        left_s = self._destination.give_up_after_s - delivery.waited_s(monotonic_s())
        return judge(
            answer,
            Standing(delivery.attempts, delivery.refusals, left_s),
            retry_max_s=self._destination.retry_max_s,
            jitter=random.random(),  # noqa: S311 - jitter
        )

    def _record(self, answer: Answer, verdict: Verdict) -> None:
        name, now_s = self._destination.name, monotonic_s()
        self._metrics.attempts.labels(name, _result(answer)).inc()
        self._is_gone = verdict.kind == "gone"
        if verdict.kind == "delivered":
            self._error = None
            if not self._outage.is_over:
                self._outage.end(now_s)
                log.info(
                    "events are delivered again",
                    destination=name,
                    after_s=round(self._outage.lasted_s(now_s), 1),
                    failures=self._outage.failures,
                )
            return
        self._error = answer.error
        report = self._outage.record_failure(now_s)
        if report is not Report.NOTHING:
            log.warning(
                "an event cannot be delivered now"
                if report is Report.FAILED
                else "events still cannot be delivered",
                destination=name,
                host=self._destination.host,
                error=answer.error,
                then=_outlook(verdict),
                failures=self._outage.failures,
            )


async def send(sender: Sender, destination: Destination, delivery: Delivery) -> Answer:
    """Send a delivery once; a receiver knows a repetition by the id, which stays the same."""
    body = encode_body(delivery.event, destination.format)
    headers = webhook_headers(delivery.event.id, int(time.time()), body.content, destination.keys)
    return await sender.post(body.content, {**body.headers, **headers})


def _result(answer: Answer) -> str:
    result = "error" if answer.status is None else f"{answer.status // 100}xx"
    return result if result in RESULTS else "other"


def _outlook(verdict: Verdict) -> str:
    if verdict.kind == "retry":
        return f"tried again in {verdict.after_s:.1f} s; later events wait behind it"
    return "it becomes a dead letter" + (
        ", and so do all others: 410 ends it" if verdict.kind == "gone" else ""
    )
