"""What the commands have in common: their options, and how these become settings."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Literal

import typer

from contract.timestamps import parse_timestamp
from runtime.lifecycle import exit_with_usage
from runtime.settings import SettingsError
from simulator.scenario.form import Scenario
from simulator.scenario.library import is_file, load, shipped
from simulator.scenario.plan import Plan, make_plan
from simulator.scenario.reading import ScenarioWrong
from simulator.scenario.words import DURATION, seconds
from simulator.seeds import drawn_seed
from simulator.settings import SimulatorSettings, TargetName


def option(name: str, *flags: str, **more: Any) -> Any:
    """Return an option that says the same as a setting, and names its variable."""
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
Pillows = Annotated[int | None, option("pillows")]
Seed = Annotated[int | None, option("seed")]
Rate = Annotated[float | None, option("rate")]
Target = Annotated[str | None, option("target")]
Speed = Annotated[
    str | None,
    typer.Option(
        metavar="N|max",
        help="How much faster than time: 60 is an hour a minute, max does not wait at all. It "
        "changes nothing but the pace.",
    ),
]
Lasts = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="Stop after so much of the stream: 90s, 2h."),
]
Plain = Annotated[
    bool, typer.Option("--plain", help="Plain lines, no live table, on a terminal too.")
]
PrintSeed = Annotated[
    bool,
    typer.Option("--print-seed", help="Print the seed before it begins: alone, on standard error."),
]


@contextmanager
def usage(command: str) -> Iterator[None]:
    """Leave with exit status 2 and a sentence for what can never work."""
    try:
        yield
    except (SettingsError, ScenarioWrong) as error:
        exit_with_usage(f"simulator {command}", str(error))
    except (OSError, UnicodeError) as error:
        exit_with_usage(f"simulator {command}", f"cannot be read: {error}")


def parse_speed(text: str | None) -> float | Literal["max"] | None:
    """Read --speed; raises SettingsError."""
    if text is None or text == "max":
        return text  # type: ignore[return-value]
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise SettingsError(f"--speed = {text!r}: a number above 0, or max")
    return speed


def parse_lasts(text: str | None) -> float | None:
    """Read --for; raises SettingsError."""
    if text is None:
        return None
    if not re.fullmatch(DURATION, text) or seconds(text) <= 0:
        raise SettingsError(f"--for = {text!r}: write it like 90s, 10m or 1h30m")
    return seconds(text)


def parse_start(text: str | None) -> int | None:
    """Read --start; raises SettingsError."""
    if text is None:
        return None
    instant = parse_timestamp(text)
    if instant is None:
        raise SettingsError(f"--start = {text!r}: write it like 2026-11-22T06:00:00Z")
    return instant


def find(name: str) -> Scenario:
    """Read a scenario by its name; raises SettingsError, ScenarioWrong or OSError."""
    if not is_file(name) and name not in shipped():
        # Said in the same words as the setting's.
        SimulatorSettings.load(SIMULATOR_SCENARIO=name)
    return load(name)


def planned(
    settings: SimulatorSettings,
    *,
    speed: float | Literal["max"] | None = None,
    lasts_s: float | None = None,
) -> tuple[Plan, TargetName]:
    """Make the plan that the settings ask for, and say where it goes."""
    scenario = find(settings.scenario)
    own = scenario.seed if isinstance(scenario.seed, int) else None
    seed = settings.seed if settings.seed is not None else own
    plan = make_plan(
        scenario,
        name=settings.scenario,
        seed=seed if seed is not None else drawn_seed(),
        pillows=settings.pillows,
        rate=settings.rate,
        speed=speed,
        lasts_s=lasts_s,
    )
    asked = {
        "target": settings.target,
        "pillows": settings.pillows,
        "rate": settings.rate,
        "speed": speed,
        "for": f"{lasts_s:g}s" if lasts_s is not None else None,
    }
    words = "".join(f" --{name} {value}" for name, value in asked.items() if value is not None)
    wanted = scenario.target if isinstance(scenario.target, str) else "queue"
    return replace(plan, asked=words), settings.target or wanted
