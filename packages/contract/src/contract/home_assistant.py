"""Home Assistant's MQTT discovery: the message that makes a pillow appear there as a device.

Device-based discovery, one retained message for each device. Home Assistant has it since 2024.11.
Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload

Each deployment has a node of its own in the topics and in every id, so that two of them can share
a broker, and each reads its own messages only.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contract.states import STATES
from contract.topics import Topics, is_pillow_id

BIRTH: Final = b"online"
"""What Home Assistant publishes on its status topic when it has started."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_-]")

# A removed pillow's state is empty, so that there is no `value_json`. Home Assistant shows None as
# unknown, and leaves a number as it is where the text is empty.
_STATE_TEMPLATE: Final = "{{ value_json.state if value_json is defined else None }}"
_BATTERY_TEMPLATE: Final = (
    "{{ (value_json.battery * 100) | round(0) | int "
    "if value_json is defined and value_json.battery is defined else '' }}"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a pillow's discovery message depends on.

    Without a state for `expire_after_s` its values become unavailable; None: never.
    """

    has_availability: bool = False
    has_battery: bool = False
    expire_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class DiscoveryTopics:
    """The topics of one deployment below Home Assistant's discovery prefix."""

    discovery_prefix: str
    topics: Topics

    @property
    def node(self) -> str:
        """The name of this deployment, made of its topic prefix.

        Characters that Home Assistant does not allow are replaced, and a hash is added.
        """
        prefix = self.topics.prefix
        if _PLAIN.fullmatch(prefix):
            return f"pillowcast-{prefix}"
        digest = hashlib.sha256(prefix.encode()).hexdigest()[:8]
        return f"pillowcast-{_NOT_PLAIN.sub('_', prefix)}-{digest}"

    @property
    def status(self) -> str:
        """The topic on which Home Assistant publishes that it has started."""
        return f"{self.discovery_prefix}/status"

    @property
    def all_configs(self) -> str:
        """The filter that matches the discovery message of each pillow of this deployment."""
        return self.config("+")

    def config(self, pillow: str) -> str:
        """The topic of a pillow's discovery message, retained."""
        return f"{self.discovery_prefix}/device/{self.node}/{pillow}/config"

    def parse_config(self, topic: str) -> str | None:
        """Return the pillow of a discovery message's topic; None if it is none of this node."""
        head, _, last = topic.rpartition("/")
        node, _, pillow = head.rpartition("/")
        if last != "config" or node != f"{self.discovery_prefix}/device/{self.node}":
            return None
        return pillow if is_pillow_id(pillow) else None

    def encode(self, pillow: str, facts: Facts, version: str) -> bytes:
        """Encode a pillow's discovery message; the same facts give the same bytes."""
        # No pillow's id has an underscore, so no two pillows have the same device id.
        device_id = f"{self.node}_{pillow}"
        common: dict[str, Any] = {}
        if facts.has_availability:
            common["availability_topic"] = self.topics.availability(pillow)
        if facts.expire_after_s is not None:
            common["expire_after"] = facts.expire_after_s
        components: dict[str, Any] = {
            "state": {
                "platform": "sensor",
                "unique_id": f"{device_id}_state",
                "name": "State",
                "icon": "mdi:cloud",
                "device_class": "enum",
                "options": list(STATES),
                "value_template": _STATE_TEMPLATE,
                **common,
            }
        }
        if facts.has_battery:
            components["battery"] = {
                "platform": "sensor",
                "unique_id": f"{device_id}_battery",
                "name": "Battery",
                "device_class": "battery",
                "state_class": "measurement",
                "unit_of_measurement": "%",
                "entity_category": "diagnostic",
                "value_template": _BATTERY_TEMPLATE,
                **common,
            }
        if facts.has_availability:
            components["availability"] = {
                "platform": "binary_sensor",
                "unique_id": f"{device_id}_availability",
                "name": "Availability",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": self.topics.availability(pillow),
                "payload_on": "online",
                "payload_off": "offline",
            }
        return msgspec.json.encode(
            {
                "device": {
                    "identifiers": [device_id],
                    "name": pillow,
                    "manufacturer": "Pillowcast",
                    "model": "Pillow",
                },
                "origin": {"name": "Pillowcast", "sw_version": version},
                "state_topic": self.topics.state(pillow),
                "qos": 1,
                "components": components,
            }
        )
