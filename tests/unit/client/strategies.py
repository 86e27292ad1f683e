"""States and updates for the client's properties."""

from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from pillowcast.pillow_state import State, Update, instant


def state(pillow: str = "cloud-1", name: str = "hugging", at: str = "", **more: Any) -> State:
    """Return a state as a frame brings it."""
    at = at or "2026-11-29T14:00:00.000Z"
    fields = {"pillow": pillow, "state": name, "at": at, **more}
    return State(pillow, name, MappingProxyType(fields), instant(at))


PILLOWS = st.sampled_from([f"cloud-{number}" for number in range(4)])

STATES = st.builds(
    lambda pillow, name, second, digits, seq: state(
        pillow, name, f"2026-11-29T14:00:{second:02}.{digits}Z", seq=seq
    ),
    PILLOWS,
    st.sampled_from(["hugging", "neutral", "notconnected", "dancing"]),
    st.integers(0, 3),
    st.text("0123456789", min_size=1, max_size=12),
    st.integers(0, 3),
)

UPDATES = STATES.map(lambda one: Update(one.pillow, one, None, "k:1"))
