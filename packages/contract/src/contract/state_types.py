"""The state of a pillow as types, for the published schemas.

`contract.messages` and `contract.updates` decode states; they keep fields that are not named here.
"""

from typing import Annotated, Any, Literal

import msgspec

from contract.wire_types import (
    MAX_LABEL_CHARACTERS,
    AcceptedState,
    AcceptedTimestamp,
    Fraction,
    PillowId,
    Samples,
    SeqNumber,
    StateName,
    Timestamp,
    UnixMs,
    described,
)

Clock = Literal["ahead", "behind"]
TraceParent = Annotated[
    str,
    described(
        "A W3C trace context.", pattern="^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
    ),
]

AnyLabel = Annotated[
    Any,
    described(
        "A name that people gave to the pillow, a text of at most "
        f"{MAX_LABEL_CHARACTERS} characters, that is shown beside its id. It is forwarded as it "
        "came; who shows it leaves out control characters, and ignores what is no text, empty or "
        "longer.",
        examples=["Grandma's cloud"],
    ),
]


class QueueMessage(msgspec.Struct, frozen=True):
    """What a pillow puts on the queue, plain or in Base64.

    Other fields are forwarded unchanged, but for `hops`, which is dropped.
    """

    pillow: PillowId
    state: AcceptedState
    at: AcceptedTimestamp | msgspec.UnsetType = msgspec.UNSET
    seq: SeqNumber | msgspec.UnsetType = msgspec.UNSET
    confidence: Fraction | msgspec.UnsetType = msgspec.UNSET
    battery: Fraction | msgspec.UnsetType = msgspec.UNSET
    motion: Samples | msgspec.UnsetType = msgspec.UNSET
    label: AnyLabel = msgspec.UNSET
    traceparent: TraceParent | msgspec.UnsetType = msgspec.UNSET


class Hops(msgspec.Struct, frozen=True):
    """When a state passed each stage, in Unix milliseconds of the queue's time."""

    queued: UnixMs | msgspec.UnsetType = msgspec.UNSET
    polled: UnixMs | msgspec.UnsetType = msgspec.UNSET
    published: UnixMs | msgspec.UnsetType = msgspec.UNSET


class State(msgspec.Struct, frozen=True):
    """A state of one pillow as a poller publishes it. Other fields are those of the pillow."""

    pillow: PillowId
    state: StateName
    at: Timestamp
    seq: SeqNumber | msgspec.UnsetType = msgspec.UNSET
    confidence: Fraction | msgspec.UnsetType = msgspec.UNSET
    battery: Fraction | msgspec.UnsetType = msgspec.UNSET
    motion: Samples | msgspec.UnsetType = msgspec.UNSET
    label: AnyLabel = msgspec.UNSET
    clock: Clock | msgspec.UnsetType = msgspec.UNSET
    hops: Hops | msgspec.UnsetType = msgspec.UNSET


class ReceivedState(msgspec.Struct, frozen=True):
    """A state of one pillow in a frame or a response, byte for byte as it was on MQTT.

    Only the fields with a type are checked: a pillow that speaks MQTT itself may put anything into
    the others, and more fields.
    """

    pillow: PillowId
    state: StateName
    at: AcceptedTimestamp
    seq: SeqNumber | msgspec.UnsetType = msgspec.UNSET
    confidence: Annotated[Any, described("A number from 0 to 1.", examples=[0.93])] = msgspec.UNSET
    battery: Annotated[Any, described("A number from 0 to 1.", examples=[0.81])] = msgspec.UNSET
    motion: Annotated[
        Any,
        described(
            "Accelerometer samples `[x, y, z]` in g, oldest first.",
            examples=[[[0.01, -0.98, 0.12]]],
        ),
    ] = msgspec.UNSET
    label: AnyLabel = msgspec.UNSET
    clock: Annotated[
        Any,
        described(
            "The pillow's clock is wrong: ahead, `at` was replaced; behind, `at` was replaced, or "
            "later messages had an older `at` and only show that it is awake.",
            examples=["ahead", "behind"],
        ),
    ] = msgspec.UNSET
    last: Annotated[
        Any,
        described(
            "Added by the gateway to `notconnected`: the state before.", examples=["hugging"]
        ),
    ] = msgspec.UNSET
    since: Annotated[
        Any,
        described(
            "Added by the gateway to `notconnected`: when the silence began, as a date-time.",
            examples=["2025-11-22T06:00:30.000Z"],
        ),
    ] = msgspec.UNSET
    hops: Annotated[
        Any,
        described(
            "When it passed each stage, in Unix milliseconds of the queue's time.",
            examples=[{"queued": 1763791200123, "published": 1763791200140}],
        ),
    ] = msgspec.UNSET
