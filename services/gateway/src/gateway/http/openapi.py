"""The OpenAPI document of the HTTP endpoints."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from gateway.http.schemas import RETAINED_SCHEMA, STATE_SCHEMA, info, reference

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

_PILLOW: Final = {
    "name": "pillow",
    "in": "path",
    "required": True,
    "schema": STATE_SCHEMA["properties"]["pillow"],
}
_PILLOWS: Final = {
    "name": "pillow",
    "in": "query",
    "description": "The pillows to subscribe to; repeat it for several, omit it for all.",
    "schema": {"type": "array", "items": STATE_SCHEMA["properties"]["pillow"]},
}
_SINCE: Final = {
    "name": "since",
    "in": "query",
    "description": "The cursor of the last frame received.",
    "schema": {"type": "string"},
}
_TEXT: Final = {"type": "string"}
_STATES: Final = {"type": "array", "items": reference("State")}


@cache
def openapi() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": info("Live state of huggable cloud pillows."),
        "paths": {
            **_api_paths(),
            "/events": _events(),
            "/healthz": _get("Alive.", {"200": _content("Alive.", "text/plain", _TEXT)}),
        },
        "security": [{}, {"token": []}],
        "components": {
            "schemas": {"State": STATE_SCHEMA, "Problem": _PROBLEM_SCHEMA},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Where the gateway asks for one.",
                }
            },
        },
    }


def _api_paths() -> dict[str, Any]:
    unknown = _problem("No such pillow.")
    all_now = {
        "cursor": {"type": "string"},
        "broker": {"enum": ["online", "offline"]},
        "retained": RETAINED_SCHEMA,
        "pillows": _STATES,
    }
    one_now = _content("Its state.", "application/json", reference("State"))
    past = {"pillow": {"type": "string"}, "states": _STATES}
    return {
        "/api/pillows": _get(
            "Every pillow known now.", {"200": _object("Now.", all_now, optional=("retained",))}
        ),
        "/api/pillows/{pillow}": _get("One pillow now.", {"200": one_now, "404": unknown}, _PILLOW),
        "/api/pillows/{pillow}/history": _get(
            "Its recent states still in memory, oldest first.",
            {"200": _object("Its states.", past), "404": unknown},
            _PILLOW,
        ),
    }


def _events() -> dict[str, Any]:
    return _get(
        "The stream as Server-Sent Events; `id` is the cursor, `Last-Event-ID` resumes. "
        "Each event's data is a frame of /asyncapi.json.",
        {
            "200": {"description": "The stream.", "content": {"text/event-stream": {}}},
            "400": _problem("A bad query."),
            "403": _problem("Origin refused."),
            "503": _problem("Too many clients; try again later."),
        },
        _PILLOWS,
        _SINCE,
    )


def _get(summary: str, responses: dict[str, Any], *parameters: Any) -> dict[str, Any]:
    """Return a path with a GET operation only."""
    refused = _problem("Refused: no token, too much at once, or no valid request.")
    operation: dict[str, Any] = {"summary": summary, "responses": {**responses, "default": refused}}
    if parameters:
        operation["parameters"] = list(parameters)
    return {"get": operation}


def _content(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problem(description: str) -> dict[str, Any]:
    return _content(description, "application/problem+json", reference("Problem"))


def _object(
    description: str, properties: dict[str, Any], *, optional: Sequence[str] = ()
) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    schema = {"type": "object", "required": required, "properties": properties}
    return _content(description, "application/json", schema)
