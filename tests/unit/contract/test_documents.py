"""The published documents as a whole: complete in themselves, and the files of the repository."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from contract.documents.asyncapi import asyncapi
from contract.documents.openapi import openapi
from devstack.documents import DOCUMENTS, FOLDER, main, text_of
from devstack.node import find_node

PAIR = pytest.mark.parametrize("document", [openapi(), asyncapi()], ids=["openapi", "asyncapi"])


def nodes(of: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a document."""
    if isinstance(of, dict):
        yield of
        for value in of.values():
            yield from nodes(value)
    elif isinstance(of, list):
        for value in of:
            yield from nodes(value)


@PAIR
def test_every_reference_resolves(document: dict[str, Any]) -> None:
    """To an object of the same document."""
    references = [node["$ref"] for node in nodes(document) if "$ref" in node]

    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        assert isinstance(found, dict)


@PAIR
def test_every_schema_is_used(document: dict[str, Any]) -> None:
    """What nothing refers to describes nothing."""
    used = {node["$ref"] for node in nodes(document) if "$ref" in node}

    for kind in ("schemas", "messages"):
        for name in document["components"].get(kind, ()):
            assert f"#/components/{kind}/{name}" in used, name


@PAIR
def test_a_document_is_json(document: dict[str, Any]) -> None:
    """It survives encoding and decoding."""
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


@PAIR
def test_every_schema_is_one_in_draft_7_and_in_2020_12(document: dict[str, Any]) -> None:
    """AsyncAPI has the one, OpenAPI 3.1 the other; no schema means something else in either."""
    for name, schema in document["components"]["schemas"].items():
        for meta in (jsonschema_rs.Draft7Validator, jsonschema_rs.Draft202012Validator):
            meta({**schema, "components": document["components"]})
        assert not [node for node in nodes(schema) if "prefixItems" in node], name
        assert not [node for node in nodes(schema) if "$ref" in node and len(node) > 1], name


@PAIR
def test_a_document_tells_nothing_of_the_deployment(document: dict[str, Any]) -> None:
    """Neither its topics nor the versions of its programs."""
    assert document["info"]["version"] == "1"
    assert "{prefix}/" in str(document) or "openapi" in document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_file_is_what_the_code_makes(name: str) -> None:
    """`scripts/check` writes it."""
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(name)


def test_a_stale_file_is_refused_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check names it and what to do; without the option it is written."""
    monkeypatch.setattr("devstack.documents.FOLDER", tmp_path)

    assert main(["--check"]) == 1
    assert re.search(r"asyncapi\.json, openapi\.json: .*scripts/check", capsys.readouterr().err)
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_the_official_tools_refuse_a_broken_document(tmp_path: Path) -> None:
    """The parser of AsyncAPI, and the schema of OpenAPI; `scripts/check` runs both."""
    for name, found, broken in (
        ("asyncapi.json", '"action": "send"', '"action": "shout"'),
        ("openapi.json", '"in": "path"', '"in": "air"'),
    ):
        text = text_of(name)
        assert found in text
        (tmp_path / name).write_text(text.replace(found, broken, 1), encoding="utf-8")

    command = [find_node(), FOLDER / "validate.mjs", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert "asyncapi.json: operations" in result.stderr
    assert "openapi.json: /paths" in result.stderr
