"""The connection registry: pending connections, limits and shutdown."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from unittest.mock import Mock

import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.metrics import GatewayMetrics
from gateway.transport import connections
from gateway.transport.connection import ClientConnection
from gateway.transport.connection_limits import ConnectionLimits, derive_limits
from gateway.transport.connections import ConnectionRegistry, Stage
from gateway.transport.in_turns import SWEPT_IN_A_TURN
from gateway.transport.traffic_limits import TrafficLimits
from tests.gateway import close_code, handshake, parse_frames, request
from tests.unit.gateway.servers import read_to_end, read_until, serving
from tests.waiting import until


async def test_a_connection_without_a_byte_is_closed_after_the_request_timeout() -> None:
    """It holds a file descriptor."""
    async with serving(request_s=0.2) as served, served.dial(b"") as silent:
        with contextlib.suppress(ConnectionResetError):
            assert await read_to_end(silent) == b""
        assert len(served.registry) == 0


async def test_above_the_total_the_oldest_incomplete_request_is_evicted() -> None:
    """Slow heads, a byte each, do not lock newcomers out."""
    async with serving(limits=ConnectionLimits(total=3)) as served, AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(served.dial(b"G")) for _ in range(3)]
        await until(lambda: served.registry.count(Stage.PENDING) == 3, "connected")
        async with served.dial():
            with contextlib.suppress(ConnectionResetError):
                assert await read_to_end(slow[0]) == b""
            assert served.clients == 1
            assert served.registry.count(Stage.PENDING) == 2
        assert served.count("evicted_total", stage="pending") == 1
        assert served.count("connection_limit_reached_total", limit="total") == 1


async def test_pending_connections_are_evicted_above_their_limit_after_a_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clients that connect again together are all pending for a moment."""
    limits = ConnectionLimits(total=100, pending=2)
    async with serving(limits=limits) as served, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(served.dial(b"")) for _ in range(4)]
        await until(lambda: served.registry.count(Stage.PENDING) == 4, "no eviction in the grace")

        monkeypatch.setattr(connections, "PENDING_GRACE_S", 0.0)
        await stack.enter_async_context(served.dial(b""))

        with contextlib.suppress(ConnectionResetError):
            assert await read_to_end(silent[0]) == b""
        await until(lambda: served.registry.count(Stage.PENDING) == 4, "the oldest evicted")


async def test_every_accepted_socket_counts() -> None:
    """Ordinary requests too: of 30 connections that are kept alive 10 stay, the newest."""
    async with serving(limits=ConnectionLimits(total=10)) as served, AsyncExitStack() as stack:
        dialled = []
        for _ in range(30):
            dialled.append(await stack.enter_async_context(served.dial(request("/nothing"))))
            async with asyncio.timeout(10):
                await asyncio.get_running_loop().sock_recv(dialled[-1], 4096)
            assert len(served.registry) <= 10
        assert served.registry.count(Stage.IDLE) == 10
        assert served.count("evicted_total", stage="idle") == 20
        async with served.dial():
            assert served.clients == 1


async def test_idle_connections_have_a_limit_and_the_oldest_goes() -> None:
    """However many sockets are left."""
    limits = ConnectionLimits(total=100, idle=2)
    async with serving(limits=limits) as served, AsyncExitStack() as stack:
        for _ in range(3):
            client = await stack.enter_async_context(served.dial(request("/nothing")))
            async with asyncio.timeout(10):
                await asyncio.get_running_loop().sock_recv(client, 4096)
        await until(lambda: served.registry.count(Stage.IDLE) == 2, "evicted")
        assert served.count("sockets", stage="idle") == 2


async def test_a_request_above_the_limit_is_answered_with_503() -> None:
    """With a problem document, and without the application."""
    may_respond = asyncio.Event()

    async def slow(_request: Request) -> Response:
        await may_respond.wait()
        return Response(b"done")

    app = Starlette(routes=[Route("/slow", slow)])
    async with (
        serving(app=app, limits=ConnectionLimits(requests=1)) as served,
        served.dial(request("/slow")) as first,
    ):
        await until(lambda: served.registry.count(Stage.REQUEST) == 1, "first request")
        async with served.dial(request("/slow")) as second:
            got = await read_to_end(second)
        may_respond.set()
        async with asyncio.timeout(10):
            assert b"200 OK" in await asyncio.get_running_loop().sock_recv(first, 4096)
        await until(lambda: served.registry.count(Stage.IDLE) == 1, "idle")

    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"application/problem+json" in got
    assert b"retry-after: " in got


async def test_whether_it_is_alive_is_answered_above_the_limit_of_requests() -> None:
    """A load balancer would take a gateway away, with all its clients, that says 503 there."""
    may_respond = asyncio.Event()

    async def slow(_request: Request) -> Response:
        await may_respond.wait()
        return Response(b"done")

    routes = [Route("/slow", slow), Route("/healthz", lambda _request: Response(b"ok"))]
    async with (
        serving(app=Starlette(routes=routes), limits=ConnectionLimits(requests=1)) as served,
        served.dial(request("/slow")),
    ):
        await until(lambda: served.registry.count(Stage.REQUEST) == 1, "first request")
        async with served.dial(request("/healthz", "Connection: close")) as second:
            got = await read_to_end(second)
        may_respond.set()

    assert got.startswith(b"HTTP/1.1 200 ")


class Flood:
    """An application that responds with pieces without an end."""

    def __init__(self) -> None:
        self.app = Starlette(
            routes=[Route("/flood", self.flood), Route("/small", lambda _request: Response(b"x"))]
        )

    async def flood(self, _request: Request) -> Response:
        """Respond with 64 KiB at a time, as fast as the client reads."""

        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield bytes(65_536)
                await asyncio.sleep(0)

        return StreamingResponse(pieces())


async def test_a_response_that_makes_no_progress_is_ended_and_counted() -> None:
    """But not one whose client reads slowly."""
    loop = asyncio.get_running_loop()
    async with (
        serving(app=Flood().app, traffic=TrafficLimits(response_s=0.5)) as served,
        served.dial(request("/flood")) as slow,
        served.dial(request("/flood")),
    ):
        await until(lambda: served.registry.count(Stage.STALLED) == 2, "stalled")
        async with asyncio.timeout(10):
            while len(served.registry) == 2:
                assert await loop.sock_recv(slow, 2048)
                await asyncio.sleep(0.02)
            for _ in range(50):  # twice the timeout
                assert await loop.sock_recv(slow, 2048)
                await asyncio.sleep(0.02)
        assert len(served.registry) == 1
        assert served.count("stalled_responses_total") == 1


@pytest.mark.parametrize("header", ["Connection: keep-alive", "Connection: close"])
async def test_the_rest_of_a_whole_response_has_to_be_read_as_well(header: str) -> None:
    """Of some sizes the system takes a part, and the rest is too small to pause the application."""

    async def whole(asked: Request) -> Response:
        return Response(bytes(int(asked.query_params["size"])))

    app = Starlette(routes=[Route("/whole", whole)])
    traffic = TrafficLimits(response_s=0.2)
    async with (
        serving(app=app, traffic=traffic, keep_alive_s=1) as served,
        AsyncExitStack() as stack,
    ):
        for size in range(100_000, 400_000, 30_000):
            await stack.enter_async_context(served.dial(request(f"/whole?size={size}", header)))
        await served.wait_until_read()
        await until(lambda: len(served.registry) == 0, "ended, or idle for too long")
        assert served.count("stalled_responses_total") >= 4


async def test_a_stalled_response_gives_its_place_to_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clients that do not read do not make the gateway unreachable."""
    monkeypatch.setattr(connections, "STALL_GRACE_S", 0.0)
    limits = ConnectionLimits(requests=1)
    async with serving(app=Flood().app, limits=limits) as served:
        async with served.dial(request("/flood")) as unread:
            await until(lambda: served.registry.count(Stage.STALLED) == 1, "stalled")
            async with served.dial(request("/small")) as client, asyncio.timeout(10):
                got = await asyncio.get_running_loop().sock_recv(client, 4096)
            assert got.startswith(b"HTTP/1.1 200 ")
            with contextlib.suppress(ConnectionResetError):
                await read_to_end(unread)
        assert served.count("evicted_total", stage="stalled") == 1


async def test_a_body_that_still_arrives_holds_no_place_of_a_request() -> None:
    """Its answer is sent, and a client that never ends it keeps nobody out."""
    half = request("/nothing", "Content-Length: 1000", method="POST") + b"x"
    async with serving(limits=ConnectionLimits(requests=1)) as served, AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()
        for sent in (half, half, request("/nothing")):
            client = await stack.enter_async_context(served.dial(sent))
            async with asyncio.timeout(10):
                assert (await loop.sock_recv(client, 4096)).startswith(b"HTTP/1.1 404 ")
        await until(lambda: served.registry.count(Stage.PENDING) == 2, "incomplete requests")


async def test_requests_that_arrive_together_are_answered_while_there_is_room() -> None:
    """A proxy passes on what several pages ask for at once, on a connection for each request."""
    limits = derive_limits(ConnectionLimits(total=100, clients=0), None)
    async with serving(limits=limits) as served, AsyncExitStack() as stack:
        dialled = [
            await stack.enter_async_context(served.dial(request("/nothing"))) for _ in range(60)
        ]
        for client in dialled:
            async with asyncio.timeout(10):
                got = await asyncio.get_running_loop().sock_recv(client, 4096)
            assert got.startswith(b"HTTP/1.1 404 ")


async def test_clients_and_requests_leave_room_for_newcomers() -> None:
    """However few clients there are, requests above the room are answered with 503."""
    limits = ConnectionLimits(total=3, newcomers=2)
    async with serving(limits=limits) as served, served.dial() as client:
        await until(lambda: served.clients == 1, "connected")
        async with served.dial(request("/nothing")) as refused:
            assert (await read_to_end(refused)).startswith(b"HTTP/1.1 503 ")
        assert client.fileno() >= 0


async def test_a_refused_client_takes_nobodys_place() -> None:
    """As many foreign pages as there are places, and a good browser is admitted."""
    async with serving(max_clients=3) as served, AsyncExitStack() as stack:
        for _ in range(5):
            foreign = handshake("/ws", "Origin: https://evil.example")
            refused = await stack.enter_async_context(served.dial(foreign))
            async with asyncio.timeout(10):
                await asyncio.get_running_loop().sock_recv(refused, 4096)
        assert served.clients == 0
        async with served.dial() as good, asyncio.timeout(10):
            assert b'"snapshot"' in await asyncio.get_running_loop().sock_recv(good, 4096)


async def test_above_the_total_a_refused_connection_goes_before_an_idle_one() -> None:
    """Then the idle one goes, then the incomplete request."""
    async with serving(limits=ConnectionLimits(total=3)) as served, AsyncExitStack() as stack:
        await stack.enter_async_context(served.dial(b"GET / HT"))
        idle = await stack.enter_async_context(served.dial(request("/nothing")))
        foreign = handshake("/ws", "Origin: https://evil.example")
        await stack.enter_async_context(served.dial(foreign))
        await until(lambda: served.registry.count(Stage.CLOSING) == 1, "refused")
        for stage in (Stage.CLOSING, Stage.IDLE, Stage.PENDING):
            assert served.registry.count(stage) == 1
            await stack.enter_async_context(served.dial())
            assert served.registry.count(stage) == 0
        assert idle.fileno() >= 0


async def test_a_limit_is_logged_once() -> None:
    """And counted each time."""
    with structlog.testing.capture_logs() as logs:
        async with serving(limits=ConnectionLimits(total=2)) as served, AsyncExitStack() as stack:
            for _ in range(6):
                await stack.enter_async_context(served.dial(b""))
            await until(
                lambda: served.count("connection_limit_reached_total", limit="total") == 4,
                "evicted",
            )
    assert [line["limit"] for line in logs if line["event"] == "connection limit reached"] == [
        "total"
    ]


async def test_without_a_free_descriptor_the_least_worthy_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a metric, and a line once."""
    monkeypatch.setattr(connections, "is_out_of_files", lambda: True)
    with structlog.testing.capture_logs() as logs:
        async with serving() as served, served.dial(b""):
            await until(lambda: served.count("out_of_files_total") >= 2, "checked twice")
            assert len(served.registry) == 0
    assert [line["log_level"] for line in logs if "out of open files" in line["event"]] == ["error"]


async def test_a_client_above_the_limit_is_refused_with_1013() -> None:
    """With a reason, and the clients that are connected stay."""
    loop = asyncio.get_running_loop()
    async with serving(max_clients=1) as served, served.dial() as first:
        await read_until(first, b'"snapshot"')
        async with served.dial(handshake()) as second:
            got = b""
            async with asyncio.timeout(10):
                while close_code(got) is None:
                    got += await loop.sock_recv(second, 4096)
        assert served.core.dispatcher.subscriber_count() == 1
        assert served.count("refused_total", code="1013") == 1

    assert close_code(got) == 1013
    assert b"try again later" in parse_frames(got)[0][1]


async def test_close_ends_every_connection_and_those_that_follow() -> None:
    """Pending ones, ordinary ones that are idle, and clients."""
    async with serving() as served, AsyncExitStack() as stack:
        dialled = [
            await stack.enter_async_context(served.dial(sent))
            for sent in (b"", b"GET / HT", handshake(), request("/events"))
        ]
        await until(
            lambda: (served.registry.count(Stage.PENDING), served.clients) == (2, 2),
            "connected",
        )

        served.registry.close()

        for connection in dialled:
            with contextlib.suppress(ConnectionResetError):
                await read_to_end(connection)
        async with served.dial(b"") as late:
            with contextlib.suppress(ConnectionResetError):
                assert await read_to_end(late) == b""
        await until(lambda: len(served.registry) == 0, "unregistered")


@pytest.mark.parametrize("sent", [handshake(), request("/events")], ids=["websocket", "events"])
async def test_a_connection_that_cannot_be_registered_is_closed_once(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descriptor that is closed twice may belong to another connection the second time."""

    def fail(_client: ClientConnection) -> None:
        raise ValueError("a bug")

    async with serving() as served:
        monkeypatch.setattr(served.registry, "register", fail)
        async with served.dial(sent) as client:
            with contextlib.suppress(ConnectionResetError):
                assert await read_to_end(client) == b""
        gc.collect()  # an open socket that is freed raises a ResourceWarning, which is an error


async def test_a_crowd_that_is_due_together_lets_the_event_loop_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Updates to good clients wait for a few of a thousand silent connections, not for all."""
    monkeypatch.setattr(connections, "SWEEP_S", 0.01)
    registry = ConnectionRegistry(GatewayMetrics(), ConnectionLimits(total=2000), request_s=0.0)
    crowd = [Mock(spec=ClientConnection) for _ in range(1000)]
    for one in crowd:
        registry.accept(one)
    left = [registry.count(Stage.PENDING)]

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(registry.run())
        while left[-1]:
            await asyncio.sleep(0)
            left.append(registry.count(Stage.PENDING))
        sweep.cancel()

    assert max(before - after for before, after in pairwise(left)) <= SWEPT_IN_A_TURN
    assert all(one.abort.called for one in crowd)
