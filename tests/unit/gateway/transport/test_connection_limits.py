"""Limits of connections, derived from the limit of open files."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.connection_limits import (
    RESERVED_FILES,
    UNLIMITED,
    ConnectionLimits,
    derive_limits,
)

UNSET = ConnectionLimits(total=0, clients=0)


def test_unset_limits_are_those_of_the_open_files() -> None:
    """With 20,000 files there is room for 18,000 clients, and for newcomers beside them."""
    limits = derive_limits(UNSET, 20_000)

    assert limits.total == 20_000 - RESERVED_FILES
    assert limits.clients == limits.total - 1500
    assert (limits.pending, limits.idle, limits.requests) == (1000, 1000, 500)
    assert limits.newcomers == 750


def test_a_small_limit_of_open_files_leaves_most_for_clients() -> None:
    """1,024 is the usual soft limit."""
    limits = derive_limits(UNSET, 1024)

    assert limits == ConnectionLimits(960, 840, 960, 960, 500, newcomers=60)


def test_without_a_limit_of_open_files_the_settings_count() -> None:
    """They are kept as they are."""
    wanted = ConnectionLimits(total=50_000, clients=7, pending=8, idle=9, requests=10)

    assert derive_limits(wanted, None) == ConnectionLimits(50_000, 7, 8, 9, 10, newcomers=9)
    assert derive_limits(UNSET, None).total == UNLIMITED


@given(
    st.builds(
        ConnectionLimits,
        total=st.integers(0, 1 << 40),
        clients=st.integers(0, 1 << 40),
        pending=st.integers(1, 1 << 40),
        idle=st.integers(1, 1 << 40),
        requests=st.integers(1, 1 << 40),
    ),
    st.one_of(st.none(), st.integers(0, 1 << 30)),
)
def test_clients_and_requests_leave_room_for_newcomers(
    wanted: ConnectionLimits, open_files: int | None
) -> None:
    """Neither is evicted; so a newcomer can always be answered."""
    limits = derive_limits(wanted, open_files)

    assert limits.clients + limits.newcomers < limits.total
    assert limits.requests + limits.newcomers <= limits.total
    assert limits.newcomers >= 1
    assert min(limits.clients, limits.pending, limits.idle, limits.requests) >= 1
    if open_files is not None and open_files > RESERVED_FILES + 4:
        assert limits.total <= open_files - RESERVED_FILES
