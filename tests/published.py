"""The documents of the repository, as a client of another make would use them."""

from typing import Any, Final

from conformance.published import Published

_PUBLISHED: Final = Published()

ASYNCAPI: Final = _PUBLISHED.asyncapi

schema_errors: Final = _PUBLISHED.schema_errors


def schema_accepts(document: dict[str, Any], name: str, value: object) -> bool:
    """Return whether a schema of a document accepts a value."""
    return not schema_errors(document, name, value)
