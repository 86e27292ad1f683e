"""`simulator run`: a scenario, sent to a target."""

import asyncio
import sys
from typing import Annotated

import typer

from runtime.lifecycle import run_service
from simulator.commands.options import (
    Lasts,
    Pillows,
    Plain,
    PrintSeed,
    Rate,
    ScenarioArgument,
    Seed,
    Speed,
    Target,
    option,
    parse_lasts,
    parse_speed,
    parse_start,
    planned,
    usage,
)
from simulator.running import CONNECTIONS, CONSOLE, Run, may_be_live, set_up_logs
from simulator.settings import SimulatorSettings


def run(
    scenario: ScenarioArgument = None,
    target: Target = None,
    pillows: Pillows = None,
    seed: Seed = None,
    rate: Rate = None,
    speed: Speed = None,
    lasts: Lasts = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many states in all.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="RFC3339",
            help="Say that the stream began then, and leave nothing out: the same options then "
            "give the same bytes.",
        ),
    ] = None,
    connections: Annotated[
        int,
        typer.Option(
            min=0,
            help="Up to so many pillows have an MQTT connection, a last will and an availability "
            "of their own; a larger fleet shares one connection.",
        ),
    ] = CONNECTIONS,
    named: Annotated[str | None, option("scenario", "--scenario", metavar="SCENARIO")] = None,
    print_seed: PrintSeed = False,
    plain: Plain = False,
) -> None:
    """Run a scenario: believable pillows to the queue, to MQTT or to standard output.

    What no option says comes from the environment, and what that does not say from the scenario.

    [bold]Examples[/bold]

      simulator run                                   three pillows at home, to the queue
      simulator run stage-demo --target mqtt          a show, as if the pillows spoke MQTT
      simulator run busy-day --seed 7 --speed 60      an hour a minute, the same every time
      simulator run mine.toml --for 5m                a scenario of your own
      simulator run --target stdout --seed 7 --start 2026-11-22T06:00:00Z --count 90
    """
    with usage("run"):
        settings = SimulatorSettings.load(
            SIMULATOR_TARGET=target,
            SIMULATOR_PILLOWS=pillows,
            SIMULATOR_SEED=seed,
            SIMULATOR_RATE=rate,
            SIMULATOR_SCENARIO=scenario or named,
        )
        start_us = parse_start(start)
        plan, goal = planned(settings, speed=parse_speed(speed), lasts_s=parse_lasts(lasts))
        live = may_be_live(goal, plain=plain)
        set_up_logs(settings, live=live)
        if print_seed:
            sys.stderr.write(f"{plan.seed}\n")
        going = Run(plan, settings, goal, count=count, start_us=start_us, connections=connections)

        async def go(stopping: asyncio.Event) -> None:
            board = await going.go(stopping, live=live)
            if live:
                CONSOLE.print(board.summary())

        run_service(go)
