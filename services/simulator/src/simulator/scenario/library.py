"""The scenarios that come with the simulator, and those in files of your own."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from simulator.scenario.form import Scenario
from simulator.scenario.reading import read_scenario

_SHIPPED = files("simulator.scenario").joinpath("files")

SCHEMA: Final = files("simulator.scenario").joinpath("scenario.schema.json")
"""The JSON Schema of a scenario file, for editors; a test holds it to `form`."""


def shipped() -> list[str]:
    """Return the names of the scenarios that come with the simulator."""
    return sorted(one.name.removesuffix(".toml") for one in _SHIPPED.iterdir())


def is_file(name: str) -> bool:
    """Say whether a scenario is named by its file, not by its name."""
    return name.endswith(".toml") or "/" in name


def load(name: str) -> Scenario:
    """Read a scenario by its name or its file's path; raises ScenarioWrong, OSError."""
    if is_file(name):
        return read_scenario(Path(name).read_text(encoding="utf-8"), name=name)
    text = _SHIPPED.joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return read_scenario(text, name=f"{name}.toml")


def source(name: str) -> str:
    """Return the text of a scenario that comes with the simulator."""
    return _SHIPPED.joinpath(f"{name}.toml").read_text(encoding="utf-8")
