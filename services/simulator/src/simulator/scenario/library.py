"""The scenarios that come with the simulator, and scenarios in files."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from simulator.scenario.parsing import parse_scenario
from simulator.scenario.schema import Scenario

_BUILT_IN = files("simulator.scenario").joinpath("files")

SCHEMA: Final = files("simulator.scenario").joinpath("scenario.schema.json")
"""The JSON Schema of a scenario file, for editors; a test compares it with `schema`."""


def built_in_names() -> list[str]:
    """Return the names of the scenarios that come with the simulator."""
    return sorted(file.name.removesuffix(".toml") for file in _BUILT_IN.iterdir())


def is_path(name: str) -> bool:
    """Return whether a scenario is given by its file's path and not by its name."""
    return name.endswith(".toml") or "/" in name


def load_scenario(name: str) -> Scenario:
    """Read a scenario by its name or its file's path; raises InvalidScenario or OSError."""
    if is_path(name):
        return parse_scenario(Path(name).read_text(encoding="utf-8"), name=name)
    return parse_scenario(source(name), name=f"{name}.toml")


def source(name: str) -> str:
    """Return the text of a scenario that comes with the simulator; raises OSError."""
    return _BUILT_IN.joinpath(f"{name}.toml").read_text(encoding="utf-8")
