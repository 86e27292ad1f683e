"""The documents of the repository, as a client of another make would use them."""

import json
from functools import cache
from typing import Any, Final

import jsonschema_rs

from devstack.processes import ROOT

FOLDER: Final = ROOT / "packages" / "contract"


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return document


ASYNCAPI: Final = _read("asyncapi.json")
OPENAPI: Final = _read("openapi.json")


def schema_accepts(document: dict[str, Any], name: str, value: object) -> bool:
    """Return whether a schema of a document accepts a value."""
    return not schema_errors(document, name, value)


def schema_errors(document: dict[str, Any], name: str, value: object) -> list[str]:
    """Return what a schema of a document says against a value, each with its place."""
    return [
        f"{'/'.join(map(str, error.instance_path)) or name}: {error.message}"
        for error in _validator(id(document), name).iter_errors(value)
    ]


@cache
def _validator(document_id: int, name: str) -> Any:
    document = {id(one): one for one in (ASYNCAPI, OPENAPI)}[document_id]
    root = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    if document is OPENAPI:
        return jsonschema_rs.Draft202012Validator(root, validate_formats=True)
    return jsonschema_rs.Draft7Validator(root, validate_formats=True)
