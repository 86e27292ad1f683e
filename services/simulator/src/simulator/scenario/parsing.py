"""Reads a scenario from TOML, or says what is wrong with it.

The messages are those of tomllib and msgspec, with their line or path. msgspec names an unknown
key or value but not the known ones, so these are added from the JSON Schema.
"""

import re
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from simulator.scenario.rules import violations
from simulator.scenario.schema import Scenario, json_schema

_PATH: Final = re.compile(r"(?P<is_key>at `key` in )?`\$(?P<path>[^`]*)`$")
_PATH_STEP: Final = re.compile(r"\.([\w-]+)|\[(?:\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"(?:unknown field|Invalid enum value) [`']?(?P<word>.*?)[`']? - at")


class InvalidScenario(Exception):
    """A scenario that cannot be run; the message has the file and a line for each error."""

    def __init__(self, name: str, errors: Sequence[str]) -> None:
        super().__init__("\n".join(f"{name}: {error}" for error in errors))


def parse_scenario(text: str, *, name: str) -> Scenario:
    """Read a scenario from TOML; raises InvalidScenario, whose message begins with `name`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidScenario(name, [f"not valid TOML: {error}"]) from None
    return convert_scenario(tables, name=name)


def convert_scenario(tables: dict[str, Any], *, name: str) -> Scenario:
    """Make a scenario of the content of a TOML file; raises InvalidScenario."""
    try:
        scenario = msgspec.convert(tables, Scenario)
    except msgspec.ValidationError as error:
        raise InvalidScenario(name, [_with_known_words(str(error))]) from None
    if errors := list(violations(scenario)):
        raise InvalidScenario(name, errors)
    return scenario


def _with_known_words(message: str) -> str:
    """Add what can be written to a message about an unknown key or value, or about a pattern."""
    place, unknown = _PATH.search(message), _UNKNOWN.search(message)
    if place is None:
        return message
    schema = _schema_at(place["path"])
    if "matching regex" in message:
        message = re.sub(r"matching regex '.*'", "of another form", message)
        return f"{message}; write it like {', '.join(schema['examples'])}"
    if unknown is None:
        return message
    if place["is_key"]:
        schema = schema["propertyNames"]
    options = [schema, *map(_resolved, schema.get("anyOf", ()))]
    if message.startswith("Object"):
        known = [key for option in options for key in option.get("properties", ())]
    else:
        known = [str(word) for option in options for word in option.get("enum", ())]
        known += [option["type"] for option in options[1:] if "type" in option]
    near = get_close_matches(unknown["word"], known, n=1)
    return message + (
        f"; did you mean {near[0]!r}?" if near else f"; use one of {', '.join(known)}"
    )


def _schema_at(path: str) -> dict[str, Any]:
    """Return the part of the JSON Schema that describes the value at a path of msgspec's."""
    schema = _resolved(json_schema())
    for key in _PATH_STEP.findall(path):
        if key:
            schema = schema["properties"][key]
        else:
            schema = schema.get("items") or schema["additionalProperties"]
        schema = _resolved(schema)
    return schema


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that a part of the JSON Schema refers to, or the part itself."""
    if "$ref" not in schema:
        return schema
    definition: dict[str, Any] = json_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return definition
