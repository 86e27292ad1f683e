"""What several of the gateway's unit tests are made of: states, and sequences of what happens."""

import msgspec
from hypothesis import strategies as st

from contract.states import STATES
from contract.timestamps import format_timestamp
from contract.updates import Update, decode_state

EPOCH_MS = 1_700_000_000_000
"""When every story begins, Unix milliseconds: long ago, for who runs on the real clock refuses what
is from its future."""

PILLOWS = ("cloud-1", "cloud-2", "cloud-3")


def update(
    pillow: str = "cloud-1",
    at: int = 0,
    seq: int = 0,
    *,
    state: str = "hugging",
    pad: int = 0,
    **more: object,
) -> Update:
    """A valid update whose `at` is that many milliseconds after the beginning."""
    payload = msgspec.json.encode(
        {
            "pillow": pillow,
            "state": state,
            "at": format_timestamp((EPOCH_MS + at) * 1000),
            "seq": seq,
            **({"pad": "x" * pad} if pad else {}),
            **more,
        }
    )
    decoded = decode_state(pillow, payload)
    assert isinstance(decoded, Update)
    return decoded


def fields(payload: bytes) -> dict[str, object]:
    """A state's fields."""
    return msgspec.json.decode(payload, type=dict[str, object])


pillows = st.sampled_from(PILLOWS)

updates = st.builds(
    update,
    pillows,
    st.integers(0, 12).map(lambda tens: tens * 10),
    st.integers(0, 2),
    state=st.sampled_from(sorted(STATES)),
)
