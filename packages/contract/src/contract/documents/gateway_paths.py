"""Paths of the gateway's public port."""

from typing import Final

import msgspec

from contract.close_codes import CLOSE_CODES
from contract.documents.past_paths import past_paths
from contract.documents.paths import (
    CURRENT,
    FOREIGN_HOST,
    PILLOW,
    PUBLIC,
    TEXT,
    content,
    json,
    operation,
    problem,
    query,
)
from contract.documents.schemas import Node
from contract.frames import MAX_SUBSCRIBED
from contract.motion import MOTION_CHOICES
from contract.wire_types import CursorText, PillowId

_TAG: Final = "gateway"

_PILLOWS: Final = query(
    "pillow",
    "The pillows to subscribe to; repeat it for several, omit it for all.",
    {"type": "array", "maxItems": MAX_SUBSCRIBED, "items": msgspec.json.schema(PillowId)},
)
_CURSOR: Final = msgspec.json.schema(CursorText)
_SINCE: Final[Node] = {
    **query(
        "since", "The cursor of the last frame received; any other text resumes nothing.", TEXT
    ),
    "example": _CURSOR["examples"][0],
}
_MOTION: Final[Node] = query(
    "motion",
    "`none`: states without `motion`, whose samples a client on /ws asks for in a message.",
    {"type": "string", "enum": list(MOTION_CHOICES), "default": "all"},
)
_LAST_EVENT_ID: Final[Node] = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event received; it goes before `since`.",
    "schema": TEXT,
    "example": _CURSOR["examples"][0],
}

_OTHER: Final = problem("Refused: too much at once, or no valid request.")


def gateway_paths() -> Node:
    """Return the paths."""
    return {**_api(), **_badge(), **_streams(), **_documents(), **_page()}


def _refused() -> Node:
    return {
        "403": FOREIGN_HOST,
        "401": problem("No valid token, where the gateway asks for one."),
        "503": problem("Full, or not ready to check tokens.", is_for_now=True),
        "default": _OTHER,
    }


def _refused_one() -> Node:
    return {
        **_refused(),
        "403": problem("The token does not permit this pillow, or the host is not answered."),
        "404": problem("No such pillow."),
    }


def _badge() -> Node:
    nothing = problem("No such pillow: a picture that says so; a problem for an impossible name.")
    refused = _refused_one()
    found: Node = {}
    for extension, media_type, name, summary in (
        ("svg", "image/svg+xml", "getBadge", "as a picture without script, with its name"),
        ("png", "image/png", "getPaintedBadge", "as a PNG without its name"),
    ):
        picture = content("The cloud in its state.", media_type, TEXT)
        found[f"/badge/{{pillow}}.{extension}"] = {
            "get": operation(
                name,
                _TAG,
                f"One pillow now {summary}, for pages, wikis and mail.",
                {
                    "200": picture,
                    "304": CURRENT,
                    **refused,
                    "404": {**nothing, "content": {**picture["content"], **nothing["content"]}},
                },
                PILLOW,
            )
        }
    return found


def _api() -> Node:
    refused, one = _refused(), _refused_one()
    return {
        "/api/pillows": {
            "get": operation(
                "listPillows",
                _TAG,
                "Every pillow that is known now.",
                {"200": json("Now.", "PillowList"), **refused},
            )
        },
        "/api/pillows/{pillow}": {
            "get": operation(
                "getPillow",
                _TAG,
                "One pillow now.",
                {"200": json("Its state.", "ReceivedState"), **one},
                PILLOW,
            )
        },
        **past_paths(refused, one, _PILLOWS),
    }


def _streams() -> Node:
    refusals = {
        str(code.status): problem(
            f"{code.reason[0].upper()}{code.reason[1:]}.", is_for_now=code.reconnect != "no"
        )
        for code in CLOSE_CODES.values()
        if code.status is not None
    }
    return {
        "/events": {
            "get": operation(
                "streamEvents",
                _TAG,
                "The stream as Server-Sent Events: `id` is the cursor, `data` a frame of "
                "/asyncapi.json.",
                {
                    "200": content("The stream.", "text/event-stream", TEXT),
                    **refusals,
                    "default": _OTHER,
                },
                _PILLOWS,
                _SINCE,
                _MOTION,
                _LAST_EVENT_ID,
            )
        },
        "/ws": {
            "get": operation(
                "openWebSocket",
                _TAG,
                "The WebSocket: its frames and close codes are in /asyncapi.json.",
                {
                    "101": {"description": "The frames follow."},
                    "403": FOREIGN_HOST,
                    "426": problem("No WebSocket handshake."),
                    "default": _OTHER,
                },
                _PILLOWS,
                _SINCE,
                _MOTION,
            )
        },
    }


def _documents() -> Node:
    return {
        f"/{name}.json": {
            "get": operation(
                name,
                _TAG,
                summary,
                {
                    "200": content("The document.", "application/json", {"type": "object"}),
                    "403": FOREIGN_HOST,
                    "default": _OTHER,
                },
                **PUBLIC,
            )
        }
        for name, summary in (
            ("openapi", "This document."),
            ("asyncapi", "The AsyncAPI document: the WebSocket, the event stream and MQTT."),
        )
    }


def _page() -> Node:
    script = "text/javascript"
    return {
        path: {
            "get": operation(
                name,
                _TAG,
                summary,
                {
                    "200": content(summary, media_type, TEXT),
                    "304": CURRENT,
                    "403": FOREIGN_HOST,
                    "default": _OTHER,
                },
                **PUBLIC,
            )
        }
        for path, name, summary, media_type in (
            ("/embed.js", "element", "The custom element `<cloud-pillow>`, a module.", script),
            ("/pillowcast.js", "client", "The client library, a module.", script),
            ("/states.js", "states", "The states with their labels and colours, a module.", script),
        )
    }
