"""The OpenAPI and AsyncAPI documents, compared with the code that they describe."""

import re
from collections.abc import Iterator
from typing import Any, Final

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
    Shown,
    Status,
    Subscribe,
    Token,
    encode_frame,
    encode_snapshot,
    encode_updates,
)
from contract.states import STATES
from gateway.http.asyncapi import asyncapi
from gateway.http.openapi import openapi
from tests.unit.gateway.strategies import update

DOCUMENTS = [openapi(), asyncapi()]
SCHEMAS: dict[str, Any] = asyncapi()["components"]["schemas"]
STATE = update().payload

FRAMES = {
    "Snapshot": encode_snapshot(
        Cursor("k3f9", 1),
        recovered=False,
        status=Status("online", retained=False),
        sent_ms=1,
        watching=3,
        pillows=[STATE],
        queue_offset_ms=5,
        has_more=True,
        is_continued=True,
        shown_share=0.5,
    ),
    "Updates": encode_updates(Cursor("k3f9", 1), sent_ms=1, pillows=[STATE]),
    "Removed": encode_frame(Removed("k3f9:1", ["cloud-1"])),
    "Status": encode_frame(Status("online", retained=False)),
    "Heartbeat": encode_frame(Heartbeat(1, 3, 5)),
    "Pong": encode_frame(Pong(1.5, 2, 5)),
    "Goodbye": encode_frame(Goodbye((200, 5000))),
    "Error": encode_frame(Error(4400, "no")),
    "Subscribe": msgspec.json.encode(Subscribe(["cloud-1"])),
    "Ping": msgspec.json.encode(Ping(1)),
    "Shown": msgspec.json.encode(Shown("cloud-1", 2, 1, "00-…")),
    "Token": msgspec.json.encode(Token("a.b.c")),
}


OPTIONAL: Final = {"queue_offset", "retained", "shown", "queued", "traceparent"}
"""Fields without a default that may be absent."""


def nodes(of: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a document."""
    if isinstance(of, dict):
        yield of
        for value in of.values():
            yield from nodes(value)
    elif isinstance(of, list):
        for value in of:
            yield from nodes(value)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["openapi", "asyncapi"])
def test_every_reference_resolves(document: dict[str, Any]) -> None:
    """To an object of the same document."""
    references = [node["$ref"] for node in nodes(document) if "$ref" in node]

    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        assert isinstance(found, dict)


@pytest.mark.parametrize("document", DOCUMENTS, ids=["openapi", "asyncapi"])
def test_a_document_is_json(document: dict[str, Any]) -> None:
    """It survives encoding and decoding."""
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_matches_its_schema(name: str) -> None:
    """Its type, its required fields, and no field that is not described."""
    frame = msgspec.json.decode(FRAMES[name])
    schema = SCHEMAS[name]

    tag = schema["properties"]["type"]
    assert [frame["type"]] == tag.get("enum", [tag.get("const")])
    fields = schema["properties"]
    optional = {name for name in fields if "default" in fields[name]} | OPTIONAL
    assert (set(schema["required"]) | {"type"}) - optional == set(frame) - optional
    assert set(frame) == set(schema["properties"])


def test_every_frame_schema_has_an_example_in_this_file() -> None:
    """So that a new frame is checked as well."""
    assert set(SCHEMAS) - {"State"} == set(FRAMES)


def test_the_state_schema_has_the_states_of_the_contract() -> None:
    """They are declared once, in the contract package."""
    schema = SCHEMAS["State"]

    assert schema["properties"]["state"]["enum"] == list(STATES)
    assert re.fullmatch(schema["properties"]["pillow"]["pattern"], "cloud-1")
    assert set(schema["required"]) <= set(msgspec.json.decode(STATE))


def test_the_documents_tell_nothing_of_the_deployment() -> None:
    """Neither its topics nor the versions of its programs."""
    assert asyncapi()["channels"]["state"]["address"] == "{prefix}/{pillow}/state"
    for document in DOCUMENTS:
        assert document["info"]["version"] == "1"


def test_every_path_parameter_is_described_by_its_name() -> None:
    """As it stands in the path."""
    for path, methods in openapi()["paths"].items():
        named = {
            parameter["name"]
            for parameter in methods["get"].get("parameters", ())
            if parameter["in"] == "path"
        }
        assert named == set(re.findall(r"{(\w+)}", path))
