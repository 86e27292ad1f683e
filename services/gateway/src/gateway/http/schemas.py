"""The contract as documents: OpenAPI for HTTP, AsyncAPI for the stream, made from the code."""

from functools import cache
from importlib.metadata import version
from typing import Any, Final

import msgspec

from contract.frames import (
    BAD_MESSAGE,
    FORBIDDEN,
    FULL,
    RESTART,
    SUBPROTOCOL,
    BrowserFrame,
    ServerFrame,
)
from contract.states import STATES
from contract.topics import Topics
from contract.updates import CONTENT_TYPE

_COMPONENT: Final = "#/components/schemas/{name}"

_STATE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A state of one pillow, as it was on MQTT; unknown fields are passed on.",
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
        "clock": {"const": "ahead", "description": "`at` was in the future and was replaced."},
        "last": {
            "type": "string",
            "description": "Said by the gateway with `notconnected`: the state before.",
        },
        "since": {
            "type": "string",
            "format": "date-time",
            "description": "Said by the gateway with `notconnected`: since when.",
        },
        "hops": {
            "type": "object",
            "description": "When it passed each stage, Unix milliseconds.",
            "properties": {name: {"type": "integer"} for name in ("queued", "polled", "published")},
        },
    },
    "additionalProperties": True,
}

_PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


@cache
def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the HTTP endpoints."""
    pillow = {
        "name": "pillow",
        "in": "path",
        "required": True,
        "schema": _STATE_SCHEMA["properties"]["pillow"],
    }
    pillows = {
        "name": "pillow",
        "in": "query",
        "description": "Which pillows; repeat it for several, leave it out for all.",
        "schema": {"type": "array", "items": _STATE_SCHEMA["properties"]["pillow"]},
    }
    since = {
        "name": "since",
        "in": "query",
        "description": "The cursor of the last frame seen.",
        "schema": {"type": "string"},
    }
    unknown = _answer("No such pillow.", "application/problem+json", "Problem")
    states = {"type": "array", "items": {"$ref": _COMPONENT.format(name="State")}}
    return {
        "openapi": "3.1.0",
        "info": _info("Live state of huggable cloud pillows."),
        "paths": {
            "/api/pillows": {
                "get": _operation(
                    "Every pillow known now.",
                    {
                        "200": _inline(
                            "Now.",
                            {
                                "cursor": {"type": "string"},
                                "broker": {"enum": ["online", "offline"]},
                                "pillows": states,
                            },
                        )
                    },
                )
            },
            "/api/pillows/{pillow}": {
                "get": _operation(
                    "One pillow now.",
                    {"200": _answer("Its state.", "application/json", "State"), "404": unknown},
                    pillow,
                )
            },
            "/api/pillows/{pillow}/history": {
                "get": _operation(
                    "Its recent states still in memory, oldest first.",
                    {
                        "200": _inline(
                            "Its states.", {"pillow": {"type": "string"}, "states": states}
                        ),
                        "404": unknown,
                    },
                    pillow,
                )
            },
            "/events": {
                "get": _operation(
                    "The stream as Server-Sent Events; `id` is the cursor, `Last-Event-ID` "
                    "resumes. Each event's data is a frame of /asyncapi.json.",
                    {
                        "200": {"description": "The stream.", "content": {"text/event-stream": {}}},
                        "400": _answer("A bad query.", "application/problem+json", "Problem"),
                        "403": _answer("Origin refused.", "application/problem+json", "Problem"),
                    },
                    pillows,
                    since,
                )
            },
            "/healthz": {"get": _operation("Alive.", {"200": {"description": "Alive."}})},
            "/readyz": {
                "get": _operation(
                    "Ready, each dependency named.",
                    {"200": {"description": "Ready."}, "503": {"description": "Not ready."}},
                )
            },
            "/metrics": {
                "get": _operation("Prometheus metrics.", {"200": {"description": "Metrics."}})
            },
        },
        "components": {"schemas": {"State": _STATE_SCHEMA, "Problem": _PROBLEM_SCHEMA}},
    }


@cache
def asyncapi(prefix: str) -> dict[str, Any]:
    """Return the AsyncAPI document of the WebSocket, the event stream and the MQTT topics."""
    frames, schemas = _frame_schemas()
    topics = Topics(prefix)
    sent = {name: {"$ref": f"#/components/messages/{name}"} for name in frames["server"]}
    heard = {name: {"$ref": f"#/components/messages/{name}"} for name in frames["browser"]}
    return {
        "asyncapi": "3.0.0",
        "info": _info(
            f"Frames between gateway and browser (subprotocol {SUBPROTOCOL}). Close codes: "
            f"{RESTART} restart and {FULL} full (reconnect), {BAD_MESSAGE} bad message, "
            f"{FORBIDDEN} origin or pillow not allowed (do not)."
        ),
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "stream": {
                "address": "/ws",
                "messages": {**sent, **heard},
                "bindings": {"ws": {"method": "GET"}},
            },
            "state": {
                "address": topics.state("{pillow}"),
                "parameters": {"pillow": {"description": "The pillow's id."}},
                "messages": {"State": {"$ref": "#/components/messages/State"}},
            },
        },
        "operations": {
            "say": {
                "action": "send",
                "channel": {"$ref": "#/channels/stream"},
                "messages": [{"$ref": f"#/channels/stream/messages/{name}"} for name in sent],
            },
            "hear": {
                "action": "receive",
                "channel": {"$ref": "#/channels/stream"},
                "messages": [{"$ref": f"#/channels/stream/messages/{name}"} for name in heard],
            },
            "subscribe": {
                "action": "receive",
                "channel": {"$ref": "#/channels/state"},
                "bindings": {"mqtt": {"qos": 1, "retain": True}},
            },
        },
        "components": {
            "messages": {
                name: {
                    "contentType": CONTENT_TYPE,
                    "payload": {"$ref": _COMPONENT.format(name=name)},
                }
                for name in (*frames["server"], *frames["browser"], "State")
            },
            "schemas": {**schemas, "State": _STATE_SCHEMA},
        },
    }


def _frame_schemas() -> tuple[dict[str, list[str]], dict[str, Any]]:
    names: dict[str, list[str]] = {}
    schemas: dict[str, Any] = {}
    for side, union in (("server", ServerFrame), ("browser", BrowserFrame)):
        _, made = msgspec.json.schema_components([union], ref_template=_COMPONENT)
        names[side] = list(made)
        schemas.update(made)
    state = {"$ref": _COMPONENT.format(name="State")}
    for name in ("Snapshot", "Updates"):
        schemas[name]["properties"]["pillows"]["items"] = state
    return names, schemas


def _info(description: str) -> dict[str, str]:
    return {
        "title": "Pillowcast gateway",
        "version": version("pillowcast-gateway"),
        "description": description,
    }


def _operation(summary: str, responses: dict[str, Any], *parameters: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"summary": summary, "responses": responses}
    if parameters:
        made["parameters"] = list(parameters)
    return made


def _answer(description: str, media_type: str, schema: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"$ref": _COMPONENT.format(name=schema)}}}
    return {"description": description, "content": content}


def _inline(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
