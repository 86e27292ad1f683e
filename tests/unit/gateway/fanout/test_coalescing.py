"""Frames that changes are coalesced into, read back."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.cursors import Cursor
from gateway.fanout.coalescing import MAX_FRAME_BYTES, encode_changes
from gateway.state.state_store import Change
from tests.hypothesis_profiles import examples
from tests.unit.gateway.strategies import EPOCH_MS, PILLOWS

NOW = EPOCH_MS


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PILLOWS),
            st.one_of(
                st.none(),
                st.integers(0, 3 * MAX_FRAME_BYTES // 2),
                st.integers(MAX_FRAME_BYTES - 400, MAX_FRAME_BYTES),
            ),
        ),
        max_size=12,
    )
)
@settings(max_examples=examples(150))
def test_a_frame_is_larger_than_max_frame_bytes_only_if_it_carries_a_single_pillow(
    given: list[tuple[str, int | None]],
) -> None:
    """Together the frames carry every change, in order."""
    changes = [
        Change(number, pillow, None if size is None else b'"' + b"x" * size + b'"')
        for number, (pillow, size) in enumerate(given, 1)
    ]

    carried: list[object] = []
    for frame in encode_changes(changes, "ep", NOW):
        message = msgspec.json.decode(frame.data)
        carried += [(message["type"], one) for one in message["pillows"]]
        assert frame.updates == len(message["pillows"])
        assert len(frame.data) <= MAX_FRAME_BYTES or frame.updates == 1
        assert frame.cursor == Cursor("ep", len(carried))

    assert carried == [
        ("removed", change.pillow)
        if change.payload is None
        else ("update", msgspec.json.decode(change.payload))
        for change in changes
    ]


def test_no_changes_make_no_frame() -> None:
    """A flush without changes for a group writes nothing."""
    assert list(encode_changes([], "ep", NOW)) == []


def test_as_many_updates_as_fit_share_a_frame() -> None:
    """A frame costs a subscriber more than a pillow in it."""
    changes = [Change(number, "cloud-1", b"1" * 10_000) for number in range(1, 13)]

    assert [frame.updates for frame in encode_changes(changes, "ep", NOW)] == [6, 6]
