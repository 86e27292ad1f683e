"""A trace: what one client is sent and why, and nothing while nobody asks."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.ops import client_trace
from gateway.ops.client_reports import ClientReports, client_id
from gateway.ops.client_trace import MAX_TRACES, ClientTraces, TooManyTraces, TraceEvent
from tests.unit.gateway.servers import Served, serving
from tests.waiting import until


async def test_it_tells_updates_pauses_and_what_follows_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_trace, "LONG_POLL_S", 0.05)
    async with serving() as server, server.dial() as plain:
        await until(lambda: all(one.is_live for one in server.connections), "live")
        traces = ClientTraces(server.core.dispatcher)
        client = next(iter(server.connections))
        assert await traces.events_after(client, 0) == []
        server.publish()
        [update] = await events(traces, server, 0)
        assert (update.what, update.pillows) == ("update", 1)
        assert '"type":"update"' in update.frames[0]

        while not client.is_paused:
            server.publish(pad=40_000)
            await asyncio.sleep(0)
        last = (await events(traces, server, update.number))[-1]
        assert last.what == "paused"
        loop = asyncio.get_running_loop()
        found: list[TraceEvent] = []
        async with asyncio.timeout(20):
            while not {"resumed", "catch_up"} <= {one.what for one in found}:
                await loop.sock_recv(plain, 1 << 16)
                found += await traces.events_after(
                    client, found[-1].number if found else last.number
                )


async def test_the_rest_of_a_client_that_left_between_two_requests_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_trace, "LONG_POLL_S", 0.05)
    async with serving() as server:
        traces = ClientTraces(server.core.dispatcher)
        reports = ClientReports(server.registry, server.core.store)
        async with server.dial():
            await until(lambda: all(one.is_live for one in server.connections), "live")
            client = next(iter(server.connections))
            name = client_id(client)
            assert await traces.events_after(client, 0) == []
            assert traces.departed(0) == []
        await until(lambda: reports.find(name) is None, "it has left")

        assert reports.find(name, traces.departed(0)) is client
        [left] = await traces.events_after(client, 0)
        assert left.what == "left"
        assert reports.report(client).backlog_bytes == 0
        assert reports.find(name, traces.departed(left.number)) is None


async def events(traces: ClientTraces, server: Served, after: int) -> list[TraceEvent]:
    client = next(iter(server.connections))
    async with asyncio.timeout(20):
        while not (found := await traces.events_after(client, after)):
            pass
    return found


async def test_it_ends_when_nobody_asks_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_trace, "LONG_POLL_S", 0.01)
    monkeypatch.setattr(client_trace, "TRACE_S", 0.05)
    async with serving() as server, server.dial():
        dispatcher = server.core.dispatcher
        traces = ClientTraces(dispatcher)
        assert dispatcher.tap is None
        await traces.events_after(next(iter(server.connections)), 0)
        assert dispatcher.tap is traces
        await until(lambda: dispatcher.tap is None, "the end of the trace")


async def test_only_so_many_clients_are_traced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_trace, "LONG_POLL_S", 0.01)
    async with serving() as server, AsyncExitStack() as stack:
        for _ in range(MAX_TRACES + 1):
            await stack.enter_async_context(server.dial())
        traces, clients = ClientTraces(server.core.dispatcher), list(server.connections)
        assert len(clients) == MAX_TRACES + 1
        for client in clients[:MAX_TRACES]:
            await traces.events_after(client, 0)
        with pytest.raises(TooManyTraces):
            await traces.events_after(clients[-1], 0)
