"""What one address may use, at a real gateway process."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devstack import ports
from devstack.broker import Broker
from tests.gateway import (
    TIMEOUT_S,
    Gateway,
    RawConnection,
    close_code,
    handshake,
    parse_frames,
    request,
)
from tests.proxies import PlainNginx
from tests.waiting import POLL_S

PREFIX = "gwaddr"
OTHER = "127.0.0.2"
"""An address of this machine that is no trusted proxy."""
MOST = 3

ENDS = (b'"type":"snapshot"', b'"type":"error"', b"HTTP/1.1 429", b"HTTP/1.1 200")


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that trusts a proxy on 127.0.0.1; its log must have no error."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
        GATEWAY_MAX_CONNECTIONS_PER_ADDRESS=str(MOST),
        GATEWAY_MAX_CONNECTS_PER_ADDRESS="0",
        GATEWAY_MAX_REQUESTS_PER_ADDRESS="0",
    ) as started:
        yield started
        started.assert_log_is_clean()


def has(part: bytes) -> Callable[[bytes], bool]:
    """Return whether a part was received."""
    return lambda data: part in data


async def outcome(connection: RawConnection) -> int:
    """Return 0 for a client that was let in, else the close code or the status."""
    got = await connection.read_until(lambda data: any(one in data for one in ENDS))
    status = int(got.split(b" ", 2)[1])
    if status == 101:
        got = await connection.read_until(
            lambda data: b'"snapshot"' in data or close_code(data) is not None
        )
        return close_code(got) or 0
    return 0 if status == 200 else status


@asynccontextmanager
async def clients(
    gateway: Gateway,
    count: int,
    sent: bytes,
    source: str = ports.HOST,
    port: int | None = None,
) -> AsyncIterator[list[RawConnection]]:
    """Open connections that are let in."""
    opened: list[RawConnection] = []
    try:
        for _ in range(count):
            opened.append(await gateway.open_raw(sent, source=source, port=port))
            assert await outcome(opened[-1]) == 0
        yield opened
    finally:
        for connection in opened:
            connection.close()


async def asks(
    gateway: Gateway, sent: bytes, source: str = ports.HOST, port: int | None = None
) -> int:
    """Return the outcome of one connection that is closed afterwards."""
    connection = await gateway.open_raw(sent, source=source, port=port)
    try:
        return await outcome(connection)
    finally:
        connection.close()


async def until_let_in(gateway: Gateway, sent: bytes, source: str = ports.HOST) -> None:
    """Connect until a client is let in."""
    deadline = time.monotonic() + TIMEOUT_S
    while await asks(gateway, sent, source):
        assert time.monotonic() < deadline, "never let in again"
        await asyncio.sleep(POLL_S)


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close every connection at the end of a test."""
    connections: list[RawConnection] = []
    open_raw = Gateway.open_raw

    async def noted(*arguments: Any, **options: Any) -> RawConnection:
        connections.append(await open_raw(*arguments, **options))
        return connections[-1]

    monkeypatch.setattr(Gateway, "open_raw", noted)
    yield
    for connection in connections:
        connection.close()


def forwarded_for(address: str, path: str = "/ws") -> bytes:
    """Return a request for a stream, as a proxy passes it on."""
    header = f"X-Forwarded-For: {address}"
    return handshake(path, header) if path == "/ws" else request(path, header)


async def test_a_client_above_the_limit_of_its_address_is_told_so_and_may_come_back(
    gateway: Gateway,
) -> None:
    """With 4429 or 429; whatever it says about its address, because it is no trusted proxy."""
    async with clients(gateway, MOST - 1, forwarded_for("198.51.100.1"), OTHER):
        async with clients(gateway, 1, request("/events"), OTHER):
            refused = await gateway.open_raw(forwarded_for("198.51.100.9"), source=OTHER)
            assert await outcome(refused) == 4429
            error = msgspec.json.decode(parse_frames(refused.received)[0][1])
            assert error["code"] == 4429
            assert "GATEWAY_MAX_CONNECTIONS_PER_ADDRESS" in error["message"]
            stream = await gateway.open_raw(request("/events"), source=OTHER)
            assert await outcome(stream) == 429
            assert re.search(rb"\r\nretry-after: [1-9]\d*\r\n", await stream.read_to_end())
            assert await asks(gateway, request("/healthz"), OTHER) == 429
            assert await asks(gateway, handshake(), "127.0.0.3") == 0
        await until_let_in(gateway, handshake(), OTHER)


async def test_silent_connections_count_as_well(gateway: Gateway) -> None:
    """A socket that has asked for nothing yet is one."""
    silent = [await gateway.open_raw(source="127.0.0.4") for _ in range(MOST)]
    assert await asks(gateway, handshake(), "127.0.0.4") == 4429

    for connection in silent:
        connection.close()

    await until_let_in(gateway, handshake(), "127.0.0.4")


@pytest.mark.parametrize("path", ["/ws", "/events"])
async def test_clients_behind_a_trusted_proxy_are_told_apart(gateway: Gateway, path: str) -> None:
    """By what the proxy appended; what stands before it was written by the client."""
    async with clients(gateway, MOST, forwarded_for("198.51.100.2", path)):
        for spoofed in (
            "198.51.100.3, 198.51.100.2",
            "unknown,,, 198.51.100.2:4711",
            "198.51.100.2",
        ):
            assert await asks(gateway, forwarded_for(spoofed, path)) in (4429, 429)
        assert await asks(gateway, forwarded_for("198.51.100.3", path)) == 0
    await until_let_in(gateway, forwarded_for("198.51.100.2", path))


FORWARDED = (
    'Forwarded: for="[2001:db8:7:1::{n}]:4711"',
    'Forwarded: for=198.51.100.7, for="[2001:db8:7:1::{n}]";proto=https;by="a,b"',
    'Forwarded: for="198.51.100.7, FOR="[2001:db8:7:1::{n}]"',
    "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-For: 2001:db8:7:1::{n}",
    "X-Forwarded-For: [2001:db8:7:1::{n}]:80",
)


async def test_an_ipv6_client_is_its_64_however_it_is_written(gateway: Gateway) -> None:
    """Quoted, with a port, in two lines, behind quotes that a client left open."""
    headers = [line.format(n=n) for n, line in enumerate(FORWARDED, 1)]
    async with AsyncExitStack() as stack:
        for line in headers[:MOST]:
            await stack.enter_async_context(clients(gateway, 1, handshake("/ws", line)))
        for line in headers:
            assert await asks(gateway, handshake("/ws", line)) == 4429, line
        assert await asks(gateway, forwarded_for("2001:db8:7:2::1")) == 0


@pytest.mark.parametrize(
    "line",
    [
        "X-Forwarded-For: unknown",
        "X-Forwarded-For: 198.51.100.1, _hidden",
        "Forwarded: for=unknown",
        'Forwarded: for="_gazonk"',
        'Forwarded: for="[2001:db8::1"',
        "Forwarded: \xff;;,for",
        "X-Accel: 1",
    ],
)
async def test_a_client_that_is_not_named_is_counted_for_the_proxy(
    gateway: Gateway, line: str
) -> None:
    """Together with all others that it does not name."""
    async with clients(gateway, MOST, handshake("/ws", line)):
        assert await asks(gateway, handshake("/ws", "Forwarded: for=secret")) == 4429
        assert await asks(gateway, forwarded_for("198.51.100.4")) == 0
    await until_let_in(gateway, handshake("/ws", line))


async def test_a_kept_connection_of_a_proxy_belongs_to_whom_it_serves_now(
    gateway: Gateway,
) -> None:
    """An ordinary request is counted until it is answered."""
    kept = await gateway.open_raw()
    async with clients(gateway, MOST, forwarded_for("198.51.100.5")):
        for address, status in (("198.51.100.6", b"200"), ("198.51.100.5", b"429")):
            kept.received = b""
            await kept.send(request("/healthz", f"X-Forwarded-For: {address}"))
            await kept.read_until(has(b"HTTP/1.1 " + status))
    kept.close()
    await until_let_in(gateway, request("/healthz", "X-Forwarded-For: 198.51.100.5"))


async def test_nginx_tells_its_clients_apart(gateway: Gateway, tmp_path: Path) -> None:
    """`$proxy_add_x_forwarded_for` appends to what a client sends."""
    lines = (
        f"location / {{ proxy_pass http://{ports.HOST}:{gateway.port}; proxy_http_version 1.1; "
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrade; "
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }"
    )
    async with (
        PlainNginx(lines, tmp_path) as proxy,
        clients(gateway, MOST, handshake(), "127.0.0.5", proxy.port),
    ):
        spoofed = forwarded_for("198.51.100.11")
        assert await asks(gateway, spoofed, "127.0.0.5", proxy.port) == 4429
        assert await asks(gateway, request("/healthz"), "127.0.0.5", proxy.port) == 429
        assert await asks(gateway, handshake(), "127.0.0.6", proxy.port) == 0


async def test_new_connections_a_second_are_limited(broker: Broker, prefix: str) -> None:
    """Some above the limit are told so, the rest is closed at once; others notice nothing."""
    async with Gateway(broker, prefix, GATEWAY_MAX_CONNECTS_PER_ADDRESS="20") as gateway:
        opened = await asyncio.gather(
            *(gateway.open_raw(handshake(), source=OTHER) for _ in range(300))
        )
        ended = [await one.read_to_end() for one in opened if await _is_refused(one)]
        told = sum(close_code(data) == 4429 for data in ended)
        assert 0 < told < len(ended)
        assert 300 - len(ended) >= 20
        assert await asks(gateway, handshake(), "127.0.0.3") == 0
        await until_let_in(gateway, handshake(), OTHER)
        labels = 'address_limited_total{effect="%s",limit="connects"}'
        assert await gateway.metric(labels % "refused") >= told
        assert await gateway.metric(labels % "closed") >= len(ended) - told
        await gateway.log.wait_for("address limit reached", within_s=TIMEOUT_S)
        lines = [line for line in gateway.log.lines if "address limit reached" in line]
        assert len(lines) == 1
        assert OTHER in lines[0]
        assert "GATEWAY_MAX_CONNECTS_PER_ADDRESS" in lines[0]


async def _is_refused(connection: RawConnection) -> bool:
    """Return whether a connection ends without a snapshot."""
    try:
        await connection.read_until(lambda data: b'"snapshot"' in data)
    except (AssertionError, ConnectionResetError):
        # What is closed before its request was read is reset.
        return True
    return False


async def test_requests_a_second_are_limited(broker: Broker, prefix: str) -> None:
    """Behind a trusted proxy by the address that it names."""
    async with Gateway(
        broker,
        prefix,
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
        GATEWAY_MAX_REQUESTS_PER_ADDRESS="20",
    ) as gateway:
        one, other = (
            request("/healthz", f"X-Forwarded-For: 2001:db8::{net}:0:0:0:1") for net in (1, 2)
        )
        assert [await asks(gateway, one) for _ in range(20)] == [0] * 20
        # At once, because one after the other may be fewer than twenty a second.
        assert 429 in await asyncio.gather(*(asks(gateway, one) for _ in range(200)))
        assert await asks(gateway, other) == 0
        await until_let_in(gateway, one)
        begin_s = time.monotonic()
        flood = await gateway.open_raw(request("/healthz") * 10, source=OTHER)
        for _ in range(40):
            await flood.send(request("/healthz") * 5)
        got = await flood.read_to_end()
        assert got.count(b"HTTP/1.1 200") <= 20 * (1 + time.monotonic() - begin_s)


async def test_without_settings_loopback_has_no_limit_and_others_have(
    broker: Broker, prefix: str
) -> None:
    """A proxy on this machine that nobody told us about brings everybody from one address."""
    async with Gateway(broker, prefix, GATEWAY_TRUSTED_PROXIES="127.0.0.9") as gateway:
        async with clients(gateway, 300, handshake(), OTHER):
            pass
        named = [await asks(gateway, forwarded_for("203.0.113.9"), "127.0.0.9") for _ in range(64)]
        # These stay, because one after the other may be fewer than are allowed a second.
        more = [
            await gateway.open_raw(forwarded_for("203.0.113.9"), source="127.0.0.9")
            for _ in range(300)
        ]
        refused = [code for one in more if (code := await outcome(one))]
        nearby = [
            await asks(gateway, forwarded_for("192.168.0.9"), "127.0.0.9") for _ in range(100)
        ]
    assert named == [0] * 64
    assert set(refused) == {4429}
    assert set(nearby) == {0}
