"""Why a pillow is grey, in one word."""

from hypothesis import given
from hypothesis import strategies as st

from contract.states import NOT_CONNECTED
from gateway.ops.why_grey import Presence, why_grey

PRESENCES = st.builds(
    Presence,
    st.sampled_from(["hugging", NOT_CONNECTED]),
    st.sampled_from(["hugging", NOT_CONNECTED]),
    st.booleans(),
    st.booleans(),
)


@given(PRESENCES)
def test_there_is_a_reason_exactly_for_a_grey_pillow(presence: Presence) -> None:
    assert (why_grey(presence) is None) == (presence.shown != NOT_CONNECTED)


def test_each_reason() -> None:
    assert why_grey(Presence(NOT_CONNECTED, "hugging", True, False)) == "silent"
    assert why_grey(Presence(NOT_CONNECTED, "hugging", False, True)) == "offline"
    assert why_grey(Presence(NOT_CONNECTED, NOT_CONNECTED, False, False)) == "reported"
