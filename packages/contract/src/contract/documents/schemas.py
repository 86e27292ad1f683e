"""Schemas of both documents: JSON Schema made from msgspec's types."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from contract.frames import SUBPROTOCOL

_TEMPLATE: Final = "#/components/schemas/{name}"

Node = dict[str, Any]
"""An object of a document."""


def schemas_of(types: Iterable[Any]) -> Node:
    """Return the schemas of types and of those that they refer to, by name."""
    _, schemas = msgspec.json.schema_components(tuple(types), ref_template=_TEMPLATE)
    return {name: _portable(schema) for name, schema in sorted(schemas.items())}


def reference(name: str) -> dict[str, str]:
    """Return a reference to one of a document's schemas."""
    return {"$ref": _TEMPLATE.format(name=name)}


def info(title: str, description: str) -> Node:
    """Return a document's `info` object.

    Its version is that of the contract, which the subprotocol names too. The version of the program
    is not published.
    """
    return {
        "title": title,
        "version": SUBPROTOCOL.rpartition(".v")[2],
        "description": description,
        "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
    }


def _portable(node: Any) -> Any:
    """Return a schema that means the same in draft 7, which AsyncAPI uses, and in 2020-12.

    A tuple of equal items is a list of a fixed length, because draft 7 has no `prefixItems`. A
    reference has no other keyword beside it, because draft 7 ignores them.
    """
    if isinstance(node, list):
        return [_portable(one) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": node["$ref"]}
    schema = {key: _portable(value) for key, value in node.items()}
    if items := schema.pop("prefixItems", None):
        assert all(one == items[0] for one in items), "only tuples of equal items are portable"
        schema["items"] = items[0]
    return schema
