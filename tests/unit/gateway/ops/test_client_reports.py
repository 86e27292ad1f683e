"""Client reports: ids, what a client follows, and how far behind it is."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.scope import Scope
from gateway.ops.client_reports import (
    MAX_NAMES,
    ClientReports,
    Follows,
    client_id,
    describe_filter,
    parse_client_id,
)
from tests.gateway import handshake
from tests.unit.gateway.servers import serving
from tests.waiting import until


async def test_pages_list_each_client_once_in_the_order_of_their_connections() -> None:
    async with serving() as server:
        reports = ClientReports(server.registry, server.core.store)
        async with server.dial(), server.dial(), server.dial(handshake("/ws?pillow=cloud-7")):
            await until(lambda: server.clients == 3, "three clients")
            first = reports.page("", 2)
            assert first.next is not None
            second = reports.page(first.next, 2)
            found = [*first.clients, *second.clients]

            assert (first.total, len(first.clients), second.next) == (3, 2, None)
            ids = [parse_client_id(one.id) or 0 for one in found]
            assert ids == sorted(set(ids))
            assert {one.address for one in found} == {"127.0.0.1"}
            assert [one.follows.names for one in found][-1] == ["cloud-7"]
            client = reports.find(found[0].id)
            assert client is not None
            assert reports.report(client).transport == "websocket"
        assert reports.find("zzzz") is None


async def test_a_client_that_does_not_read_has_a_backlog_a_lag_and_pauses() -> None:
    async with serving() as server, server.dial() as plain:
        reports = ClientReports(server.registry, server.core.store)

        def report() -> str:
            server.publish(pad=40_000)
            return reports.page("", 1).clients[0].state

        await until(lambda: report() == "paused", "paused")
        server.publish()
        [slow] = reports.page("", 1).clients

        assert slow.backlog_bytes > 0
        assert slow.lag >= 1
        assert slow.pauses >= 1
        plain.close()


@given(st.integers(1, 2**60))
def test_an_id_is_read_back(number: int) -> None:
    class Client:
        opened_us = number

    assert parse_client_id(client_id(Client())) == number  # type: ignore[arg-type]


def test_what_is_no_id_is_none() -> None:
    assert [parse_client_id(text) for text in ("", "A", "-1", "x" * 14, "a b")] == [None] * 5


def test_a_filter_is_described_within_a_limit() -> None:
    many = frozenset(f"p{number:03}" for number in range(100))

    assert describe_filter(None) == Follows(True, 0, [])
    assert describe_filter(Scope(frozenset({"a"}), ("w-",))) == Follows(False, 2, ["a", "w-*"])
    described = describe_filter(many)
    assert (described.count, len(described.names)) == (100, MAX_NAMES)
