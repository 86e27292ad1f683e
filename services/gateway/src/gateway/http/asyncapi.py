"""The AsyncAPI document of the WebSocket, the event stream and the MQTT topics."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import msgspec

from contract.frames import (
    BAD_MESSAGE,
    FORBIDDEN,
    FULL,
    RESTART,
    SUBPROTOCOL,
    TOO_MANY,
    BrowserFrame,
    ServerFrame,
)
from contract.topics import Topics
from contract.updates import CONTENT_TYPE
from gateway.http.schemas import RETAINED_SCHEMA, STATE_SCHEMA, info, reference

_PREFIX: Final = "{prefix}"
"""A parameter, because the topics of one deployment are not for everybody that it serves."""


@cache
def asyncapi() -> dict[str, Any]:
    """Return the document."""
    sent, sent_schemas = _frames(ServerFrame)
    received, received_schemas = _frames(BrowserFrame)
    for name in ("Snapshot", "Updates"):
        sent_schemas[name]["properties"]["pillows"]["items"] = reference("State")
    for name in ("Snapshot", "Status"):
        sent_schemas[name]["properties"]["retained"] = RETAINED_SCHEMA
    return {
        "asyncapi": "3.0.0",
        "info": info(
            f"Frames between gateway and browser (subprotocol {SUBPROTOCOL}). Close codes: "
            f"{RESTART} restart and {FULL} full (reconnect), {BAD_MESSAGE} bad message, "
            f"{FORBIDDEN} origin or pillow not allowed (do not), {TOO_MANY} too many subscribe "
            "messages, connections of one address, or pillows in all lists (later). A snapshot of "
            "more than 64 KiB is several frames, marked `more` and `continued`."
        ),
        "defaultContentType": CONTENT_TYPE,
        "channels": _channels([*sent, *received]),
        "operations": {
            "sendFrame": _operation("send", sent),
            "receiveFrame": _operation("receive", received),
            "subscribe": {
                "action": "receive",
                "channel": {"$ref": "#/channels/state"},
                "bindings": {"mqtt": {"qos": 1, "retain": True}},
            },
        },
        "components": {
            "messages": {
                name: {"contentType": CONTENT_TYPE, "payload": reference(name)}
                for name in (*sent, *received, "State")
            },
            "schemas": {**sent_schemas, **received_schemas, "State": STATE_SCHEMA},
        },
    }


def _frames(union: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the names of a union's frames, and the schemas by name."""
    template = reference("{name}")["$ref"]
    _, schemas = msgspec.json.schema_components([union], ref_template=template)
    return list(schemas), schemas


def _channels(frames: Iterable[str]) -> dict[str, Any]:
    return {
        "stream": {
            "address": "/ws",
            "messages": {name: _message(name) for name in frames},
            "bindings": {"ws": {"method": "GET"}},
        },
        "state": {
            "address": Topics(_PREFIX).state("{pillow}"),
            "parameters": {
                "prefix": {"description": "TOPIC_PREFIX of the deployment.", "default": "pillow"},
                "pillow": {"description": "The pillow's id."},
            },
            "messages": {"State": _message("State")},
        },
    }


def _message(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{name}"}


def _operation(action: str, frames: Iterable[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/stream"},
        "messages": [{"$ref": f"#/channels/stream/messages/{name}"} for name in frames],
    }
