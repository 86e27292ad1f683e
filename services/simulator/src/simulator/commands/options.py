"""What the commands have in common: options, their parsers, and the plan made of them."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Literal

import typer

from contract.timestamps import parse_timestamp
from runtime.lifecycle import exit_with_usage
from runtime.settings import SettingsError
from simulator.scenario.library import built_in_names, is_path, load_scenario
from simulator.scenario.literals import INTERVAL, parse_duration
from simulator.scenario.parsing import InvalidScenario
from simulator.scenario.plan import Plan, make_plan
from simulator.scenario.schema import Scenario
from simulator.settings import SimulatorSettings, TargetName


def setting_option(name: str, *flags: str, **more: Any) -> Any:
    """Return an option with the help of the setting that it overrides, and its variable."""
    field = SimulatorSettings.model_fields[name]
    return typer.Option(*flags, help=f"{field.description} [{field.alias}]", **more)


ScenarioArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SCENARIO",
        help="A name that `simulator list` shows, or the path of a .toml file. "
        "[SIMULATOR_SCENARIO, else day]",
        show_default=False,
    ),
]
Pillows = Annotated[int | None, setting_option("pillows")]
Seed = Annotated[int | None, setting_option("seed")]
Rate = Annotated[float | None, setting_option("rate")]
Target = Annotated[str | None, setting_option("target")]
Speed = Annotated[
    str | None,
    typer.Option(
        metavar="N|max",
        help="How many times as fast as real time: 60 is an hour a minute, max does not wait. "
        "It changes only the pace.",
    ),
]
Lasts = Annotated[
    str | None,
    typer.Option(
        "--for", metavar="DURATION", help="Stop after this duration of the stream: 90s, 2h."
    ),
]
Plain = Annotated[
    bool, typer.Option("--plain", help="Print log lines instead of a live table on a terminal.")
]


@contextmanager
def usage_errors(command: str) -> Iterator[None]:
    """Turn errors in options, settings and files into a message and exit status 2."""
    try:
        yield
    except (SettingsError, InvalidScenario) as error:
        exit_with_usage(f"simulator {command}", str(error))
    except (OSError, UnicodeError) as error:
        exit_with_usage(f"simulator {command}", f"cannot read the file: {error}")


def random_seed() -> int:
    """Return a random seed, short enough to be read out and typed."""
    return secrets.randbelow(1_000_000)


def parse_speed(text: str | None) -> float | Literal["max"] | None:
    """Return the value of --speed; raises SettingsError."""
    if text is None or text == "max":
        return text  # type: ignore[return-value]
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise SettingsError(f"--speed = {text!r}: a number above 0, or max")
    return speed


def parse_for(text: str | None) -> float | None:
    """Return the seconds of --for; raises SettingsError."""
    if text is None:
        return None
    if not re.fullmatch(INTERVAL, text, re.ASCII):
        raise SettingsError(f"--for = {text!r}: write it like 90s, 10m or 1h30m")
    return parse_duration(text)


def parse_time(option: str, text: str | None) -> int | None:
    """Return the microseconds since 1970 of an RFC 3339 time; raises SettingsError."""
    if text is None:
        return None
    time_us = parse_timestamp(text)
    if time_us is None:
        raise SettingsError(f"{option} = {text!r}: write it like 2026-11-22T06:00:00Z")
    return time_us


def find_scenario(name: str) -> Scenario:
    """Read a scenario by its name or path; raises SettingsError, InvalidScenario or OSError."""
    if not is_path(name) and name not in built_in_names():
        # The check of the setting raises the error, so that there is one sentence for both.
        SimulatorSettings.load(SIMULATOR_SCENARIO=name)
    return load_scenario(name)


def plan_from_settings(
    settings: SimulatorSettings,
    *,
    speed: float | Literal["max"] | None = None,
    lasts_s: float | None = None,
) -> tuple[Plan, TargetName]:
    """Make the plan that settings and options ask for; return it with its target."""
    scenario = find_scenario(settings.scenario)
    scenario_seed = scenario.seed if isinstance(scenario.seed, int) else None
    seed = settings.seed if settings.seed is not None else scenario_seed
    plan = make_plan(
        scenario,
        name=settings.scenario,
        seed=seed if seed is not None else random_seed(),
        pillows=settings.pillows,
        rate=settings.rate,
        speed=speed,
        lasts_s=lasts_s,
    )
    given = {
        "target": settings.target,
        "pillows": settings.pillows,
        "rate": settings.rate,
        "speed": speed,
        "for": f"{lasts_s:g}s" if lasts_s is not None else None,
    }
    options = "".join(f" --{name} {value}" for name, value in given.items() if value is not None)
    scenario_target = scenario.target if isinstance(scenario.target, str) else "queue"
    return replace(plan, options=options), settings.target or scenario_target
