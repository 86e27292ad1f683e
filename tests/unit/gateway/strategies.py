"""States and strategies that several of the gateway's unit tests use."""

import msgspec
from hypothesis import strategies as st

from contract.states import STATES
from contract.timestamps import format_timestamp
from contract.updates import Update, decode_state
from gateway.auth.scope import Scope
from gateway.fanout.subscriptions import Filter

EPOCH_MS = 1_700_000_000_000
"""When every test starts, in Unix milliseconds; in the past, because a consumer on the real clock
refuses states from its future."""

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
    """Return a valid update whose `at` is that many milliseconds after `EPOCH_MS`."""
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
    """Return the fields of a state."""
    return msgspec.json.decode(payload, type=dict[str, object])


pillows = st.sampled_from(PILLOWS)

scopes = st.builds(
    Scope,
    st.sets(st.sampled_from(("cloud-1", "other"))).map(frozenset),
    st.sampled_from((("c",), ("cloud-",), ("cloud-2", "cloud-3"), ("p1",), ("cloud-3", "p"))),
).filter(lambda scope: not any(one.startswith(scope.prefixes) for one in scope.ids))
"""Scopes as parse_scope makes them: no entry covers another."""

filters: st.SearchStrategy[Filter] = st.one_of(
    st.none(), st.sets(pillows, min_size=1).map(frozenset), scopes
)

updates = st.builds(
    update,
    pillows,
    st.integers(0, 12).map(lambda tens: tens * 10),
    st.integers(0, 2),
    state=st.sampled_from(sorted(STATES)),
)
