"""The page as an installed one, in Chromium: without a network, and what installs it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from devstack.broker import Broker
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]

KEPT = """caches.keys().then(([name]) => caches.open(name)).then((cache) => cache.keys())
    .then((requests) => requests.map(({url}) => url))"""
WORKER_RUNS = "navigator.serviceWorker.ready.then(({active}) => active.state)"


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Two pillows."""
    async for made in live_site(broker):
        await made.publisher.publish_all([state("cloud-1", "hugging"), state("cloud-2", "neutral")])
        yield made


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(viewport={"width": 1000, "height": 800})
    yield made
    await made.close()


async def open_live(page: Page, url: str) -> None:
    await page.goto(url)
    await expect(page.locator("body")).to_have_attribute("data-connection", "live", timeout=40_000)


async def test_the_page_is_shown_without_a_network_and_says_so(
    site: LiveSite, context: BrowserContext
) -> None:
    """No cloud is shown, because none is known; with the network they come without a reload."""
    page = await context.new_page()
    monitor = PageMonitor(page, site.url, site.url.replace("http", "ws"))
    monitor.expect("ERR_INTERNET_DISCONNECTED")
    await open_live(page, site.url)
    assert await page.evaluate(WORKER_RUNS) in ("activating", "activated")

    await context.set_offline(True)
    await page.reload()
    await expect(page.locator("#status-title")).to_have_text("You are offline")
    await expect(page.locator("#empty-title")).to_have_text("You are offline")
    await expect(page.locator(".card")).to_have_count(0)
    await context.set_offline(False)

    await expect(page.locator(".card")).to_have_count(2, timeout=SHOWN_MS)
    assert await page.evaluate(KEPT) == [f"{site.url}/"]
    monitor.assert_clean()
