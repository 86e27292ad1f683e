"""How much the clients behind one address may use."""

from collections import Counter
from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.address_limits import (
    CONNECTIONS,
    CONNECTS,
    NO_LIMITS,
    REQUESTS,
    TOLD_PER_S,
    AddressLimits,
    AddressTable,
    counted_for,
    network_of,
)

LIMITS = AddressLimits(connections=3, connects=5, requests=7)
ONE = counted_for(ip_address("203.0.113.7"))
BOTH = (CONNECTIONS, CONNECTS)


def test_an_ipv4_address_is_counted_for_itself() -> None:
    """Its neighbours are others."""
    assert [network_of(key) for key, _ in ONE] == ["203.0.113.7"]


def test_an_ipv6_address_is_counted_for_its_64_and_shorter_prefixes() -> None:
    """With larger limits for larger networks."""
    networks = counted_for(ip_address("2001:db8:1:2:3:4:5:6"))

    assert {network_of(key): factor for key, factor in networks} == {
        "2001:db8:1:2::/64": 1,
        "2001:db8:1::/48": 4,
        "2001:db8::/32": 64,
    }


@given(st.ip_addresses(), st.ip_addresses())
def test_two_addresses_are_one_exactly_if_they_share_the_64(one: object, other: object) -> None:
    """An IPv4 address is never taken for a network of IPv6."""
    first, second = (ip_address(str(address)) for address in (one, other))
    shared = {key for key, _ in counted_for(first)} & {key for key, _ in counted_for(second)}

    if first.version != second.version:
        assert not shared
    elif first.version == 4:
        assert bool(shared) == (first == second)
    else:
        is_one = int(first) >> 64 == int(second) >> 64
        assert (counted_for(first)[0] == counted_for(second)[0]) == is_one


def test_connections_are_limited_until_one_is_released() -> None:
    """The limit is of those at once."""
    table = AddressTable()
    for _ in range(3):
        assert table.take(ONE, LIMITS, BOTH, 0) is None

    excess = table.take(ONE, LIMITS, BOTH, 0)

    assert excess is not None
    assert (excess.limit, excess.size, network_of(excess.key)) == (CONNECTIONS, 3, "203.0.113.7")
    table.release(ONE)
    assert table.take(ONE, LIMITS, BOTH, 0) is None


@pytest.mark.parametrize(("kind", "size"), [(CONNECTS, 5), (REQUESTS, 7)])
def test_a_rate_allows_its_size_within_any_second(kind: str, size: int) -> None:
    """And again as much after each second."""
    table = AddressTable()
    for second in range(3):
        taken = [table.take(ONE, LIMITS, (kind,), second) for _ in range(3 * size)]
        assert taken.count(None) == size
        excess = taken[-1]
        assert excess is not None
        assert excess.limit == kind
        assert excess.retry_after_s == 1


def test_no_limit_is_no_limit() -> None:
    """0 stands for that."""
    table = AddressTable()

    assert all(table.take(ONE, NO_LIMITS, (*BOTH, REQUESTS), 0) is None for _ in range(10_000))


def test_another_address_is_not_limited() -> None:
    """Nobody suffers for a neighbour."""
    table = AddressTable()
    while table.take(ONE, LIMITS, BOTH, 0) is None:
        pass

    assert table.take(counted_for(ip_address("203.0.113.8")), LIMITS, BOTH, 0) is None


def test_a_network_of_many_64s_is_limited_as_a_whole() -> None:
    """The owner of a /48 or a /32 has any number of addresses."""
    first = int(IPv6Address("2001:db8::1"))
    within_48 = [counted_for(IPv6Address(first + (n << 64))) for n in range(100)]
    within_32 = [counted_for(IPv6Address(first + (n << 80))) for n in range(1000)]
    for networks, most in ((within_48, 4 * 3), (within_32, 64 * 3)):
        table = AddressTable()
        taken = [table.take(one, LIMITS, (CONNECTIONS,), 0) for one in networks]
        assert taken.count(None) == most


def test_only_some_are_told_why() -> None:
    """A flood costs little; those that always must be told are."""
    table = AddressTable()
    for _ in range(5):
        table.take(ONE, LIMITS, (CONNECTS,), 0)

    refused = [table.take(ONE, LIMITS, (CONNECTS,), 0, may_be_silent=True) for _ in range(100)]
    always = [table.take(ONE, LIMITS, (CONNECTS,), 0) for _ in range(100)]

    assert sum(one is not None and one.is_told for one in refused) == TOLD_PER_S
    assert all(one is not None and one.is_told for one in always)


steps = st.lists(
    st.tuples(
        st.sampled_from(["connect", "request", "release"]),
        st.integers(0, 12),
        st.floats(0, 3, allow_nan=False),
    ),
    max_size=200,
)


@given(steps, st.integers(1, 6))
def test_connections_add_up_and_what_is_remembered_is_bounded(
    taken: list[tuple[str, int, float]], max_idle: int
) -> None:
    """Also where the table forgets idle addresses all the time."""
    table, now_s = AddressTable(max_idle), 0.0
    open_: Counter[int] = Counter()
    networks = [
        counted_for(ip_address(f"203.0.113.{n}" if n % 2 else f"2001:db8:{n}::1"))
        for n in range(13)
    ]
    for action, which, passed_s in taken:
        now_s += passed_s
        if action == "release":
            if open_[which]:
                table.release(networks[which])
                open_[which] -= 1
        elif (
            table.take(networks[which], LIMITS, BOTH if action == "connect" else (REQUESTS,), now_s)
            is None
            and action == "connect"
        ):
            open_[which] += 1
        for which_, one in enumerate(networks):
            assert table.connections(one[0].key) == open_[which_] <= LIMITS.connections
        busy = {key for n in +open_ for key, _ in networks[n]}
        assert len(table) <= len(busy) + max_idle
