"""The bodies of HTTP responses as types, for the published schemas."""

from typing import Annotated

import msgspec

from contract.frames import BrokerStatus, Retained
from contract.wire_types import CursorText, PillowId, ReceivedPillow, described


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, described("The status of the response.", minimum=400, maximum=599)]
    detail: Annotated[str, described("A sentence for people.")]


class PillowList(msgspec.Struct, frozen=True):
    """Every pillow that is known now, and the cursor from which a stream goes on."""

    cursor: CursorText
    broker: BrokerStatus
    pillows: list[ReceivedPillow]
    retained: Retained = msgspec.UNSET


class PillowHistory(msgspec.Struct, frozen=True):
    """The past states of one pillow, oldest first."""

    pillow: PillowId
    states: list[ReceivedPillow]


class Readiness(msgspec.Struct, frozen=True):
    """Whether a service is ready, and each of its dependencies by name."""

    ready: bool
    dependencies: Annotated[
        dict[str, str],
        described("`ok`, `ok; ` and what it cannot do, or a sentence that describes the error."),
    ]
