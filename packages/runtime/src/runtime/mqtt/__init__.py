"""The MQTT session that every service keeps.

paho-mqtt speaks the protocol; nothing outside this package imports it.

- `session`: connect, subscribe, ready, reconnect; what services use
- `connection`: one connection, from CONNECT to its end
- `transport`: TCP and TLS to the broker
- `paho_loop`: paho's external event loop on asyncio
- `packets`, `reader`, `writer`: PUBLISH and PUBACK without paho, because they are frequent
- `publish_window`: publishes that the broker has not acknowledged
- `properties`: MQTT 5 properties and reason codes, packed and named by paho
- `establishment`, `retained_set`: subscribe, and know that all retained messages have arrived
- `own_status`, `outage_log`: the session's presence, and the log lines of an outage
- `twin`: another process with the same instance name
- `silence`: the keepalive, and how long nothing has arrived
- `command_session`: a session for as long as a command runs
- `guest`: one connection that says nothing of itself, for operators who may only read
- `config`, `errors`: values and exceptions
"""

from runtime.mqtt.command_session import CommandSession
from runtime.mqtt.config import SessionConfig, SessionLimits, Subscription
from runtime.mqtt.errors import BrokerLost, BrokerUnusable, PublishRefused, PublishTooLarge
from runtime.mqtt.guest import Guest
from runtime.mqtt.own_status import STATUS_EXPIRY_S
from runtime.mqtt.packets import Message, user_property
from runtime.mqtt.session import MqttSession

__all__ = [
    "STATUS_EXPIRY_S",
    "BrokerLost",
    "BrokerUnusable",
    "CommandSession",
    "Guest",
    "Message",
    "MqttSession",
    "PublishRefused",
    "PublishTooLarge",
    "SessionConfig",
    "SessionLimits",
    "Subscription",
    "user_property",
]
