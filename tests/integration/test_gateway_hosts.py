"""A real gateway under foreign hosts: on each endpoint, behind a proxy, and as DNS rebinding."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from devstack.broker import Broker
from tests.gateway import Gateway, close_code, handshake, parse_frames, request

PREFIX = "gwhosts"
PATHS = (
    "/", "/pillowcast.js", "/embed.js", "/api/pillows", "/api/pillows/cloud-1",
    "/api/pillows/cloud-1/history", "/events", "/events?pillow=cloud-1", "/healthz", "/ws",
    "/openapi.json", "/asyncapi.json", "/badge/cloud-1.svg", "/nothing",
)  # fmt: skip
FOREIGN = (
    "evil.example", "evil.example:8080", "localhost.evil.example", "EVIL.example.", "", "0x7f.1",
    "2130706433", "localhost, evil.example",
)  # fmt: skip


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway with the defaults: it is bound to loopback."""
    async with Gateway(broker, PREFIX) as started:
        yield started
        started.assert_log_is_clean()


@pytest.fixture(scope="module")
async def proxied(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway with a name of its own, behind a trusted proxy on this machine."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_ALLOWED_HOSTS="clouds.example,*.wall.example",
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
    ) as started:
        yield started


def under(host: str, sent: bytes) -> bytes:
    """Return a request with another Host."""
    return sent.replace(b"Host: localhost", b"Host: " + host.encode())


async def answer(gateway: Gateway, sent: bytes) -> bytes:
    """Return what the gateway sends until it ends the connection."""
    connection = await gateway.open_raw(sent)
    got = await connection.read_to_end()
    connection.close()
    return got


async def refusal(gateway: Gateway, sent: bytes) -> dict[str, object]:
    """Return the frame with which a WebSocket is refused, with its close code."""
    connection = await gateway.open_raw(sent)
    got = await connection.read_until(lambda data: close_code(data) is not None)
    connection.close()
    (_, error), *others = parse_frames(got)
    assert len(others) == 1, "no state is sent"
    return {**msgspec.json.decode(error), "closed": close_code(got)}


@pytest.mark.parametrize("host", FOREIGN)
async def test_a_foreign_host_is_refused_on_every_endpoint(gateway: Gateway, host: str) -> None:
    """With 421 and a problem document that says what to change."""
    for path in PATHS:
        got = await answer(gateway, under(host, request(path)))
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 421 "), path
        assert b"content-type: application/problem+json" in head
        problem = msgspec.json.decode(body)
        assert (problem["status"], problem["type"]) == (421, "about:blank")
        assert "GATEWAY_ALLOWED_HOSTS" in problem["detail"]


@pytest.mark.parametrize("host", FOREIGN)
async def test_a_websocket_under_a_foreign_host_is_refused_with_4403(
    gateway: Gateway, host: str
) -> None:
    """After the upgrade, so that a page can read why; also where it arrives in pieces."""
    for more in ((), ("Origin: http://localhost",)):
        frame = await refusal(gateway, under(host, handshake("/ws", *more)))
        assert (frame["type"], frame["code"], frame["closed"]) == ("error", 4403, 4403)
        assert "GATEWAY_ALLOWED_HOSTS" in str(frame["message"])


async def test_dns_rebinding_reads_nothing(gateway: Gateway) -> None:
    """A page whose name is resolved to this machine has `Origin` = `Host`."""
    host = f"evil.example:{gateway.port}"
    origin = f"Origin: http://{host}"

    frame = await refusal(gateway, under(host, handshake("/ws", origin)))
    assert frame["code"] == 4403
    for path in ("/events", "/api/pillows", "/"):
        for more in ((origin,), ("Sec-Fetch-Site: same-origin", "X-Forwarded-Host: localhost")):
            got = await answer(gateway, under(host, request(path, *more)))
            assert got.startswith(b"HTTP/1.1 421 "), path


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1:1", "[::1]", "10.0.0.7"])
async def test_loopback_and_addresses_are_answered(gateway: Gateway, host: str) -> None:
    """Nobody else's name stands for them."""
    got = await answer(gateway, under(host, request("/healthz", "Connection: close")))
    assert got.startswith(b"HTTP/1.1 200 ")


async def test_requests_behind_an_allowed_one_are_checked_too(gateway: Gateway) -> None:
    """On the same connection, early or late."""
    both = request("/healthz") + under("evil.example", request("/api/pillows"))
    assert b"pillows" not in await answer(gateway, both)
    connection = await gateway.open_raw(request("/healthz"))
    await connection.read_until(lambda data: b"ok\n" in data)
    await connection.send(under("evil.example", request("/api/pillows")))
    assert b"HTTP/1.1 421 " in await connection.read_to_end()
    connection.close()


@pytest.mark.parametrize(
    ("target", "host"),
    [("http://evil.example/api/pillows", "localhost"), ("http://localhost/", "evil.example")],
)
async def test_an_absolute_target_with_another_host_is_no_request(
    gateway: Gateway, target: str, host: str
) -> None:
    """Whichever of the two is foreign."""
    got = await answer(gateway, under(host, request(target)))
    assert got.startswith(b"HTTP/1.1 400 ")


async def test_a_request_of_http_1_0_may_have_no_host(gateway: Gateway) -> None:
    """Health checks of proxies; no browser sends one."""
    got = await answer(gateway, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert (await answer(gateway, b"GET /healthz HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("clouds.example", (), 200),
        ("a.wall.example:8443", (), 200),
        ("wall.example", (), 421),
        ("10.0.0.7", (), 200),
        ("0x7f.1", (), 421),
        ("localhost", (), 200),
        ("127.0.0.1:8080", ("X-Forwarded-Host: clouds.example",), 200),
        ("gateway:8080", ("X-Forwarded-Host: Clouds.example:443",), 200),
        ("gateway:8080", ('Forwarded: for=x;host="b.wall.example";proto=https',), 200),
        ("localhost", ("X-Forwarded-Host: evil.example",), 421),
        ("clouds.example", ("Forwarded: host=evil.example",), 421),
        ("gateway", ("X-Forwarded-Host: clouds.example, evil.example",), 421),
        ("evil.example", ("X-Forwarded-Host: clouds.example",), 421),
    ],
)
async def test_the_host_is_the_one_that_a_trusted_proxy_was_asked_for(
    proxied: Gateway, host: str, headers: tuple[str, ...], status: int
) -> None:
    """A page on the proxy's machine cannot speak for it, because it cannot set Host."""
    sent = under(host, request("/api/pillows", "Connection: close", *headers))
    assert (await answer(proxied, sent)).startswith(f"HTTP/1.1 {status} ".encode())


async def test_headers_of_a_proxy_that_is_not_trusted_change_nothing(gateway: Gateway) -> None:
    """In neither direction."""
    for header in ("X-Forwarded-Host: localhost", "Forwarded: host=localhost"):
        got = await answer(gateway, under("evil.example", request("/api/pillows", header)))
        assert got.startswith(b"HTTP/1.1 421 ")
    got = await answer(gateway, request("/", "X-Forwarded-Host: evil.example", "Connection: close"))
    assert got.startswith(b"HTTP/1.1 200 ")


async def test_a_page_of_http_is_none_of_a_gateway_that_is_reached_by_https(
    proxied: Gateway,
) -> None:
    """As the trusted proxy tells."""
    https = ("X-Forwarded-Host: clouds.example", "X-Forwarded-Proto: https")

    frame = await refusal(proxied, handshake("/ws", "Origin: http://clouds.example", *https))
    assert frame["code"] == 4403
    assert "https://" in str(frame["message"])
    sent = handshake("/ws?pillow=x", "Origin: https://clouds.example", *https)
    connection = await proxied.open_raw(sent)
    await connection.read_until(lambda data: b'"snapshot"' in data)
    connection.close()


async def test_refused_hosts_are_counted_and_logged_seldom(broker: Broker, prefix: str) -> None:
    """Anybody can send any number of them."""
    async with Gateway(broker, prefix) as gateway:
        for number in range(20):
            await answer(gateway, under(f"evil-{number}.example", request("/")))
        assert await gateway.metric('refused_total{code="4403"}') == 20
        lines = [line for line in gateway.log.lines if "a client was refused" in line]
        assert len(lines) == 1
        assert "evil-0.example" in lines[0]


async def test_a_gateway_that_is_open_to_a_network_says_so(broker: Broker, prefix: str) -> None:
    """It answers to every name, unless it is told its own."""
    async with Gateway(broker, prefix, GATEWAY_HOST="0.0.0.0") as gateway:
        got = await answer(gateway, under("any.example", request("/healthz", "Connection: close")))
        assert got.startswith(b"HTTP/1.1 200 ")
        assert "requests for any host are answered" in gateway.log.text


async def test_the_ops_port_is_not_answered_under_foreign_names(gateway: Gateway) -> None:
    """It is on loopback, where every page of this machine's browsers can reach it."""
    for path in ("/metrics", "/readyz", "/healthz"):
        assert (await gateway.get_ops(path, Host="evil.example")).status_code == 421
        assert (await gateway.get_ops(path, Host="localhost")).status_code == 200
