"""Gateway channels: the frames on the WebSocket and in the event stream."""

from typing import Any, Final, get_args

import msgspec

from contract.close_codes import CLOSE_CODES
from contract.documents.schemas import Node, reference, schemas_of
from contract.frames import (
    HEARTBEAT_S,
    MAX_REQUEST_BYTES,
    MAX_SUBSCRIBED,
    SUBPROTOCOL,
    BrowserFrame,
    Error,
    Goodbye,
    Heartbeat,
    Ping,
    Pong,
    Removed,
    ServerFrame,
    Shown,
    Snapshot,
    Status,
    Subscribe,
    Token,
    Updates,
)
from contract.motion import (
    MAX_MOTION,
    MOTION_CHOICES,
    Motion,
    MotionSamples,
    SubscribeMotion,
)
from contract.updates import CONTENT_TYPE
from contract.wire_types import CursorText, PillowId

_STATE: Final = {
    "pillow": "cloud-1",
    "state": "hugging",
    "at": "2025-11-22T06:00:00.123Z",
    "seq": 7,
    "hops": {"queued": 1763791200200, "polled": 1763791200310, "published": 1763791200314},
}

# An example of each frame, which the documents show.
EXAMPLES: Final = (
    Snapshot("k3f9:118", False, "online", 1763791200320, 3, [_STATE]),
    Updates("k3f9:121", 1763791200456, [_STATE]),
    Removed("k3f9:122", ["cloud-9"]),
    Status("offline"),
    Heartbeat(1763791220000, 3),
    Pong(1763791220000, 1763791220007),
    Goodbye((200, 5000)),
    Error(4400, "not a frame this gateway reads: JSON is malformed"),
    Subscribe(["cloud-1", "cloud-2"]),
    Ping(1763791220000),
    Shown(
        "cloud-1",
        1763791220456,
        1763791220123,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    Motion(
        [MotionSamples("cloud-1", "2025-11-22T06:00:00.123Z", [(0.01, -0.98, 0.12)], 7)],
    ),
    SubscribeMotion(["cloud-1", "cloud-2"]),
    Token("eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"),
)

SERVER_FRAMES: Final = tuple(frame.__name__ for frame in get_args(ServerFrame))
BROWSER_FRAMES: Final = tuple(frame.__name__ for frame in get_args(BrowserFrame))
# What answers a client's message is not on an event stream, because a client cannot send there.
EVENTS: Final = tuple(
    name for name in SERVER_FRAMES if name not in (Pong.__name__, Motion.__name__)
)

_QUERY: Final[Node] = {
    "type": "object",
    "properties": {
        "pillow": {
            "description": "The pillows to subscribe to: repeated for several, absent for all.",
            "type": "array",
            "maxItems": MAX_SUBSCRIBED,
            "items": msgspec.json.schema(PillowId),
        },
        "since": msgspec.json.schema(CursorText),
        "motion": {
            "description": "`none`: states without `motion`; a `motion` message names the pillows "
            "whose samples are to follow in frames of their own.",
            "type": "string",
            "enum": list(MOTION_CHOICES),
            "default": "all",
        },
    },
}


def frame_schemas() -> Node:
    """Return the schemas of the frames, by name."""
    return schemas_of([ServerFrame, BrowserFrame])


def frame_messages() -> Node:
    """Return the messages by name, each with an example."""
    examples = {
        type(one).__name__: msgspec.json.decode(msgspec.json.encode(one)) for one in EXAMPLES
    }
    found: Node = {}
    for name in (*SERVER_FRAMES, *BROWSER_FRAMES):
        found[name] = {"contentType": CONTENT_TYPE, "payload": reference(name)}
        if name in examples:
            found[name]["examples"] = [{"payload": examples[name]}]
    return found


def channels() -> Node:
    """Return the channels by name."""
    return {
        "stream": {
            "address": "/ws",
            "title": "WebSocket",
            "description": f"Subprotocol {SUBPROTOCOL}, when offered. The first frame is a "
            "snapshot. A token comes as the first frame, in `Authorization: Bearer`, or as the "
            "subprotocol `bearer.<token>`. The gateway ends the connection with one of the codes "
            "of `x-close-codes`, and says why in an Error before it.",
            "servers": [{"$ref": "#/servers/gateway"}],
            "messages": _references((*SERVER_FRAMES, *BROWSER_FRAMES)),
            "bindings": {"ws": {"method": "GET", "query": _QUERY, "bindingVersion": "0.1.0"}},
            "x-close-codes": {str(code): _close_code(code) for code in CLOSE_CODES},
            "x-limits": {
                "message-bytes": MAX_REQUEST_BYTES,
                "pillows-of-a-subscription": MAX_SUBSCRIBED,
                "pillows-of-a-motion-message": MAX_MOTION,
                "heartbeat-seconds": HEARTBEAT_S,
            },
        },
        "events": {
            "address": "/events",
            "title": "Server-Sent Events",
            "description": "The same frames, each as the data of an event; the event's id is the "
            "cursor, and `Last-Event-ID` resumes. What refuses the request is in the OpenAPI "
            "document.",
            "servers": [{"$ref": "#/servers/events"}],
            "messages": _references(EVENTS),
        },
    }


def operations() -> Node:
    """Return what the gateway sends and receives."""
    http = {"method": "GET", "query": _QUERY, "bindingVersion": "0.3.0"}
    return {
        "gateway_sends_frames": _operation(
            "send", "stream", SERVER_FRAMES, "What a client on a WebSocket receives."
        ),
        "gateway_receives_frames": _operation(
            "receive", "stream", BROWSER_FRAMES, "What a client on a WebSocket may send."
        ),
        "gateway_sends_events": {
            **_operation("send", "events", EVENTS, "What a client of the event stream receives."),
            "bindings": {"http": http},
        },
    }


def _references(names: tuple[str, ...]) -> Node:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _operation(action: str, channel: str, names: tuple[str, ...], description: str) -> Node:
    return {
        "action": action,
        "description": description,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names],
        "tags": [{"name": "gateway"}],
    }


def _close_code(code: int) -> dict[str, Any]:
    reason, reconnect, status = CLOSE_CODES[code]
    http = {} if status is None else {"status": status}
    return {"reason": reason, "reconnect": reconnect, **http}
