"""A check: runs a scenario against the live system and evaluates its expectations."""

import asyncio
import time
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
from simulator.dashboard import Dashboard
from simulator.runner import Runner, RunOptions
from simulator.scenario.plan import Plan
from simulator.settings import SimulatorSettings, TargetName
from simulator.targets.azure_queue import queue_view

QUIET_S: Final = 1.5
"""Everything is taken to have arrived when nothing was received for this long."""

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
    observer = Observer(settings, seen, 1.0 if plan.speed == "max" else float(plan.speed))
    async with observer.connected(), queue_view(settings) as queue:
        seen.poison_before = await queue.count(settings.poison_queue)
        runner = Runner(
            plan, settings, target, RunOptions(may_skip=False), on_sent=observer.batch_sent
        )
        observer.start_clock()
        dashboard = await runner.run(stopping, live=options.live)
        seen.faults = runner.fault_counts
        deadline = time.monotonic() + options.grace_s
        while True:
            seen.poison_after = await queue.count(settings.poison_queue)
            expectations = plan.expect or DEFAULT_EXPECTATIONS
            results = evaluate(plan, expectations, seen, by_queue=target == "queue")
            now = time.monotonic()
            is_quiet = now - observer.last_received > QUIET_S
            if is_quiet and all(result.holds for result in results):
                break
            if now > deadline or stopping.is_set():
                break
            await asyncio.sleep(_POLL_S)
        hints = []
        if not all(result.holds for result in results):
            waiting = await queue.count(settings.queue) if target == "queue" else 0
            hints = _hints(seen, settings.queue, waiting or 0)
        if not options.keep:
            await observer.remove_pillows(stopping)
    return CheckResult(results, hints, dashboard)


def _hints(seen: Observations, queue: str, waiting: int) -> list[str]:
    """Return what may explain a failure; `waiting` is the number of messages on the queue."""
    hints = []
    if seen.messages_sent == 0:
        hints.append("nothing was sent; the lines above give the reason")
    elif waiting:
        cause = "the poller is slow" if seen.states_received else "is the poller running?"
        hints.append(f"{waiting:,} messages still wait on {queue}: {cause}")
    elif seen.states_received == 0:
        hints.append("nothing arrived on MQTT; does the poller use this broker and TOPIC_PREFIX?")
    if seen.undecodable:
        hints.append(f"{seen.undecodable:,} received states were not valid and not counted")
    if seen.poison_after is None:
        hints.append("the poison queue could not be read; dead letters were counted on MQTT")
    return hints
