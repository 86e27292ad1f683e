"""Closings: many clients that leave together do not hold the event loop."""

import asyncio
import socket
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.closings import CLOSED_IN_A_TURN, ClosingQueue
from tests.gateway import handshake, request
from tests.unit.gateway.servers import serving
from tests.unit.gateway.transport.transports import MemoryTransport
from tests.waiting import until

LEAVING = 30


@given(st.lists(st.integers(0, 3 * CLOSED_IN_A_TURN), max_size=6))
async def test_a_turn_of_the_loop_closes_a_few_in_the_order_of_their_ends(
    bursts: list[int],
) -> None:
    """However many end in one; the caller closes those whose turn it is."""
    queue = ClosingQueue()
    transports: list[MemoryTransport] = []
    ended = [0]

    def note() -> None:
        ended.append(sum(one.has_ended for one in transports))

    for burst in bursts:
        for _ in range(burst):
            transports.append(MemoryTransport())
            if not queue.close_in_turn(transports[-1]):
                transports[-1].close()
        note()
        await asyncio.sleep(0)
        note()
    while len(queue):
        await asyncio.sleep(0)
        note()
        assert [one.has_ended for one in transports] == sorted(
            (one.has_ended for one in transports), reverse=True
        )
    assert all(one.has_ended for one in transports)
    # A burst and the turn behind it may each have as many.
    assert all(after - before <= CLOSED_IN_A_TURN for before, after in pairwise(ended))


async def test_one_that_is_aborted_before_its_turn_does_no_harm() -> None:
    """As those are that are evicted or that a shutdown ends."""
    async with serving() as served, AsyncExitStack() as clients:
        for _ in range(LEAVING):
            await clients.enter_async_context(served.dial())
        for connection in served.connections:
            if served.context.closings.close_in_turn(connection.transport):
                connection.abort()
            else:
                connection.transport.close()
        await until(lambda: len(served.registry) == 0, "unregistered")
        await until(lambda: not len(served.context.closings), "closed")


async def test_clients_that_leave_together_are_all_unregistered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """WebSockets, event streams and connections without a request."""
    kept: list[bool] = []
    close_in_turn = ClosingQueue.close_in_turn

    def noting(self: ClosingQueue, transport: asyncio.Transport) -> bool:
        kept.append(close_in_turn(self, transport))
        return kept[-1]

    monkeypatch.setattr(ClosingQueue, "close_in_turn", noting)
    async with serving() as served, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(served.dial(sent))
            for sent in (handshake(), request("/events"), b"")
            for _ in range(LEAVING)
        ]
        await until(lambda: served.clients == 2 * LEAVING, "registered")
        await until(lambda: len(served.registry) == 3 * LEAVING, "accepted")
        for client in clients:
            client.shutdown(socket.SHUT_WR)  # what they have not read would make it a reset
        await until(lambda: len(served.registry) == 0, "unregistered")
        assert len(kept) == 3 * LEAVING
        assert any(kept), "none waited"
        assert served.core.dispatcher.subscriber_count() == 0
        assert not len(served.context.closings)


class Failing(MemoryTransport):
    """A transport that cannot be closed."""

    def close(self) -> None:
        """Fail."""
        raise OSError("a fault")


async def test_one_that_fails_does_not_stop_the_others() -> None:
    """They are closed in later turns."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    queue = ClosingQueue()
    transports = [MemoryTransport() for _ in range(3 * CLOSED_IN_A_TURN)]
    for transport in (*transports[:CLOSED_IN_A_TURN], Failing(), *transports[CLOSED_IN_A_TURN:]):
        queue.close_in_turn(transport)
    await until(lambda: all(one.has_ended for one in transports[CLOSED_IN_A_TURN:]), "closed")
