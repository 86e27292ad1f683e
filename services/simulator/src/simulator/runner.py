"""The runner: makes the stream of a plan and sends it to a target."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from simulator.dashboard import Dashboard, repeat_command
from simulator.model.fleet import fleet_events, pillow_id
from simulator.scenario.plan import Plan
from simulator.sender import Sender, SendOptions, SendStats
from simulator.settings import SimulatorSettings, TargetName
from simulator.stream.fault_injection import FaultInjector
from simulator.stream.items import StreamItem
from simulator.targets import open_target
from simulator.terminal import live_dashboard

log = structlog.get_logger()

MAX_CONNECTIONS: Final = 200
"""Default limit of pillows with an MQTT connection each; a larger fleet shares one connection."""


class StreamClock:
    """The time of the stream in microseconds since 1970, at a number of seconds after its start.

    With `start_us` it is the stream's own time, which makes its bytes repeatable. Otherwise it is
    the wall clock's time at which an item is due; at `speed` None, the present time.
    """

    def __init__(self, start_us: int | None, speed: float | None) -> None:
        self._start_us, self._speed = start_us, speed
        self._started_us: int | None = None

    def __call__(self, due_s: float) -> int:
        """Return the time at `due_s`."""
        if self._start_us is not None:
            return self._start_us + round(due_s * 1e6)
        now_us = time.time_ns() // 1000
        if self._speed is None:
            return now_us
        if self._started_us is None:
            self._started_us = now_us
        return self._started_us + round(due_s / self._speed * 1e6)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a plan is run.

    `count` is the number of messages after which it ends, `start_us` the stream's own start time.
    Unless `may_skip`, no message is skipped, however late. `max_connections` is the number of
    pillows up to which each has an MQTT connection of its own.
    """

    count: int | None = None
    start_us: int | None = None
    may_skip: bool = True
    max_connections: int = MAX_CONNECTIONS


class Runner:
    """One run of a plan; `stats` and `fault_counts` are up to date at any time."""

    def __init__(
        self,
        plan: Plan,
        settings: SimulatorSettings,
        target: TargetName,
        options: RunOptions = RunOptions(),
        on_sent: Callable[[Sequence[StreamItem]], None] = lambda _batch: None,
    ) -> None:
        self.plan, self.stats = plan, SendStats()
        self._settings, self._target_name = settings, target
        speed = None if plan.speed == "max" else float(plan.speed)
        self._stream = FaultInjector(
            plan, fleet_events(plan.groups, plan.seed), StreamClock(options.start_us, speed)
        )
        self.fault_counts = self._stream.counts
        self._send_options = SendOptions(
            count=options.count,
            speed=speed,
            may_skip=options.may_skip and options.start_us is None,
        )
        self._on_sent = on_sent
        self._connected_pillows = (
            [
                pillow_id(group.name, number)
                for group, count in plan.groups
                for number in range(1, count + 1)
            ]
            if plan.pillow_count <= options.max_connections
            else []
        )

    async def run(self, stopping: asyncio.Event, *, live: bool) -> Dashboard:
        """Run to the end, or until `stopping` is set; return the dashboard with the results.

        Raises SettingsError where the target can never be reached.
        """
        plan = self.plan
        async with open_target(
            self._target_name, self._settings, pillows=self._connected_pillows
        ) as target:
            sender = Sender(iter(self._stream), target, self._send_options, self.stats)
            dashboard = Dashboard(plan, self._target_name, self.stats, self.fault_counts)
            sender.set_listeners(
                dashboard.batch_sent, self._on_sent, on_network_change=dashboard.network_changed
            )
            log.info(
                "simulating",
                target=self._target_name,
                pillows=plan.pillow_count,
                scenario=plan.name,
                seed=plan.seed,
                hour=f"{int(plan.start_hour):02}:{int(plan.start_hour % 1 * 60):02}",
                speed=plan.speed,
                repeat=repeat_command(plan),
            )
            try:
                async with live_dashboard(dashboard, live=live):
                    await sender.run(stopping)
            finally:
                log.info("stopped", **dashboard.facts())
        return dashboard
