"""The gateway behind nginx, Caddy and haproxy, with the files of deploy/proxies: TLS and HTTP/2."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from devstack.broker import Broker
from devstack.proxies import FOLDER, PROXIES
from tests.gateway import TIMEOUT_S, Gateway, Publisher, WebSocketClient, state
from tests.proxies import Proxy

PREFIX = "gwproxy"
PATHS = ("", "/pillows")
HOST = "pillows.example.org"


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that allows its own origin only, with the settings that the files name."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_EXPIRE_AFTER="86400",
        GATEWAY_ALLOWED_HOSTS=HOST,
        GATEWAY_TRUSTED_PROXIES="127.0.0.1",
    ) as started:
        yield started
        started.assert_log_is_clean()


@pytest.fixture(scope="module", params=PROXIES)
async def proxy(
    request: pytest.FixtureRequest, gateway: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    """Each proxy in front of the gateway."""
    async with Proxy(request.param, gateway.port, tmp_path_factory.mktemp("proxy")) as started:
        yield started


def trust(proxy: Proxy) -> ssl.SSLContext:
    """Return a context that trusts the proxy's certificate."""
    return ssl.create_default_context(cafile=str(proxy.certificate))


@pytest.mark.parametrize("path", PATHS)
async def test_a_websocket_of_the_own_origin_is_live(
    proxy: Proxy, cloud: Publisher, path: str
) -> None:
    pillow = f"ws-{proxy.name}{path.replace('/', '-')}"
    await cloud.publish(state(pillow, "neutral"))
    address = f"{proxy.url.replace('https', 'wss')}{path}/ws?pillow={pillow}"
    async with connect(
        address, ssl=trust(proxy), origin=Origin(proxy.url), proxy=None
    ) as connection:
        client = WebSocketClient(connection)
        assert (await client.receive())["type"] == "snapshot"
        await cloud.publish(state(pillow, "hugging"))
        assert (await client.receive_state(pillow, "hugging"))["pillow"] == pillow


@pytest.mark.parametrize("path", PATHS)
async def test_events_leave_the_proxy_when_they_arrive(
    proxy: Proxy, cloud: Publisher, path: str
) -> None:
    pillow = f"sse-{proxy.name}{path.replace('/', '-')}"
    async with (
        httpx.AsyncClient(verify=trust(proxy), timeout=TIMEOUT_S) as client,
        client.stream("GET", f"{proxy.url}{path}/events?pillow={pillow}") as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        async with asyncio.timeout(TIMEOUT_S):
            lines = response.aiter_lines()
            first = await anext(line async for line in lines if line.startswith("data:"))
            assert msgspec.json.decode(first[5:])["type"] == "snapshot"
            await cloud.publish(state(pillow, "hugging"))
            # More than a minute of buffering, or of silence, would end in the timeout.
            await anext(line async for line in lines if '"hugging"' in line)


@pytest.mark.parametrize("path", PATHS)
async def test_api_page_and_client_are_served(proxy: Proxy, cloud: Publisher, path: str) -> None:
    pillow = f"api-{proxy.name}{path.replace('/', '-')}"
    await cloud.publish(state(pillow, "hugging"))
    async with httpx.AsyncClient(verify=trust(proxy), timeout=TIMEOUT_S) as client:
        for file in ("/", "/pillowcast.js", "/embed.js", "/openapi.json"):
            assert (await client.get(f"{proxy.url}{path}{file}")).status_code == 200, file
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                response = await client.get(f"{proxy.url}{path}/api/pillows/{pillow}")
                if response.status_code == 200:
                    break
                assert response.headers["content-type"] == "application/problem+json"
                await asyncio.sleep(0.05)
        assert response.json()["state"] == "hugging"


async def test_the_path_without_its_last_slash_is_redirected(proxy: Proxy) -> None:
    async with httpx.AsyncClient(verify=trust(proxy), timeout=TIMEOUT_S) as client:
        for query in ("", "?pillow=cloud-1&pillow=cloud-2"):
            response = await client.get(f"{proxy.url}/pillows{query}")
            assert response.status_code == 308
            assert response.headers["location"].endswith(f"/pillows/{query}")


async def test_a_foreign_origin_is_refused_behind_the_proxy(proxy: Proxy) -> None:
    address = f"{proxy.url.replace('https', 'wss')}/ws"
    origin = Origin("https://elsewhere.example")
    async with connect(address, ssl=trust(proxy), origin=origin, proxy=None) as connection:
        client = WebSocketClient(connection)
        assert (await client.receive())["code"] == 4403
        assert await client.wait_closed() == 4403


async def test_a_page_of_http_is_refused_behind_the_proxy(proxy: Proxy) -> None:
    address = f"{proxy.url.replace('https', 'wss')}/ws"
    origin = Origin(proxy.url.replace("https", "http"))
    async with connect(address, ssl=trust(proxy), origin=origin, proxy=None) as connection:
        refused = await WebSocketClient(connection).receive()
    assert refused["code"] == 4403
    assert "https://" in refused["message"]


LIES = {
    "X-Forwarded-Host": HOST,
    "X-Forwarded-Proto": "http",
    "Forwarded": f"host={HOST};proto=http",
}


@pytest.mark.parametrize("lies", [{}, LIES])
async def test_a_foreign_host_is_refused_behind_the_proxy(
    proxy: Proxy, lies: dict[str, str]
) -> None:
    """Whatever headers of a proxy the client sends; Caddy has no site of that name itself."""
    headers = {"Host": "evil.example", **lies}
    async with httpx.AsyncClient(verify=trust(proxy), timeout=TIMEOUT_S) as client:
        for path in ("/api/pillows", "/events", "/"):
            async with client.stream("GET", f"{proxy.url}{path}", headers=headers) as response:
                body = await response.aread()
            assert body == b"" if proxy.name == "caddy" else response.status_code == 421


@pytest.mark.parametrize("kind", [*PROXIES, "express"])
def test_each_file_names_the_gateways_settings(kind: str) -> None:
    names = {"nginx": "nginx.conf", "caddy": "Caddyfile", "haproxy": "haproxy.cfg"}
    text = (FOLDER / names.get(kind, "express.mjs")).read_text()

    assert f"GATEWAY_ALLOWED_HOSTS={HOST}" in text
    assert "GATEWAY_TRUSTED_PROXIES" in text


async def test_the_proxy_offers_http2(proxy: Proxy) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        curl = await asyncio.create_subprocess_exec(
            "curl",
            *("--silent", "--show-error", "--http2", "--cacert", str(proxy.certificate)),
            *("--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"),
            f"{proxy.url}/api/pillows",
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await curl.communicate()
    assert output.decode() == "2 200"
