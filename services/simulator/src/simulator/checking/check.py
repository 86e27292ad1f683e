"""A check: a scenario run against the live system, and what the system made of it."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import structlog

from simulator.board import Board
from simulator.checking.observer import Observer
from simulator.checking.seen import Seen
from simulator.checking.verdicts import IMPLIED, Verdict, verdicts, watched
from simulator.running import CONNECTIONS, Run
from simulator.scenario.plan import Plan
from simulator.settings import SimulatorSettings, TargetName
from simulator.targets.azure_queue import QueueView, queue_view

log = structlog.get_logger()

QUIET_S: Final = 1.5
"""Everything has arrived when nothing came for so long and the queue is empty."""

_LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found; `hints` are sentences that may explain it."""

    verdicts: list[Verdict]
    hints: list[str]
    board: Board

    @property
    def holds(self) -> bool:
        """Whether everything was as expected."""
        return all(one.holds for one in self.verdicts)


async def check(
    plan: Plan,
    settings: SimulatorSettings,
    target: TargetName,
    *,
    grace_s: float,
    keep: bool,
    live: bool,
    stopping: asyncio.Event,
) -> Outcome:
    """Run the plan and judge it; raises SettingsError where there is no live system."""
    seen = Seen(watched(plan))
    observer = Observer(settings, seen, 1.0 if plan.speed == "max" else float(plan.speed))
    expect = plan.expect or IMPLIED
    async with observer.listening(), queue_view(settings) as queue:
        seen.poison_before = await queue.count(settings.poison_queue)
        run = Run(
            plan,
            settings,
            target,
            may_skip=False,
            connections=CONNECTIONS,
            on_sent=observer.sent,
        )
        observer.begin()
        board = await run.go(stopping, live=live)
        seen.faults = run.stream.counts
        deadline = time.monotonic() + grace_s
        while True:
            seen.poison_after = await queue.count(settings.poison_queue)
            found = verdicts(plan, expect, seen, by_queue=target == "queue")
            now = time.monotonic()
            is_quiet = now - observer.last_heard > QUIET_S
            if is_quiet and all(one.holds for one in found):
                break
            if now > deadline or stopping.is_set():
                break
            await asyncio.sleep(_LOOK_S)
        hints = await _hints(found, seen, queue, settings, target)
        if not keep:
            await observer.remove(stopping)
    return Outcome(found, hints, board)


async def _hints(
    found: list[Verdict],
    seen: Seen,
    queue: QueueView,
    settings: SimulatorSettings,
    target: TargetName,
) -> list[str]:
    if all(one.holds for one in found):
        return []
    hints = []
    waiting = await queue.count(settings.queue) if target == "queue" else 0
    if seen.sent == 0:
        hints.append("nothing was sent; the lines above say why")
    elif waiting:
        hints.append(
            f"{waiting:,} messages still wait on {settings.queue}: "
            + ("the poller is slow" if seen.states else "is the poller running?")
        )
    elif seen.states == 0:
        hints.append("nothing arrived on MQTT; does the poller use this broker and this prefix?")
    if seen.poison_after is None:
        hints.append("the poison queue could not be looked at; dead letters were counted by MQTT")
    return hints
