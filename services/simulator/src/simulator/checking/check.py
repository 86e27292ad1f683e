"""A check: runs a scenario against the live system and evaluates its expectations."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from simulator.checking.assertions import (
    DEFAULT_EXPECTATIONS,
    AssertionResult,
    evaluate,
    observed_pillows,
)
from simulator.checking.observations import Observations
from simulator.checking.observer import Observer
from simulator.checking.queue_watch import QueueWatch, wait_until_empty
from simulator.dashboard import Dashboard
from simulator.runner import Runner, RunOptions
from simulator.scenario.plan import Plan
from simulator.settings import SimulatorSettings, TargetName
from simulator.targets.azure_queue import queue_view

QUIET_S: Final = 1.5
"""Everything is taken to have arrived when nothing was received for this long."""

NO_ANSWER_S: Final = 3.0
"""A queue service that gives no answer for this long is named as the reason."""

_POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The results of a check; `hints` are sentences that may explain a failure."""

    assertions: list[AssertionResult]
    hints: list[str]
    dashboard: Dashboard

    @property
    def holds(self) -> bool:
        """Whether every expectation holds."""
        return all(assertion.holds for assertion in self.assertions)


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How a check is run.

    Messages may take `grace_s` seconds to arrive after the scenario's end. With `keep` the pillows
    are not removed from the broker; with `live` the dashboard is shown.
    """

    grace_s: float = 20.0
    keep: bool = False
    live: bool = False


async def check(
    plan: Plan,
    settings: SimulatorSettings,
    target: TargetName,
    options: CheckOptions,
    stopping: asyncio.Event,
) -> CheckResult:
    """Run the plan and evaluate its expectations; raises SettingsError without a live system."""
    seen = Observations(observed_pillows(plan))
    speed = 1.0 if plan.speed == "max" else float(plan.speed)
    observer = Observer(settings, seen, speed, by_queue=target == "queue")
    async with observer.connected(), queue_view(settings) as queue:
        waited = 0
        if target == "queue":
            observer.wake_pollers()
            waited = await wait_until_empty(queue, settings.queue, stopping)
            seen.not_before_ms = await queue.service_time_ms(settings.queue)
        watch = QueueWatch(queue, settings.queue)
        seen.poison_before = await queue.count(settings.poison_queue)
        runner = Runner(
            plan, settings, target, RunOptions(may_skip=False), on_sent=observer.batch_sent
        )

        async def evaluate_now() -> list[AssertionResult]:
            seen.poison_after = await queue.count(settings.poison_queue)
            expectations = plan.expect or DEFAULT_EXPECTATIONS
            return evaluate(plan, expectations, seen, by_queue=target == "queue")

        observer.start_clock()
        async with watch.watching():
            dashboard = await runner.run(stopping, live=options.live)
            seen.faults = runner.fault_counts
            results = await _results(evaluate_now, observer, options.grace_s, stopping)
        hints = []
        if not all(result.holds for result in results):
            waiting = await queue.count(settings.queue) if target == "queue" else 0
            hints = hints_for(
                seen,
                settings.queue,
                waiting=waiting or 0,
                waited_before=waited,
                silence_s=watch.longest_silence_s,
            )
        if not options.keep:
            await observer.remove_pillows(stopping)
    return CheckResult(results, hints, dashboard)


async def _results(
    evaluate_now: Callable[[], Awaitable[list[AssertionResult]]],
    observer: Observer,
    grace_s: float,
    stopping: asyncio.Event,
) -> list[AssertionResult]:
    """Return the results once every expectation holds and nothing arrives, or after `grace_s`."""
    deadline = time.monotonic() + grace_s
    while True:
        results = await evaluate_now()
        now = time.monotonic()
        is_quiet = now - observer.last_received > QUIET_S
        if is_quiet and all(result.holds for result in results):
            return results
        if now > deadline or stopping.is_set():
            return results
        await asyncio.sleep(_POLL_S)


def hints_for(
    seen: Observations, queue: str, *, waiting: int, waited_before: int, silence_s: float
) -> list[str]:
    """Return what may explain a failure.

    `waiting` messages are on the queue now, `waited_before` were on it when the check began, and
    for `silence_s` it gave no answer.
    """
    hints = []
    if silence_s >= NO_ANSWER_S:
        hints.append(
            f"the queue service gave no answer for {silence_s:.0f} s; the poller could receive "
            "nothing meanwhile"
        )
    if seen.messages_sent == 0:
        hints.append("nothing was sent; the lines above give the reason")
    elif waiting:
        cause = "the poller is slow" if seen.states_received else "is the poller running?"
        cause = "it answers too slowly" if silence_s >= NO_ANSWER_S else cause
        hints.append(f"{waiting:,} messages still wait on {queue}: {cause}")
    elif seen.states_received == 0:
        hints.append("nothing arrived on MQTT; does the poller use this broker and TOPIC_PREFIX?")
    if waited_before:
        hints.append(
            f"{waited_before:,} messages waited on {queue} when the check began; their states are "
            "not counted, but dead letters that they become are"
        )
    if seen.undecodable:
        hints.append(f"{seen.undecodable:,} received states were not valid and not counted")
    if seen.poison_after is None:
        hints.append("the poison queue could not be read; dead letters were counted on MQTT")
    return hints
