"""Clients behind the proxies of deploy/proxies are told apart, whatever they say."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import connect

from devstack import ports
from devstack.broker import Broker
from devstack.proxies import PROXIES
from tests.gateway import TIMEOUT_S, Gateway, WebSocketClient
from tests.proxies import Proxy

pytestmark = pytest.mark.timeout(180)

PREFIX = "gwproxyaddr"
MOST = 3
CROWDED, OTHER = "127.0.0.5", "127.0.0.6"
FORGED = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.8"}


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """A gateway that trusts the proxy and allows few connections of an address."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_TRUSTED_PROXIES=ports.HOST,
        GATEWAY_MAX_CONNECTIONS_PER_ADDRESS=str(MOST),
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


@pytest.mark.parametrize("path", ["", "/pillows"])
async def test_an_address_above_its_limit_is_refused_and_another_one_is_not(
    gateway: Gateway, proxy: Proxy, path: str
) -> None:
    """A client that names another address in a header is still itself."""
    trust = ssl.create_default_context(cafile=str(proxy.certificate))
    address = f"{proxy.url.replace('https', 'wss')}{path}/ws"

    async with AsyncExitStack() as crowd:

        async def first_frame(source: str) -> dict[str, object]:
            """Open a connection from an address, with forged headers; return its first frame."""
            connection = await crowd.enter_async_context(
                connect(
                    address,
                    ssl=trust,
                    proxy=None,
                    local_addr=(source, 0),
                    additional_headers=FORGED,
                )
            )
            return await WebSocketClient(connection).receive()

        for _ in range(MOST):
            assert (await first_frame(CROWDED))["type"] == "snapshot"
        assert (await first_frame(CROWDED))["code"] == 4429
        assert (await first_frame(OTHER))["type"] == "snapshot"

        transport = httpx.AsyncHTTPTransport(verify=trust, local_address=CROWDED)
        async with httpx.AsyncClient(transport=transport, timeout=TIMEOUT_S) as client:
            refused = await client.get(f"{proxy.url}{path}/api/pillows", headers=FORGED)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0

    # Until a proxy has closed them, they count in the next test.
    await gateway.wait_for_metric('connections{transport="websocket"}', 0)
    await gateway.wait_for_metric('sockets{stage="closing"}', 0)
