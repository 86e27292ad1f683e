"""The published contract, held to the code it is made from."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from contract.cursors import Cursor
from contract.frames import (
    Error,
    Goodbye,
    Heartbeat,
    Ping,
    Pong,
    Removed,
    Status,
    Subscribe,
    encode_frame,
    encode_snapshot,
    encode_updates,
)
from contract.states import STATES
from gateway.http.schemas import asyncapi, openapi
from tests.unit.gateway.strategies import update

DOCUMENTS = [openapi(), asyncapi("pillow")]
SCHEMAS: dict[str, Any] = asyncapi("pillow")["components"]["schemas"]
STATE = update().payload

FRAMES = {
    "Snapshot": encode_snapshot(
        Cursor("k3f9", 1), recovered=False, broker="online", sent_ms=1, pillows=[STATE]
    ),
    "Updates": encode_updates(Cursor("k3f9", 1), sent_ms=1, pillows=[STATE]),
    "Removed": encode_frame(Removed("k3f9:1", ["cloud-1"])),
    "Status": encode_frame(Status("offline")),
    "Heartbeat": encode_frame(Heartbeat(1)),
    "Pong": encode_frame(Pong(1.5, 2)),
    "Goodbye": encode_frame(Goodbye((200, 5000))),
    "Error": encode_frame(Error(4400, "no")),
    "Subscribe": msgspec.json.encode(Subscribe(["cloud-1"])),
    "Ping": msgspec.json.encode(Ping(1)),
}


def nodes(of: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(of, dict):
        yield of
        for value in of.values():
            yield from nodes(value)
    elif isinstance(of, list):
        for value in of:
            yield from nodes(value)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """And there are some."""
    references = [node["$ref"] for node in nodes(document) if "$ref" in node]

    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        assert isinstance(found, dict)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["openapi", "asyncapi"])
def test_a_document_can_be_written(document: dict[str, Any]) -> None:
    """It is nothing but JSON."""
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_as_its_schema_says(name: str) -> None:
    """Its tag, what it must have, and nothing that is not described."""
    frame = msgspec.json.decode(FRAMES[name])
    schema = SCHEMAS[name]

    tag = schema["properties"]["type"]
    assert [frame["type"]] == tag.get("enum", [tag.get("const")])
    assert set(schema["required"]) | {"type"} == set(frame)
    assert set(frame) == set(schema["properties"])


def test_every_schema_of_a_frame_has_an_example_here() -> None:
    """A new frame needs one."""
    assert set(SCHEMAS) - {"State"} == set(FRAMES)


def test_the_schema_of_a_state_is_the_contracts() -> None:
    """States are declared once."""
    schema = SCHEMAS["State"]

    assert schema["properties"]["state"]["enum"] == list(STATES)
    assert re.fullmatch(schema["properties"]["pillow"]["pattern"], "cloud-1")
    assert set(schema["required"]) <= set(msgspec.json.decode(STATE))


def test_the_topic_has_the_deployments_prefix() -> None:
    """Another deployment, another address."""
    assert asyncapi("home/pillow")["channels"]["state"]["address"] == "home/pillow/{pillow}/state"


def test_every_path_parameter_is_described() -> None:
    """Under the name that the path has."""
    for path, methods in openapi()["paths"].items():
        named = {
            parameter["name"]
            for parameter in methods["get"].get("parameters", ())
            if parameter["in"] == "path"
        }
        assert named == set(re.findall(r"{(\w+)}", path))
