"""The page in Chromium over HTTPS, behind each proxy of deploy/proxies, also below a path."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser, WebSocket, expect

from devstack.broker import Broker
from devstack.proxies import PROXIES
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site, wait_connected
from tests.gateway import state
from tests.proxies import PlainNginx, Proxy

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """A gateway with the default settings."""
    async for made in live_site(broker):
        yield made


@pytest.fixture(scope="module", params=PROXIES)
async def proxy(
    request: pytest.FixtureRequest, site: LiveSite, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    """Each proxy in front of it."""
    folder = tmp_path_factory.mktemp("proxy")
    async with Proxy(request.param, site.gateway.port, folder) as started:
        yield started


@pytest.mark.parametrize("path", ["/", "/pillows/"])
async def test_the_page_is_live_over_https_by_a_websocket_and_has_no_fault(
    site: LiveSite, proxy: Proxy, browser: Browser, path: str
) -> None:
    """Its policy allows wss:, and it asks for HTTP/2, which the proxy speaks."""
    pillow = f"on-{uuid4().hex[:8]}"
    await site.publisher.publish(state(pillow, "neutral"))
    context = await browser.new_context(ignore_https_errors=True)
    page = await context.new_page()
    monitor = PageMonitor(page, proxy.url, proxy.url.replace("https", "wss"))
    # The certificate is not trusted, so that the browser keeps no page of this site.
    monitor.expect("SSL certificate error occurred when fetching the script")
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))

    await page.goto(f"{proxy.url}{path}#{pillow}")
    await wait_connected(page)
    await site.publisher.publish(state(pillow, "hugging"))
    shown = page.locator(f'[data-pillow="{pillow}"]:visible')
    await expect(shown).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)
    protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
    await context.close()

    assert protocol == "h2"
    assert [one.url.partition("?")[0] for one in sockets] == [
        f"{proxy.url.replace('https', 'wss')}{path}ws"
    ]
    monitor.assert_clean()


async def test_the_page_is_live_by_events_where_the_proxy_names_another_host(
    site: LiveSite, browser: Browser, tmp_path: Path
) -> None:
    """As nginx does without a line about Host. The gateway refuses the WebSocket with 4403."""
    location = f"location / {{ proxy_pass {site.gateway.url}; proxy_set_header Host 127.0.0.2; "
    upgrade = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    async with PlainNginx(
        f"{location}{upgrade}proxy_set_header Connection $upgrade; }}", tmp_path
    ) as proxy:
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{proxy.port}/")
        await wait_connected(page)
        await page.close()
    assert '"code": 4403' in await site.gateway.log.wait_for("a client was refused", within_s=20)
