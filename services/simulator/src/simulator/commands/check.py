"""`simulator check`: a scenario as an end-to-end test of the live system."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from runtime.lifecycle import exit_with_usage, run_service
from runtime.settings import SettingsError
from simulator.board import repeat
from simulator.checking.verdicts import IMPLIED
from simulator.commands.options import (
    Lasts,
    Pillows,
    Plain,
    Rate,
    ScenarioArgument,
    Seed,
    Speed,
    Target,
    parse_lasts,
    parse_speed,
    planned,
    usage,
)
from simulator.running import CONSOLE, may_be_live, set_up_logs
from simulator.settings import SimulatorSettings

if TYPE_CHECKING:
    from simulator.checking.check import Outcome


def check_(
    scenario: ScenarioArgument = None,
    target: Target = None,
    pillows: Pillows = None,
    seed: Seed = None,
    rate: Rate = None,
    speed: Speed = None,
    lasts: Lasts = None,
    grace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long what was sent may take.")
    ] = 20.0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the pillows on the broker when it is over.")
    ] = False,
    dry: Annotated[
        bool, typer.Option("--dry", help="Only read the scenario and say whether it is right.")
    ] = False,
    plain: Plain = False,
) -> None:
    """Run a scenario against the live system, and see whether all is as it expects.

    Exit status 0 says that it is, 1 that it is not (and what was found instead), 2 that the
    scenario or a setting is wrong. It listens on MQTT and looks at the poison queue, so it needs
    the same settings as the system that it checks.

    [bold]Examples[/bold]

      simulator check smoke                 every gesture, in half a minute
      simulator check mine.toml --dry       is the file right?
      simulator check mine.toml --seed 7
    """
    with usage("check"):
        settings = SimulatorSettings.load(
            SIMULATOR_TARGET=target,
            SIMULATOR_PILLOWS=pillows,
            SIMULATOR_SEED=seed,
            SIMULATOR_RATE=rate,
            SIMULATOR_SCENARIO=scenario,
        )
        plan, goal = planned(settings, speed=parse_speed(speed), lasts_s=parse_lasts(lasts))
        if dry:
            typer.echo(
                f"{plan.name} is right: {plan.pillows:,} pillows, {len(plan.expect)} expects"
            )
            return
        if plan.lasts_s is None:
            raise SettingsError(f'{plan.name} has no end; give it one: --for 30s, or lasts = "30s"')
        if goal == "stdout":
            raise SettingsError("--target stdout: a check needs a live system, queue or mqtt")
        live = may_be_live(goal, plain=plain)
        set_up_logs(settings, live=live)
    # Loading Azure's libraries takes longer than anything before it.
    from simulator.checking.check import check

    outcome: Outcome | None = None
    wrong = ""

    async def go(stopping: asyncio.Event) -> None:
        nonlocal outcome, wrong
        try:
            outcome = await check(
                plan, settings, goal, grace_s=grace, keep=keep, live=live, stopping=stopping
            )
        except SettingsError as error:
            wrong = str(error)

    run_service(go)
    if outcome is None:
        exit_with_usage("simulator check", wrong or "it was stopped before it began")
    if not plan.expect:
        CONSOLE.print(
            f"{plan.name} expects nothing itself, so {len(IMPLIED)} things were that always are.",
            style="dim",
            highlight=False,
        )
    report(outcome)
    if not outcome.holds:
        CONSOLE.print(f"again: {repeat(plan).replace(' run ', ' check ')}", highlight=False)
        sys.exit(1)


def report(outcome: "Outcome") -> None:
    """Print each verdict, and what may explain those that do not hold."""
    out = CONSOLE
    for one in outcome.verdicts:
        line = Text("✓ " if one.holds else "✗ ", style="green" if one.holds else "bold red")
        line.append(one.expected, style="not bold").append(f" — {one.found}", style="dim not bold")
        out.print(line, soft_wrap=True)
    for hint in outcome.hints:
        out.print(Text(f"  {hint}", style="yellow"), soft_wrap=True)
    wrong = sum(not one.holds for one in outcome.verdicts)
    total = len(outcome.verdicts)
    out.print(
        Text(f"{wrong} of {total} are not as expected", style="bold red")
        if wrong
        else Text(f"all {total} as expected", style="bold green")
    )
