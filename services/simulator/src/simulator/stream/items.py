"""What the stream consists of: messages and changes of a pillow's network."""

from dataclasses import dataclass
from typing import Literal

from simulator.model.events import Report


@dataclass(slots=True)
class StreamItem:
    """A message, or a change of a pillow's network, due `due_s` seconds after the start.

    A message has a `body`. Where `network` is set, the pillow's network becomes available ("up")
    or unavailable ("down"). `rejection` is the reason for which the poller will dead-letter the
    message, None where it will not; `report` is the report that the message was made from.
    """

    due_s: float
    pillow: str
    body: bytes = b""
    network: Literal["up", "down"] | None = None
    rejection: str | None = None
    report: Report | None = None
