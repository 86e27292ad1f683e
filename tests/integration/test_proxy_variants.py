"""The gateway behind proxies that are configured in other ways than in deploy/proxies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from devstack import ports
from devstack.broker import Broker
from tests.gateway import TIMEOUT_S, Gateway, Publisher, WebSocketClient, state
from tests.proxies import Express, PlainNginx

PREFIX = "gwvariants"
UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    "proxy_set_header Connection $upgrade;"
)
FORWARDED_HOST = "proxy_set_header X-Forwarded-Host $http_host;"
FORWARDED = """proxy_set_header Forwarded 'for=unknown;host="$http_host";proto=http';"""


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that trusts no proxy."""
    async with Gateway(broker, PREFIX, GATEWAY_EXPIRE_AFTER="86400") as started:
        yield started
        started.assert_log_is_clean()


@pytest.fixture(scope="module")
async def trusting(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that trusts proxies on this machine."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_EXPIRE_AFTER="86400",
        GATEWAY_TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1",
    ) as started:
        yield started
        started.assert_log_is_clean()


@asynccontextmanager
async def nginx(folder: Path, gateway: Gateway, lines: str) -> AsyncIterator[PlainNginx]:
    """Run nginx in front of the gateway, with these lines in its location."""
    location = f"location / {{ proxy_pass {gateway.url}; {UPGRADE} {lines} }}"
    async with PlainNginx(location, folder) as started:
        yield started


async def first_frame(port: int, path: str = "", *, origin: str = "") -> dict[str, object]:
    """Return the first frame of a page's WebSocket behind a proxy."""
    address = f"ws://{ports.HOST}:{port}{path}/ws"
    page = Origin(origin or f"http://{ports.HOST}:{port}")
    async with connect(address, origin=page, proxy=None) as connection:
        return await WebSocketClient(connection).receive()


@pytest.mark.parametrize(
    "lines",
    [
        "proxy_set_header Host $host;",
        "proxy_set_header Host $http_host;",
        "proxy_set_header Host $host:$server_port;",
    ],
)
async def test_the_own_page_is_live_with_each_usual_host_line(
    gateway: Gateway, tmp_path: Path, lines: str
) -> None:
    """`$host` has no port, so its name alone is compared; a foreign page stays refused."""
    async with nginx(tmp_path, gateway, lines) as proxy:
        assert (await first_frame(proxy.port))["type"] == "snapshot"
        foreign = await first_frame(proxy.port, origin="https://evil.example")
    assert foreign["code"] == 4403


@pytest.mark.parametrize("lines", [FORWARDED_HOST, FORWARDED])
async def test_a_trusted_proxy_tells_the_host_beside_nginxs_default_one(
    trusting: Gateway, tmp_path: Path, lines: str
) -> None:
    """Without a line about Host nginx names the gateway's own address."""
    async with nginx(tmp_path, trusting, lines) as proxy:
        assert (await first_frame(proxy.port))["type"] == "snapshot"
        foreign = await first_frame(proxy.port, origin="https://evil.example")
    assert foreign["code"] == 4403


@pytest.mark.parametrize(
    ("lines", "advice"),
    [
        (FORWARDED_HOST, "the proxy in front is not in GATEWAY_TRUSTED_PROXIES"),
        ("", "proxy_set_header Host $http_host"),
    ],
)
async def test_the_refusal_of_the_own_page_says_what_to_change(
    gateway: Gateway, tmp_path: Path, lines: str, advice: str
) -> None:
    """The headers of a proxy that is not trusted do not count: anybody can send them."""
    async with nginx(tmp_path, gateway, lines) as proxy:
        refused = await first_frame(proxy.port, origin="http://pillows.example")
    assert refused["code"] == 4403
    assert advice in str(refused["message"])
    line = await gateway.log.wait_for("a client was refused", within_s=20)
    assert '"code": 4403' in line
    assert '"peer": "127.0.0.1"' in line


async def test_behind_nginxs_default_host_a_program_of_this_machine_is_let_in(
    gateway: Gateway, tmp_path: Path
) -> None:
    """A page of another port is not: its browser says what it is."""
    async with nginx(tmp_path, gateway, "") as proxy:
        assert (await first_frame(proxy.port))["type"] == "snapshot"
    async with nginx(tmp_path, gateway, "proxy_set_header User-Agent Mozilla/5.0;") as proxy:
        assert (await first_frame(proxy.port))["code"] == 4403


async def test_forwarded_addresses_do_not_make_a_proxy_trusted(gateway: Gateway) -> None:
    """A client that says it comes from a trusted address is judged by its own."""
    headers = {
        "Origin": "https://evil.example",
        "X-Forwarded-For": "10.0.0.7",
        "X-Forwarded-Host": "evil.example",
    }
    refused = await gateway.get("/events", **headers)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"


async def test_a_location_without_its_last_slash_passes_two_and_is_live(
    gateway: Gateway, tmp_path: Path
) -> None:
    """Below `location /x { proxy_pass http://gateway/; }` the gateway is asked for //ws."""
    host = "proxy_set_header Host $http_host;"
    location = f"location /x {{ proxy_pass {gateway.url}/; {UPGRADE} {host} }}"
    async with PlainNginx(location, tmp_path) as proxy:
        assert (await first_frame(proxy.port, "/x"))["type"] == "snapshot"
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            url = f"http://{ports.HOST}:{proxy.port}/x"
            assert (await client.get(f"{url}/pillowcast.js")).status_code == 200
            assert (await client.get(f"{url}/api/pillows")).status_code == 200


@pytest.fixture(scope="module")
async def express(gateway: Gateway) -> AsyncIterator[Express]:
    """An Express site that compresses, in front of the gateway."""
    async with Express(gateway.port) as started:
        yield started


async def test_events_pass_a_middleware_that_compresses_when_they_arrive(
    express: Express, cloud: Publisher
) -> None:
    """It holds back what it compresses until its buffer is full."""
    url = f"http://{ports.HOST}:{express.port}/pillows/events?pillow=cloud-express"
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S) as client,
        client.stream("GET", url, headers={"Accept-Encoding": "gzip, deflate, br"}) as response,
    ):
        assert "content-encoding" not in response.headers
        async with asyncio.timeout(TIMEOUT_S):
            lines = response.aiter_lines()
            first = await anext(line async for line in lines if line.startswith("data:"))
            assert msgspec.json.decode(first[5:])["type"] == "snapshot"
            await cloud.publish(state("cloud-express", "hugging"))
            await anext(line async for line in lines if '"hugging"' in line)


async def test_a_websocket_and_the_page_pass_express(express: Express) -> None:
    """The page is compressed there; its path without the last slash is redirected."""
    assert (await first_frame(express.port, "/pillows"))["type"] == "snapshot"
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        page = await client.get(f"http://{ports.HOST}:{express.port}/pillows/")
        assert page.status_code == 200
        for query in ("", "?pillow=cloud-1"):
            bare = await client.get(f"http://{ports.HOST}:{express.port}/pillows{query}")
            assert (bare.status_code, bare.headers["location"]) == (308, f"/pillows/{query}")
