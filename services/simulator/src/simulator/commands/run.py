"""`simulator run`: sends the messages of a scenario to a target."""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated

import typer

from runtime.lifecycle import run_service
from simulator.commands.options import (
    Lasts,
    Pillows,
    Plain,
    Rate,
    ScenarioArgument,
    Seed,
    Speed,
    Target,
    parse_for,
    parse_speed,
    parse_time,
    plan_from_settings,
    setting_option,
    usage_errors,
)
from simulator.runner import MAX_CONNECTIONS, Runner, RunOptions
from simulator.settings import SimulatorSettings
from simulator.terminal import CONSOLE, is_live, set_up_logs

Count = Annotated[int | None, typer.Option(min=1, help="Stop after this number of states in all.")]
Start = Annotated[
    str | None,
    typer.Option(
        metavar="RFC3339",
        help="Give the stream this start time and skip nothing: the same options then give the "
        "same bytes.",
    ),
]
Connections = Annotated[
    int,
    typer.Option(
        min=0,
        help="Up to this number of pillows, each has an MQTT connection, a last will and an "
        "availability of its own; a larger fleet shares one connection.",
    ),
]
NamedScenario = Annotated[str | None, setting_option("scenario", "--scenario", metavar="SCENARIO")]
PrintSeed = Annotated[
    bool,
    typer.Option("--print-seed", help="Print the seed on a line of its own to standard error."),
]


def run(
    scenario: ScenarioArgument = None,
    target: Target = None,
    pillows: Pillows = None,
    seed: Seed = None,
    rate: Rate = None,
    speed: Speed = None,
    lasts: Lasts = None,
    count: Count = None,
    start: Start = None,
    connections: Connections = MAX_CONNECTIONS,
    named: NamedScenario = None,
    print_seed: PrintSeed = False,
    plain: Plain = False,
) -> None:
    """Run a scenario: send believable states to the queue, to MQTT or to standard output.

    An option overrides its environment variable, which overrides the scenario.

    [bold]Examples[/bold]

      simulator run                                   three pillows at home, to the queue
      simulator run stage-demo --target mqtt          a show, as if the pillows spoke MQTT
      simulator run busy-day --seed 7 --speed 60      an hour a minute, the same every time
      simulator run mine.toml --for 5m                a scenario of your own
      simulator run --target stdout --seed 7 --start 2026-11-22T06:00:00Z --count 90
    """
    with usage_errors("run"):
        settings = SimulatorSettings.load(
            SIMULATOR_TARGET=target,
            SIMULATOR_PILLOWS=pillows,
            SIMULATOR_SEED=seed,
            SIMULATOR_RATE=rate,
            SIMULATOR_SCENARIO=scenario or named,
        )
        options = RunOptions(
            count=count, start_us=parse_time("--start", start), max_connections=connections
        )
        plan, target_name = plan_from_settings(
            settings, speed=parse_speed(speed), lasts_s=parse_for(lasts)
        )
        live = is_live(target_name, plain=plain)
        set_up_logs(settings, live=live)
        if print_seed:
            sys.stderr.write(f"{plan.seed}\n")
        runner = Runner(plan, settings, target_name, options)
        ops_port = _ops_port(settings, runner)

        async def run_and_summarize(stopping: asyncio.Event) -> None:
            async with ops_port:
                dashboard = await runner.run(stopping, live=live)
            if live:
                CONSOLE.print(dashboard.summary())

        run_service(run_and_summarize)


def _ops_port(settings: SimulatorSettings, runner: Runner) -> AbstractAsyncContextManager[None]:
    """Open the port for operators, if SIMULATOR_PORT is set; raises SettingsError."""
    if settings.port is None:
        return nullcontext()
    from simulator.ops_port import open_ops_port  # loads a web server; most runs need none

    return open_ops_port(settings.host, settings.port, runner)
