"""The AsyncAPI document: the queue, the MQTT topics, the WebSocket and the event stream."""

from functools import cache
from typing import Final

from contract.dead_letters import DeadLetterAnnouncement
from contract.documents import gateway_channels, mqtt_channels
from contract.documents.schemas import Node, info, reference, schemas_of
from contract.messages import MAX_BODY_BYTES, MAX_STATE_BYTES
from contract.poller_roles import RoleMessage
from contract.queue_report import QueueReport
from contract.shares import Revocation, ShareRecord
from contract.state_types import QueueMessage, ReceivedState, State
from contract.topics import OFFLINE
from contract.updates import CONTENT_TYPE

_MQTT_TYPES: Final = (
    State,
    DeadLetterAnnouncement,
    QueueReport,
    RoleMessage,
    ShareRecord,
    Revocation,
)

_DESCRIPTION: Final = """\
Live state of huggable cloud pillows: queue, poller, MQTT broker, gateway, clients.

`packages/contract/README.md` describes the same in sentences. A type or a field that you do not \
know is to be ignored: a newer program may send it.
"""


@cache
def asyncapi() -> Node:
    """Return the document. It names no setting or address of one deployment."""
    return {
        "asyncapi": "3.0.0",
        "info": info("Pillowcast", _DESCRIPTION),
        "defaultContentType": CONTENT_TYPE,
        "servers": _servers(),
        "channels": {
            "storage_queue": _queue_channel(),
            **mqtt_channels.channels(),
            **gateway_channels.channels(),
        },
        "operations": {
            "poller_receives_storage_queue": {
                "action": "receive",
                "description": "What pillows put on the queue.",
                "channel": {"$ref": "#/channels/storage_queue"},
                "messages": [{"$ref": "#/channels/storage_queue/messages/QueueMessage"}],
                "tags": [{"name": "poller"}],
            },
            **mqtt_channels.operations(),
            **gateway_channels.operations(),
        },
        "components": {
            "messages": {
                "QueueMessage": {"contentType": CONTENT_TYPE, "payload": reference("QueueMessage")},
                **mqtt_channels.messages(),
                **gateway_channels.frame_messages(),
            },
            "schemas": {
                **schemas_of([QueueMessage, ReceivedState, *_MQTT_TYPES]),
                **mqtt_channels.TEXTS,
                **gateway_channels.frame_schemas(),
            },
        },
    }


def _servers() -> Node:
    broker_will = {
        "topic": mqtt_channels.address_of("status"),
        "qos": 1,
        "message": OFFLINE.decode(),
        "retain": True,
    }
    return {
        "storage_queue": {
            "host": "localhost:10001",
            "protocol": "https",
            "description": "Azure Queue Storage; by default its emulator Azurite.",
        },
        "broker": {
            "host": "localhost:1883",
            "protocol": "mqtt",
            "protocolVersion": "5.0",
            "description": "The broker of MQTT_URL. With MQTT 3.1.1 the topics and payloads are "
            "the same.",
            "bindings": {"mqtt": {"lastWill": broker_will, "bindingVersion": "0.2.0"}},
        },
        "gateway": {
            "host": "localhost:8080",
            "protocol": "ws",
            "description": "The gateway; `wss` behind a proxy with TLS.",
        },
        "events": {
            "host": "localhost:8080",
            "protocol": "http",
            "description": "The same gateway; `https` behind a proxy with TLS.",
        },
    }


def _queue_channel() -> Node:
    return {
        "address": "{queue}",
        "summary": "Messages of pillows.",
        "description": "The pillow's message as the text of a queue message, plain or in Base64. "
        "A message that can never be published goes to the poison queue, and is announced.",
        "servers": [{"$ref": "#/servers/storage_queue"}],
        "parameters": {
            "queue": {
                "description": "The setting QUEUE_NAME of the deployment.",
                "default": "pillow-state",
            }
        },
        "messages": {"QueueMessage": {"$ref": "#/components/messages/QueueMessage"}},
        "x-limits": {"message-bytes": MAX_BODY_BYTES, "state-bytes": MAX_STATE_BYTES},
    }
