"""Schemas that the OpenAPI and AsyncAPI documents share."""

from typing import Any, Final

from contract.frames import SUBPROTOCOL
from contract.states import STATES

STATE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A state of one pillow, as it was reported. Only the fields with a type are "
    "checked: a pillow that speaks MQTT itself may put anything into the others, and more fields.",
    "required": ["pillow", "state", "at"],
    "properties": {
        "pillow": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
        "state": {"type": "string", "enum": list(STATES)},
        "at": {"type": "string", "format": "date-time"},
        "seq": {"type": "integer", "minimum": 0},
        "confidence": {"description": "A number from 0 to 1.", "examples": [0.93]},
        "battery": {"description": "A number from 0 to 1.", "examples": [0.81]},
        "motion": {
            "description": "Accelerometer samples in g, oldest first, each a list of x, y and z.",
            "examples": [[[0.01, -0.98, 0.12]]],
        },
        "clock": {
            "description": "The pillow's clock is wrong: ahead, `at` was replaced; behind, `at` "
            "was replaced, or later messages had an older `at` and only show that it is awake.",
            "examples": ["ahead", "behind"],
        },
        "last": {
            "description": "Added by the gateway to `notconnected`: the state before.",
            "examples": ["hugging"],
        },
        "since": {
            "description": "Added by the gateway to `notconnected`: when the state began, as a "
            "date-time.",
            "examples": ["2026-11-22T06:00:30.000Z"],
        },
        "hops": {
            "description": "When it passed each stage, in Unix milliseconds.",
            "examples": [{"queued": 1763791200123, "published": 1763791200140}],
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
