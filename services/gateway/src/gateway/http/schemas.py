"""Schemas that the OpenAPI and AsyncAPI documents share."""

from typing import Any, Final

from contract.frames import SUBPROTOCOL
from contract.states import STATES

STATE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A state of one pillow, as it was reported; unknown fields are passed on.",
    "required": ["pillow", "state", "at"],
    "properties": {
        "pillow": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
        "state": {"type": "string", "enum": list(STATES)},
        "at": {"type": "string", "format": "date-time"},
        "seq": {"type": "integer", "minimum": 0},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "battery": {"type": "number", "minimum": 0, "maximum": 1},
        "motion": {
            "type": "array",
            "description": "Accelerometer samples in g, oldest first.",
            "items": {
                "type": "array",
                "items": {"type": "number"},
                "minItems": 3,
                "maxItems": 3,
            },
        },
        "clock": {
            "enum": ["ahead", "behind"],
            "description": "The pillow's clock is wrong: ahead, `at` was replaced; behind, `at` "
            "was replaced, or later messages had an older `at` and only show that it is awake.",
        },
        "last": {
            "type": "string",
            "description": "Added by the gateway to `notconnected`: the state before.",
        },
        "since": {
            "type": "string",
            "format": "date-time",
            "description": "Added by the gateway to `notconnected`: when the state began.",
        },
        "hops": {
            "type": "object",
            "description": "When it passed each stage, in Unix milliseconds.",
            "properties": {name: {"type": "integer"} for name in ("queued", "polled", "published")},
        },
    },
    "additionalProperties": True,
}


RETAINED_SCHEMA: Final[dict[str, Any]] = {
    "const": False,
    "description": "Past states are not kept, so a pillow is unknown until it reports; absent "
    "where they are.",
}


def reference(name: str) -> dict[str, str]:
    """Return a reference to one of a document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def info(description: str) -> dict[str, str]:
    """Return a document's `info` object.

    Its version is that of the contract, which the subprotocol names too; that of the program is
    nobody's business but its operator's.
    """
    return {
        "title": "Pillowcast gateway",
        "version": SUBPROTOCOL.rpartition(".v")[2],
        "description": description,
    }
