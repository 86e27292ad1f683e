"""`simulator check`: runs a scenario as an end-to-end test of the live system."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from runtime.lifecycle import exit_with_usage, run_service
from runtime.settings import SettingsError
from simulator.checking.assertions import DEFAULT_EXPECTATIONS
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
    plan_from_settings,
    usage_errors,
)
from simulator.dashboard import repeat_command
from simulator.scenario.plan import Plan
from simulator.settings import SimulatorSettings, TargetName
from simulator.terminal import RESULT_CONSOLE, is_live, set_up_logs

if TYPE_CHECKING:
    from simulator.checking.check import CheckResult

Grace = Annotated[
    float,
    typer.Option(min=0, metavar="SECONDS", help="How long messages may take to arrive."),
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave the check's pillows on the broker afterwards.")
]
Dry = Annotated[bool, typer.Option("--dry", help="Only check whether the scenario file is valid.")]


def check_(
    scenario: ScenarioArgument = None,
    target: Target = None,
    pillows: Pillows = None,
    seed: Seed = None,
    rate: Rate = None,
    speed: Speed = None,
    lasts: Lasts = None,
    grace: Grace = 20.0,
    keep: Keep = False,
    dry: Dry = False,
    plain: Plain = False,
) -> None:
    """Run a scenario against the live system and compare what arrives with its expectations.

    Exit status 0: every expectation holds. 1: one does not, and what was seen instead is printed.
    2: the scenario or a setting is wrong. The verdict is on standard output, logs are on standard
    error. States that waited on the queue before the check are not counted. The check subscribes
    on MQTT and reads the length of the queues, so it needs the settings of the system that it
    checks.

    [bold]Examples[/bold]

      simulator check smoke                 every gesture, in half a minute
      simulator check mine.toml --dry       is the file valid?
      simulator check mine.toml --seed 7
    """
    with usage_errors("check"):
        settings = SimulatorSettings.load(
            SIMULATOR_TARGET=target,
            SIMULATOR_PILLOWS=pillows,
            SIMULATOR_SEED=seed,
            SIMULATOR_RATE=rate,
            SIMULATOR_SCENARIO=scenario,
        )
        plan, target_name = plan_from_settings(
            settings, speed=parse_speed(speed), lasts_s=parse_for(lasts)
        )
        if dry:
            typer.echo(
                f"{plan.name} is valid: {plan.pillow_count:,} pillows, "
                f"{len(plan.expect)} expectations"
            )
            return
        _refuse_unsuitable(plan, target_name)
        live = is_live(target_name, plain=plain)
        set_up_logs(settings, live=live)
    result = _run_check(plan, settings, target_name, grace_s=grace, keep=keep, live=live)
    if not plan.expect:
        RESULT_CONSOLE.print(
            f"{plan.name} has no expectations, so the {len(DEFAULT_EXPECTATIONS)} default ones "
            "were checked.",
            style="dim",
        )
    print_result(result)
    if not result.holds:
        command = repeat_command(plan).replace(" run ", " check ")
        RESULT_CONSOLE.print(f"repeat: {command}", soft_wrap=True)
        sys.exit(1)


def _refuse_unsuitable(plan: Plan, target: TargetName) -> None:
    if plan.lasts_s is None:
        raise SettingsError(f'{plan.name} has no end; give it one: --for 30s, or lasts = "30s"')
    if target == "stdout":
        raise SettingsError("--target stdout: a check needs a live system; use queue or mqtt")


def _run_check(
    plan: Plan,
    settings: SimulatorSettings,
    target: TargetName,
    *,
    grace_s: float,
    keep: bool,
    live: bool,
) -> "CheckResult":
    # Imported only here, because loading Azure's libraries takes longer than anything before.
    from simulator.checking.check import CheckOptions, check

    result: CheckResult | None = None
    error = "it was stopped before it began"

    async def run(stopping: asyncio.Event) -> None:
        nonlocal result, error
        try:
            options = CheckOptions(grace_s=grace_s, keep=keep, live=live)
            result = await check(plan, settings, target, options, stopping)
        except SettingsError as settings_error:
            error = str(settings_error)

    run_service(run)
    if result is None:
        exit_with_usage("simulator check", error)
    return result


def print_result(result: "CheckResult") -> None:
    """Print each assertion, and the hints that may explain those that do not hold."""
    for assertion in result.assertions:
        line = Text(
            "✓ " if assertion.holds else "✗ ", style="green" if assertion.holds else "bold red"
        )
        line.append(assertion.expected, style="not bold")
        line.append(f" — {assertion.found}", style="dim not bold")
        RESULT_CONSOLE.print(line, soft_wrap=True)
    for hint in result.hints:
        RESULT_CONSOLE.print(Text(f"  {hint}", style="yellow"), soft_wrap=True)
    failed = sum(not assertion.holds for assertion in result.assertions)
    total = len(result.assertions)
    RESULT_CONSOLE.print(
        Text(f"{failed} of {total} expectations do not hold", style="bold red")
        if failed
        else Text(f"all {total} expectations hold", style="bold green")
    )
