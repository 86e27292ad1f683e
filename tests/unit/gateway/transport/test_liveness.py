"""Which client without a sign of life may still be reading."""

from hypothesis import given
from hypothesis import strategies as st

from contract.frames import HEARTBEAT_S
from gateway.transport.liveness import SLOWEST_BYTES_PER_S, may_be_reading


@given(st.integers(0, 10**7), st.integers(SLOWEST_BYTES_PER_S, 10**6), st.integers(1, 100))
def test_a_steady_reader_is_kept_until_it_has_read_what_precedes_the_ping(
    outstanding: int, bytes_per_s: int, heartbeats: int
) -> None:
    """At any speed from the slowest one on."""
    has_answered = heartbeats * HEARTBEAT_S * bytes_per_s > outstanding
    assert has_answered or may_be_reading(outstanding, heartbeats)


@given(st.integers(0, 10**7))
def test_a_client_that_answers_nothing_is_dead_in_the_end(outstanding: int) -> None:
    """After the time in which the slowest one would have answered."""
    heartbeats = outstanding // (HEARTBEAT_S * SLOWEST_BYTES_PER_S) + 1
    assert not may_be_reading(outstanding, heartbeats)
    assert not may_be_reading(100, 1), "an idle stream"
