"""MQTT channels: the topics, what is on them, and who publishes and receives it."""

import inspect
from dataclasses import dataclass
from typing import Any, Final

from contract.documents.schemas import Node, reference
from contract.topics import Topics
from contract.updates import CONTENT_TYPE, EXPIRY_S

PREFIX: Final = "{prefix}"

_TEXT: Final = "text/plain"
_ACTIONS: Final = {"send": "publishes", "receive": "receives"}

SERVICES: Final = ("poller", "gateway", "notifier", "recorder", "simulator")

_PARAMETERS: Final = {
    "prefix": {"description": "The setting TOPIC_PREFIX of the deployment.", "default": "pillow"},
    "pillow": {"description": "The pillow's id.", "examples": ["cloud-1"]},
    "service": {
        "description": "The name of the service.",
        "examples": list(SERVICES),
    },
    "instance": {"description": "The setting INSTANCE of the service."},
    "gateway": {"description": "The setting INSTANCE of the gateway."},
    "queue": {"description": "The name of the queue, and a hash of its account."},
    "journal": {"description": "The id of the poller's journal."},
    "share_id": {"description": "The id of the share link."},
}


@dataclass(frozen=True, slots=True)
class MqttChannel:
    """A topic; `message` is the name of a type or of one of TEXTS.

    `senders` and `receivers` are names of services; `pillow` is a device that speaks MQTT itself.
    `is_retained` and `qos` are None if the topic's messages differ in it.
    `is_removed_by_nothing`: an empty retained message removes what the topic retains.
    """

    summary: str
    message: str
    senders: tuple[str, ...]
    receivers: tuple[str, ...]
    is_retained: bool | None = True
    qos: int | None = 1
    is_removed_by_nothing: bool = False
    expiry_s: int | None = None


# The texts that are no JSON, as schemas.
TEXTS: Final[dict[str, Node]] = {
    "Presence": {
        "description": "Whether the owner of the topic is connected; `offline` is its last will.",
        "type": "string",
        "enum": ["online", "offline"],
    },
    "Watching": {
        "description": "How many clients look now: a plain number.",
        "type": "string",
        "pattern": "^(0|[1-9][0-9]{0,6})$",
        "examples": ["12"],
    },
    "Wake": {"description": "Anything, usually nothing.", "type": "string"},
    "Mark": {"description": "A value of one connection.", "type": "string"},
    "SaveMark": {
        "description": "The id of a journal and a number that grows.",
        "type": "string",
        "pattern": "^[0-9a-f]{1,64} [0-9]{1,18}$",
    },
    "Removal": {
        "description": "Nothing: what the topic retains is removed.",
        "type": "string",
        "maxLength": 0,
    },
}

# A row for each method of Topics that returns a topic, under its name.
CHANNELS: Final[dict[str, MqttChannel]] = {
    "state": MqttChannel(
        "The newest state of a pillow.",
        "State",
        ("poller", "simulator", "pillow"),
        ("gateway", "poller", "notifier", "recorder"),
        is_removed_by_nothing=True,
        expiry_s=EXPIRY_S,
    ),
    "availability": MqttChannel(
        "Whether a pillow is there: said by one that speaks MQTT itself, and by the poller for one "
        "that comes by the queue, with the user property `kept-by: poller`.",
        "Presence",
        ("pillow", "simulator", "poller"),
        ("gateway", "poller"),
        is_removed_by_nothing=True,
    ),
    "status": MqttChannel(
        "Whether an instance of a service is connected.",
        "Presence",
        SERVICES,
        SERVICES,
    ),
    "mark": MqttChannel(
        "By its own mark a session knows that it has received all that the broker retains.",
        "Mark",
        (*SERVICES, "pillow"),
        (*SERVICES, "pillow"),
        is_retained=None,
        qos=None,
        is_removed_by_nothing=True,
    ),
    "watching": MqttChannel(
        "How many clients a gateway has; void while that gateway's status is `offline`.",
        "Watching",
        ("gateway",),
        ("poller",),
    ),
    "wake": MqttChannel(
        "A hint that a message was put on the queue: pollers poll at once.",
        "Wake",
        ("pillow", "simulator"),
        ("poller",),
        is_retained=False,
    ),
    "saved": MqttChannel(
        "What the broker had saved when it comes back.",
        "SaveMark",
        ("poller",),
        ("poller",),
    ),
    "dead_letter": MqttChannel(
        "A message that can never be published.",
        "DeadLetterAnnouncement",
        ("poller",),
        (),
        is_retained=False,
    ),
    "queue": MqttChannel(
        "How long the queue's oldest message has waited, and whether the queue answers the poller; "
        "void while that poller's status is `offline`.",
        "QueueReport",
        ("poller",),
        ("gateway", "notifier"),
    ),
    "poller_roles": MqttChannel(
        "Which of a queue's pollers receives; `active` and `released` are retained.",
        "RoleMessage",
        ("poller",),
        ("poller",),
        is_retained=None,
    ),
    "share": MqttChannel(
        "What is listed of a share link.",
        "ShareRecord",
        ("gateway",),
        ("gateway",),
        is_removed_by_nothing=True,
    ),
    "revoked": MqttChannel(
        "A share link that opens nothing any more.",
        "Revocation",
        ("gateway",),
        ("gateway",),
        is_removed_by_nothing=True,
    ),
}


def address_of(name: str) -> str:
    """Return the address of a channel: its method of Topics, called with names in braces."""
    member = getattr(Topics, name)
    if isinstance(member, property):
        return str(getattr(Topics(PREFIX), name))
    names = list(inspect.signature(member).parameters)[1:]
    return str(member(Topics(PREFIX), *(f"{{{one}}}" for one in names)))


def channels() -> Node:
    """Return the channels by name."""
    return {name: _channel(name, channel) for name, channel in CHANNELS.items()}


def operations() -> Node:
    """Return an operation for each service that publishes or receives on a channel."""
    found: Node = {}
    for name, channel in CHANNELS.items():
        publish: Node = {"bindingVersion": "0.2.0"}
        if channel.qos is not None:
            publish["qos"] = channel.qos
        if channel.is_retained is not None:
            publish["retain"] = channel.is_retained
        if channel.expiry_s is not None:
            publish["messageExpiryInterval"] = channel.expiry_s
        receive = {"qos": 1, "bindingVersion": "0.2.0"}
        for action, services, binding in (
            ("send", channel.senders, publish),
            ("receive", channel.receivers, receive),
        ):
            for service in services:
                found[f"{service}_{action}s_{name}"] = {
                    "action": action,
                    "title": f"The {service} {_ACTIONS[action]} {name.replace('_', ' ')}",
                    "description": channel.summary,
                    "channel": {"$ref": f"#/channels/{name}"},
                    "messages": [
                        {"$ref": f"#/channels/{name}/messages/{one}"} for one in _messages(channel)
                    ],
                    "tags": [{"name": service}],
                    "bindings": {"mqtt": binding},
                }
    return found


def messages() -> Node:
    """Return the messages of all channels by name."""
    names = sorted({name for channel in CHANNELS.values() for name in _messages(channel)})
    return {name: _message(name) for name in names}


def _messages(channel: MqttChannel) -> list[str]:
    return [channel.message, *(["Removal"] if channel.is_removed_by_nothing else [])]


def _message(name: str) -> Node:
    is_text = name in TEXTS
    binding: dict[str, Any] = {"bindingVersion": "0.2.0"}
    if not is_text:
        binding = {"payloadFormatIndicator": 1, "contentType": CONTENT_TYPE, **binding}
    return {
        "contentType": _TEXT if is_text else CONTENT_TYPE,
        "payload": reference(name),
        "bindings": {"mqtt": binding},
    }


def _channel(name: str, channel: MqttChannel) -> Node:
    address = address_of(name)
    return {
        "address": address,
        "summary": channel.summary,
        "servers": [{"$ref": "#/servers/broker"}],
        "parameters": {
            one: description for one, description in _PARAMETERS.items() if f"{{{one}}}" in address
        },
        "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in _messages(channel)},
    }
