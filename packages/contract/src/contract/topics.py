"""MQTT topics: how they are built, and which pillow a received topic belongs to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

BRIDGE: Final = "bridge"
"""The level below the prefix for the services; no pillow may have this id."""

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAMES: Final = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,62}+\n)*+")
_PREFIX: Final = re.compile(r"[^+#$/\x00-\x1f][^+#/\x00-\x1f]*(/[^+#/\x00-\x1f]+)*")


def is_pillow_id(text: object) -> bool:
    """Return whether `text` is a pillow id: `[a-z0-9][a-z0-9-]{0,62}`, and not `bridge`."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None and text != BRIDGE


def find_invalid_pillow_id(names: Sequence[str]) -> str | None:
    """Return the first of the names that is no pillow id; None if all are.

    Valid ones are matched all at once, which takes a fifth of the time of asking for each.
    """
    lines = "\n".join((*names, ""))
    are_valid = (
        _NAMES.fullmatch(lines) is not None
        and lines.count("\n") == len(names)  # none of them is several lines
        and BRIDGE not in names
    )
    return None if are_valid else next((one for one in names if not is_pillow_id(one)), None)


def is_instance_name(text: str) -> bool:
    """Return whether `text` can be the name of a service's instance in a topic."""
    return _NAME.fullmatch(text) is not None


def is_topic_prefix(text: str) -> bool:
    """Return whether `text` can be `TOPIC_PREFIX`: levels without wildcard or leading `$`."""
    return len(text) <= 200 and _PREFIX.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class PillowTopic:
    """A topic of one pillow."""

    pillow: str
    kind: Literal["state", "availability"]


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one deployment. Deployments with different prefixes can share a broker."""

    prefix: str

    def state(self, pillow: str) -> str:
        """The topic of a pillow's newest state, retained."""
        return f"{self.prefix}/{pillow}/state"

    def availability(self, pillow: str) -> str:
        """The topic of a pillow's `online` and `offline`, retained: see availability."""
        return f"{self.prefix}/{pillow}/availability"

    def status(self, service: str, instance: str) -> str:
        """The topic of `online` and `offline` (also the last will) of a service's instance."""
        return f"{self.prefix}/{BRIDGE}/{service}/{instance}/status"

    def mark(self, service: str, instance: str) -> str:
        """The topic of the marks by which a session knows that it has all retained messages."""
        return f"{self.prefix}/{BRIDGE}/{service}/{instance}/mark"

    def watching(self, gateway: str) -> str:
        """The topic of how many clients a gateway's instance has now, retained: see watching."""
        return f"{self.prefix}/{BRIDGE}/gateway/{gateway}/watching"

    @property
    def all_watching(self) -> str:
        """The filter that matches how many clients each gateway has."""
        return self.watching("+")

    @property
    def all_gateway_statuses(self) -> str:
        """The filter that matches every gateway's status."""
        return self.status("gateway", "+")

    @property
    def wake(self) -> str:
        """The topic of the wake hint, that a message was put on the queue: pollers poll at once."""
        return f"{self.prefix}/{BRIDGE}/poller/wake"

    def poller_roles(self, queue: str) -> str:
        """The topic on which a queue's pollers agree which one receives: see poller_roles.

        `queue` is the queue's name with eight characters that stand for its account.
        """
        return f"{self.prefix}/{BRIDGE}/poller/active/{queue}"

    def parse_gateway(self, topic: str) -> tuple[Literal["status", "watching"], str] | None:
        """Return the kind and the instance of a gateway's topic; None if it is none."""
        kind, instance = self._parse_instance("gateway", topic)
        if kind == "status":
            return "status", instance
        return ("watching", instance) if kind == "watching" else None

    def saved(self, instance: str, journal: str) -> str:
        """The topic of a journal's save mark, retained: it tells what the broker had saved.

        It is the journal's, because two pollers may have one instance name by mistake.
        """
        return f"{self.prefix}/{BRIDGE}/poller/{instance}/saved/{journal}"

    @property
    def all_saved(self) -> str:
        """The filter that matches every poller's save mark."""
        return self.saved("+", "+")

    def is_saved(self, topic: str) -> bool:
        """Return whether a received topic is that of a poller's save mark."""
        head, middle, _ = self.all_saved.split("+")
        instance, found, journal = topic.removeprefix(head).partition(middle)
        return (
            topic.startswith(head)
            and bool(found)
            and is_instance_name(instance)
            and is_instance_name(journal)
        )

    def dead_letter(self, instance: str) -> str:
        """The topic on which a poller announces dead letters."""
        return f"{self.prefix}/{BRIDGE}/poller/{instance}/dead-letter"

    def queue(self, instance: str) -> str:
        """The topic of how long the queue's oldest message has waited, retained: see queue_report.

        It is void while that poller's status is `offline`.
        """
        return f"{self.prefix}/{BRIDGE}/poller/{instance}/queue"

    def parse_poller(
        self, topic: str
    ) -> tuple[Literal["status", "dead-letter", "queue"], str] | None:
        """Return the kind and the instance of a poller's topic; None if it is none of these."""
        kind, instance = self._parse_instance("poller", topic)
        if kind == "status":
            return "status", instance
        if kind == "dead-letter":
            return "dead-letter", instance
        return ("queue", instance) if kind == "queue" else None

    @property
    def all_states(self) -> str:
        """The filter that matches every pillow's state."""
        return f"{self.prefix}/+/state"

    @property
    def all_availability(self) -> str:
        """The filter that matches every pillow's availability."""
        return f"{self.prefix}/+/availability"

    def share(self, share_id: str) -> str:
        """The topic of what is listed of a share link, retained."""
        return f"{self.prefix}/{BRIDGE}/shares/{share_id}"

    def revoked(self, share_id: str) -> str:
        """The topic that says that a share link was revoked, retained."""
        return f"{self.prefix}/{BRIDGE}/revoked/{share_id}"

    @property
    def all_shares(self) -> str:
        """The filter that matches the record of every share link."""
        return self.share("+")

    @property
    def all_revocations(self) -> str:
        """The filter that matches the revocation of every share link."""
        return self.revoked("+")

    def parse_share(self, topic: str) -> tuple[Literal["shares", "revoked"], str] | None:
        """Return the kind and the id of a share link's topic; None if it is none."""
        head, _, share_id = topic.rpartition("/")
        if head == f"{self.prefix}/{BRIDGE}/revoked":
            return "revoked", share_id
        return ("shares", share_id) if head == f"{self.prefix}/{BRIDGE}/shares" else None

    def parse(self, topic: str) -> PillowTopic | None:
        """Return the pillow and the kind of a received topic; None if it is no pillow's."""
        head, _, kind = topic.rpartition("/")
        prefix, _, pillow = head.rpartition("/")
        if prefix != self.prefix or not is_pillow_id(pillow):
            return None
        if kind == "state":
            return PillowTopic(pillow, "state")
        if kind == "availability":
            return PillowTopic(pillow, "availability")
        return None

    def _parse_instance(self, service: str, topic: str) -> tuple[str, str]:
        """Return the kind and the instance of a service's topic; an empty kind if it is none."""
        head, _, kind = topic.rpartition("/")
        parent, _, instance = head.rpartition("/")
        is_own = parent == f"{self.prefix}/{BRIDGE}/{service}" and is_instance_name(instance)
        return (kind if is_own else ""), instance
