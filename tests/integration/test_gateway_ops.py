"""A gateway's ops port: answered whatever the public port has to do, and nowhere else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from devstack import ports
from devstack.broker import Broker
from runtime.private_server import MAX_CONNECTIONS
from tests.gateway import (
    TIMEOUT_S,
    Gateway,
    RawConnection,
    connect_publisher,
    handshake,
    request,
    state,
)
from tests.waiting import POLL_S, eventually

pytestmark = pytest.mark.timeout(90)

SOCKETS = 60
"""GATEWAY_MAX_CONNECTIONS of the gateway under test."""


@pytest.fixture
async def gateway(broker: Broker, prefix: str) -> AsyncIterator[Gateway]:
    """A gateway with room for few sockets."""
    async with Gateway(
        broker, prefix, GATEWAY_MAX_CONNECTIONS=str(SOCKETS), GATEWAY_MAX_REQUESTS="8"
    ) as started:
        yield started


@contextlib.asynccontextmanager
async def held(gateway: Gateway, *sent: bytes) -> AsyncIterator[list[RawConnection]]:
    """Hold a connection for each of these beginnings."""
    connections = [await gateway.open_raw(one) for one in sent]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


async def until_counted(gateway: Gateway, name: str) -> None:
    """Wait until a counter is above 0: of a crowd that has connected, some may wait to be read."""

    async def is_counted() -> bool:
        return await gateway.metric(name) > 0

    await eventually(is_counted, name)


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
@pytest.mark.parametrize(
    "line",
    [
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{ops}\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: localhost:{ops}\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Port: {ops}\r\n\r\n",
        "GET http://127.0.0.1:{ops}{path} HTTP/1.1\r\nHost: 127.0.0.1:{ops}\r\n\r\n",
        "GET /.{path} HTTP/1.1\r\nHost: 127.0.0.1:{ops}\r\n\r\n",
        "GET /ws/..{path} HTTP/1.1\r\nHost: 127.0.0.1:{ops}\r\n\r\n",
    ],
)
async def test_no_request_to_the_public_port_reaches_the_ops_port(
    gateway: Gateway, line: str, path: str
) -> None:
    """The two are told apart by their sockets."""
    async with held(gateway, line.format(path=path, ops=gateway.ops_port).encode()) as [one]:
        got = await one.read_until(lambda data: b"\r\n\r\n" in data)

    assert not got.startswith(b"HTTP/1.1 200"), got
    assert b"mqtt" not in got.lower()


async def test_the_public_port_has_a_bare_healthz_and_the_ops_port_nothing_public(
    gateway: Gateway,
) -> None:
    """Each path is on one port."""
    bare = await gateway.get("/healthz")
    assert (bare.status_code, bare.text) == (200, "ok\n")
    for path in ("/readyz", "/metrics"):
        assert (await gateway.get(path)).status_code == 404
        assert (await gateway.get_ops(path)).status_code == 200
    for path in ("/ws", "/events", "/api/pillows", "/openapi.json", "/pillowcast.js"):
        assert (await gateway.get_ops(path)).status_code == 404
    for path in ("/ops/clients", "/ops/pillows", "/ops/about"):
        assert (await gateway.get(path)).status_code == 404


async def test_the_ops_port_answers_while_the_public_port_is_full(gateway: Gateway) -> None:
    """Clients, half requests, silent sockets and kept ones: all that may be there, and more."""
    crowd = [handshake()] * SOCKETS + [b"GET / HT", b"", request("/healthz")] * SOCKETS
    async with held(gateway, *crowd):
        # Each request is a new connection.
        for _ in range(5):
            ready = await gateway.get_ops("/readyz")
            assert (ready.status_code, ready.json()["ready"]) == (200, True)
        await until_counted(gateway, 'refused_total{code="1013"}')
        await until_counted(gateway, 'connection_limit_reached_total{limit="total"}')


async def test_the_ops_port_answers_while_the_public_port_has_used_the_files(
    broker: Broker, prefix: str
) -> None:
    """Files are left for it: as many connections as it may have."""
    gateway = Gateway(broker, prefix)
    gateway.command = ["bash", "-c", 'ulimit -n 160; exec "$0"', *gateway.command]
    async with gateway, held(gateway, *[request("/healthz"), handshake(), b""] * 100):
        waiting = [
            await asyncio.open_connection(ports.HOST, gateway.ops_port)
            for _ in range(MAX_CONNECTIONS - 1)
        ]
        for _ in range(5):
            assert (await gateway.get_ops("/readyz")).status_code == 200
        await until_counted(gateway, 'connection_limit_reached_total{limit="total"}')
        assert await gateway.metric("out_of_files_total") == 0
        for _, writer in waiting:
            writer.close()


async def test_a_crowd_on_the_ops_port_is_bounded_and_disturbs_no_client(gateway: Gateway) -> None:
    """The newest of its connections is answered."""
    async with gateway.connect() as client:
        await client.receive_snapshot()
        crowd = [
            await asyncio.open_connection(ports.HOST, gateway.ops_port)
            for _ in range(10 * MAX_CONNECTIONS)
        ]
        assert (await gateway.get_ops("/readyz")).status_code == 200
        for reader, _ in crowd[: -2 * MAX_CONNECTIONS]:
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(20):
                    assert await reader.read() == b""
        await client.send({"type": "ping", "sent": 1})
        assert (await client.receive())["type"] == "pong"
        for _, writer in crowd:
            writer.close()


async def test_the_ops_port_answers_before_the_broker_was_reached(prefix: str) -> None:
    """Pages wait for retained states for a while; operators do not."""
    nowhere = Broker(ports.free())
    async with Gateway(nowhere, prefix, without_broker=True) as started:
        ready = await started.get_ops("/readyz")
        assert ready.status_code == 503
        assert f":{nowhere.port}" in ready.json()["dependencies"]["mqtt"]
        assert (await started.get("/healthz")).text == "ok\n"


async def test_a_taken_ops_port_that_was_set_ends_the_process(gateway: Gateway) -> None:
    """The sentence names the setting."""
    second = Gateway(gateway.broker, gateway.prefix, GATEWAY_OPS_PORT=str(gateway.ops_port))
    await second.spawn()

    assert await second.wait() == 2
    assert second.log.text == (
        f"gateway: cannot listen on {ports.HOST}:{gateway.ops_port}: Address already in use; "
        "set GATEWAY_OPS_PORT to a free port"
    )


async def test_an_operator_sees_clients_grey_pillows_and_refusals(gateway: Gateway) -> None:
    """As a page that needs no script, and as JSON; one connection's stream, too."""
    async with connect_publisher(gateway.broker, gateway.prefix) as pillows:
        await pillows.publish(state(ago_s=600))
        async with gateway.connect("?pillow=cloud-1") as client:
            await client.receive_snapshot()
            [listed] = (await gateway.get_ops("/ops/clients")).json()["clients"]
            assert (listed["state"], listed["follows"]["names"]) == ("live", ["cloud-1"])
            tracing = asyncio.ensure_future(gateway.get_ops(f"/ops/clients/{listed['id']}/trace"))
            while not tracing.done():
                await pillows.publish(state("cloud-1", "spinning"))
                await asyncio.wait({tracing}, timeout=POLL_S)
            [event, *_] = (await tracing).json()["events"]
            assert (event["what"], "spinning" in event["frames"][0]) == ("update", True)
        await pillows.publish_availability("cloud-1", b"offline")
        async with asyncio.timeout(TIMEOUT_S):
            while (await gateway.get_ops("/ops/pillows/cloud-1")).json()["grey"] != "offline":
                pass
    page = await gateway.get_ops("/")
    assert page.headers["content-type"].startswith("text/html")
    assert len(page.headers.get_list("content-security-policy")) == 1
    assert "cloud-1" in page.text
    assert "availability is offline" in page.text
    assert (await gateway.get_ops("/ops/clients/nobody")).status_code == 404
