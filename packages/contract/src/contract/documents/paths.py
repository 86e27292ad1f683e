"""Parts of paths in the OpenAPI document: operations, responses and parameters."""

from typing import Any, Final

import msgspec

from contract.documents.schemas import Node, reference
from contract.wire_types import PillowId

PILLOW: Final[Node] = {
    "name": "pillow",
    "in": "path",
    "required": True,
    "schema": msgspec.json.schema(PillowId),
}

TEXT: Final[Node] = {"type": "string"}

PUBLIC: Final[Node] = {"security": []}
"""Of an operation that never asks for a token."""

CURRENT: Final[Node] = {"description": "The client's copy is current."}

_RETRY_AFTER: Final[Node] = {
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "integer", "minimum": 0},
    }
}


def content(description: str, media_type: str, schema: Node) -> Node:
    """Return a response with a body."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


def json(description: str, name: str) -> Node:
    """Return a response whose body has the type `name`."""
    return content(description, "application/json", reference(name))


def text(description: str) -> Node:
    """Return a response with a text for people."""
    return content(description, "text/plain", TEXT)


def problem(description: str, *, is_for_now: bool = False) -> Node:
    """Return a response with a problem document; `is_for_now` adds when to try again."""
    response = content(description, "application/problem+json", reference("Problem"))
    return {**response, "headers": _RETRY_AFTER} if is_for_now else response


FOREIGN_HOST: Final = problem("The gateway is not answered under the host of this request.")
"""A refusal of the gateway's public port."""


def query(name: str, description: str, schema: Node) -> Node:
    """Return a parameter of the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def whole(maximum: int) -> Node:
    """Return the schema of a whole number from 1."""
    return {"type": "integer", "minimum": 1, "maximum": maximum}


def operation(
    name: str, tag: str, summary: str, responses: Node, *parameters: Node, **more: Any
) -> Node:
    """Return an operation. Its name is that of a function in a generated client."""
    found: Node = {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "description": summary,  # tools that make pages show the one or the other
        **more,
    }
    if parameters:
        found["parameters"] = list(parameters)
    return {**found, "responses": responses}
