"""Which poller of a queue receives from it: the messages by which the pollers agree on MQTT.

The active poller's message is retained; it is repeated only while another poller stands by.
"""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from contract.topics import is_instance_name

MAX_TERM: Final = 2**53 - 1
"""The largest integer that every JSON decoder represents exactly."""

_MAX_BYTES: Final = 1024


class PollerRole(StrEnum):
    """What a poller does with the queue."""

    ACTIVE = "active"
    """It receives from the queue, or is about to."""
    STANDBY = "standby"
    """It waits until the active one is silent, and asks it to show that it is there."""
    RELEASED = "released"
    """It was active and has stopped, so that another may be active at once."""


class RoleMessage(msgspec.Struct, frozen=True):
    """What a poller says of itself.

    `poller` is its instance name and `process` differs with each start of it. `term` counts the
    changes of the active poller: the largest one holds, and of two equal ones that of the larger
    `process`. `works` is false while an active poller cannot receive from the queue.
    """

    poller: str
    role: PollerRole
    term: Annotated[int, msgspec.Meta(ge=0, le=MAX_TERM)]
    process: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{1,32}$")]
    works: bool = True

    @property
    def rank(self) -> tuple[int, str]:
        """Of two pollers with the role `active`, the one with the larger rank is active."""
        return self.term, self.process


def encode_role(message: RoleMessage) -> bytes:
    """Encode a message for the topic of a queue's pollers."""
    return msgspec.json.encode(message)


def decode_role(payload: bytes) -> RoleMessage | None:
    """Decode the payload of that topic; None if it is no such message."""
    if len(payload) > _MAX_BYTES:
        return None
    try:
        message = msgspec.json.decode(payload, type=RoleMessage)
    except msgspec.MsgspecError:
        return None
    return message if is_instance_name(message.poller) else None


def queue_level(account: str, queue: str) -> str:
    """Return the level of the topic that stands for a queue: its name, and a hash of its account.

    Without the hash, queues of one name in two accounts would have the same topic.
    """
    return f"{queue}-{sha256(account.encode()).hexdigest()[:8]}"
