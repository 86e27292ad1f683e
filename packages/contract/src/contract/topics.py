"""MQTT topics: which one a thing is published on, and what a received topic is about."""

import re
from dataclasses import dataclass
from typing import Final, Literal

BRIDGE: Final = "bridge"
"""The level below the prefix that belongs to the services; no pillow may have this name."""

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PREFIX: Final = re.compile(r"[^+#$/\x00-\x1f][^+#/\x00-\x1f]*(/[^+#/\x00-\x1f]+)*")


def is_pillow_id(text: object) -> bool:
    """Say whether `text` may name a pillow: `[a-z0-9][a-z0-9-]{0,62}`, and not `bridge`."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None and text != BRIDGE


def is_instance_name(text: str) -> bool:
    """Say whether `text` may name one instance of a service in a topic."""
    return _NAME.fullmatch(text) is not None


def is_topic_prefix(text: str) -> bool:
    """Say whether `text` may be `TOPIC_PREFIX`: one or more levels, no wildcard, no leading `$`."""
    return len(text) <= 200 and _PREFIX.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class PillowTopic:
    """A topic about one pillow."""

    pillow: str
    kind: Literal["state", "availability"]


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one deployment; two deployments with two prefixes never meet on a broker."""

    prefix: str

    def state(self, pillow: str) -> str:
        """Where a pillow's newest state is retained."""
        return f"{self.prefix}/{pillow}/state"

    def availability(self, pillow: str) -> str:
        """Where a pillow that speaks MQTT itself says `online`, and its last will `offline`."""
        return f"{self.prefix}/{pillow}/availability"

    def status(self, service: str, instance: str) -> str:
        """Where one instance of a service says `online`, and its last will `offline`."""
        return f"{self.prefix}/{BRIDGE}/{service}/{instance}/status"

    def dead_letter(self, instance: str) -> str:
        """Where a poller announces a message that can never be published."""
        return f"{self.prefix}/{BRIDGE}/poller/{instance}/dead-letter"

    @property
    def all_states(self) -> str:
        """The filter that matches every pillow's state."""
        return f"{self.prefix}/+/state"

    @property
    def all_availability(self) -> str:
        """The filter that matches every pillow's availability."""
        return f"{self.prefix}/+/availability"

    def parse(self, topic: str) -> PillowTopic | None:
        """Tell which pillow a received topic is about; None when it is about none."""
        head, _, kind = topic.rpartition("/")
        prefix, _, pillow = head.rpartition("/")
        if prefix != self.prefix or not is_pillow_id(pillow):
            return None
        if kind == "state":
            return PillowTopic(pillow, "state")
        if kind == "availability":
            return PillowTopic(pillow, "availability")
        return None
