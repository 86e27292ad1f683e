"""Motion: accelerometer samples apart from the states, for clients that choose the pillows.

A client that connects with `motion=none` gets states without `motion`. The samples of the pillows
that it names follow in frames of their own. Every value keeps its bytes.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from contract.json_limits import DECODE_ERRORS
from contract.wire_types import PillowId, Samples, SeqNumber, Timestamp, described

MAX_MOTION: Final = 256
"""How many pillows one request for motion may name: more clouds than a screen shows in motion."""

MOTION_CHOICES: Final = ("all", "none")
"""What the parameter `motion` of a stream's URL may be; the first is the default."""

WithoutMotion = (
    Annotated[
        Literal["none"],
        described(
            "`none` where the states of this connection have no `motion`, so that the client may "
            "send `motion` frames; absent where they have it."
        ),
    ]
    | msgspec.UnsetType
)


class MotionSamples(msgspec.Struct, frozen=True):
    """The samples of one state: `pillow`, `at` and `seq` are the state's own."""

    pillow: PillowId
    at: Timestamp
    motion: Samples
    seq: SeqNumber | msgspec.UnsetType = msgspec.UNSET


class Motion(msgspec.Struct, tag="motion", frozen=True):
    """Samples of states, right behind the `update` that has these states.

    Only for pillows that the client asked for. It has no cursor, and samples that a client missed
    are not sent later.
    """

    pillows: list[MotionSamples]


class SubscribeMotion(msgspec.Struct, tag="motion", frozen=True):
    """From a browser: the pillows whose motion it wants from now on, an empty list for none.

    Only on a connection with `motion=none`. No frame answers it.
    """

    pillows: Annotated[list[PillowId], described("The ids.", maxItems=MAX_MOTION)]


class SplitState(NamedTuple):
    """A state without `motion`, and its entry in a motion frame; None without samples."""

    payload: bytes
    samples: bytes | None


_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def split_motion(payload: bytes) -> SplitState:
    """Split an encoded state; one without the member `motion` is returned as it is."""
    # A name may be written with escapes.
    if b"motion" not in payload and b"\\u" not in payload:
        return SplitState(payload, None)
    try:
        members = _members.decode(payload)
    except DECODE_ERRORS:  # nothing that a store holds
        return SplitState(payload, None)
    motion = members.pop("motion", None)
    if motion is None:
        return SplitState(payload, None)
    still = msgspec.json.encode(members)
    if not bytes(motion).startswith(b"["):
        return SplitState(still, None)
    own = {name: members[name] for name in ("pillow", "at", "seq") if name in members}
    return SplitState(still, msgspec.json.encode({**own, "motion": motion}))


def encode_motion(samples: Iterable[bytes]) -> bytes:
    """Encode a motion frame of the samples that `split_motion` returns."""
    return b'{"type":"motion","pillows":[%b]}' % b",".join(samples)
