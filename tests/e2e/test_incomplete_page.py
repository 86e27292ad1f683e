"""A page whose response is cut: it loads itself anew when the gateway has a whole one."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from devstack.broker import Broker
from tests.cutting_proxy import cutting_proxy
from tests.e2e.sites import SHOWN_MS, live_site, site_of_page
from tests.engines.firefox import firefox
from tests.engines.page import until
from tests.gateway import state
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MINUTES_ARE_SHORT = """() => {
  const start = setTimeout;
  globalThis.setTimeout = (callback, ms) => start(callback, ms === 60_000 ? 500 : ms);
}"""
IS_LIVE_AFTER_RELOAD = """document.body?.dataset.connection === 'live'
  && performance.getEntriesByType('navigation')[0].type === 'reload'"""


async def test_half_a_page_is_loaded_anew_when_the_gateway_is_back(
    broker: Broker, page: Page
) -> None:
    """Not while nobody answers; and a page that is whole stays."""
    await page.clock.install()
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    failures: list[str] = []
    page.on("requestfailed", lambda request: failures.append(request.url))

    async def has_asked() -> bool:
        await page.clock.fast_forward(60_000)
        return failures.count(page.url) > 3

    async def is_loaded_anew() -> bool:
        await page.clock.fast_forward(60_000)
        return len(loads) > 1

    async for site in site_of_page(broker, page):
        await site.publisher.publish(state("cloud-1"))
        async with cutting_proxy(site.gateway.port) as proxy:
            # Chromium may leave out what arrives with the end.
            has_begun = asyncio.Event()
            proxy.cut("/", 0.5, at=has_begun)
            await page.goto(proxy.url, wait_until="commit")
            await expect(page.locator("header")).to_be_attached()
            site.gateway.kill()
            await site.gateway.wait()
            has_begun.set()
            await eventually(has_asked, "the page has asked for itself again and again")
            assert len(loads) == 1
            await site.gateway.start()
            await eventually(is_loaded_anew, "the page is loaded anew")
            title = page.locator("#status-title")
            await expect(title).to_have_text("Live", timeout=SHOWN_MS)
            before = len(loads)
            for _ in range(3):
                await page.clock.fast_forward(60_000)
                await expect(title).to_have_text("Live", timeout=SHOWN_MS)
            assert len(loads) == before
            await page.goto("about:blank")


async def test_half_a_page_is_loaded_anew_in_firefox(broker: Broker, tmp_path: Path) -> None:
    """Which takes it for whole; its minutes are half a second here."""
    async for site in live_site(broker):
        await site.publisher.publish(state("cloud-1"))
        async with firefox(tmp_path) as engine, cutting_proxy(site.gateway.port) as proxy:
            await engine.run_before(MINUTES_ARE_SHORT)
            proxy.cut("/", 0.5)
            await engine.open(proxy.url)
            await until(engine, IS_LIVE_AFTER_RELOAD)
            await engine.open("about:blank")
