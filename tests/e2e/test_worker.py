"""The service worker in Chromium with what a page may have: a token, a path, a new release."""

import json
import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import BrowserContext, Page, expect

from devstack.broker import Broker
from devstack.processes import ROOT
from gateway.auth.scope import Scope
from gateway.auth.shares import make_share
from tests.e2e.sites import SHOWN_MS, PageMonitor, wait_kept
from tests.gateway import Gateway, Publisher, connect_publisher, state
from tests.proxies import PlainNginx
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SHARE_KEY = "k" * 32
SOURCE = ROOT / "services/gateway/src/gateway"

WORKER = "navigator.serviceWorker.ready.then(({active}) => active.state)"
KEPT = """(async () => {
  const caches_ = await Promise.all((await caches.keys()).map(async (name) => {
    const cache = await caches.open(name);
    return Promise.all((await cache.keys()).map(async (request) => {
      const response = await cache.match(request);
      return [request.url, [...request.headers], [...response.headers], await response.text()];
    }));
  }));
  const databases = await indexedDB.databases();
  return JSON.stringify([caches_, databases, {...localStorage}, document.cookie]);
})()"""
"""All that is kept beyond the tab."""
APP = """(async () => {
  const {href} = document.querySelector('link[rel=manifest]');
  const {start_url, scope, icons} = await (await fetch(href)).json();
  const found = await Promise.all(icons.map(({src}) => fetch(new URL(src, href))));
  return [new URL(start_url, href).href, new URL(scope, href).href,
    ...found.map(({status}) => status)];
})()"""
"""What an installed page is: its first address, its scope, and whether the icons are there."""


@pytest.fixture(scope="module")
async def private(broker: Broker) -> AsyncIterator[tuple[Gateway, Publisher]]:
    """A gateway that asks for tokens, with three pillows."""
    prefix = f"t{uuid4().hex[:12]}"
    gateway = Gateway(
        broker,
        prefix,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET="s" * 32,
        GATEWAY_SHARE_KEY=SHARE_KEY,
        GATEWAY_EXPIRE_AFTER="86400",
    )
    async with gateway, connect_publisher(broker, prefix) as publisher:
        await publisher.publish_all([state(one) for one in ("cloud-1", "ward-1", "ward-2")])
        yield gateway, publisher


def token_of(prefix: str, share_id: str = "0123456789abcdef") -> str:
    """Return the token of a share link."""
    scope = Scope(frozenset(), (prefix,))
    return make_share(share_id, scope, SHARE_KEY, now_s=int(time.time()), lasts_s=3600).token


async def open_link(page: Page, gateway: Gateway, token: str, clouds: int) -> None:
    await page.goto(f"{gateway.url}/#token={token}")
    await expect(page.locator("#clouds > *")).to_have_count(clouds, timeout=SHOWN_MS)


async def test_a_token_stays_in_its_tab_whatever_the_worker_keeps(
    private: tuple[Gateway, Publisher], context: BrowserContext
) -> None:
    """Not in the browser's history, nor in another tab; without a network the page has it still."""
    gateway, _ = private
    page = await context.new_page()
    token = token_of("ward-")
    await open_link(page, gateway, token, 2)
    assert await page.evaluate(WORKER) in ("activating", "activated")
    await wait_kept(page)
    await page.reload()
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    await expect(page.locator("#clouds > *")).to_have_count(2, timeout=SHOWN_MS)

    kept = await page.evaluate(KEPT)
    assert "<!doctype html>" in kept.lower()
    assert token not in kept
    await context.set_offline(True)
    await page.reload()
    await expect(page.locator("#status-title")).to_have_text("You are offline")
    await context.set_offline(False)
    await expect(page.locator("#clouds > *")).to_have_count(2, timeout=SHOWN_MS)

    session = await context.new_cdp_session(page)
    entries = (await session.send("Page.getNavigationHistory"))["entries"]
    assert {one["url"] for one in entries} == {"about:blank", f"{gateway.url}/"}
    other = await context.new_page()
    await other.goto(gateway.url)
    await expect(other.locator("#status-title")).to_have_text("Private", timeout=SHOWN_MS)


async def test_a_share_link_that_is_opened_in_the_tab_of_the_page_is_taken(
    private: tuple[Gateway, Publisher], context: BrowserContext
) -> None:
    """Only the fragment differs, so that the browser loads nothing."""
    gateway, _ = private
    page = await context.new_page()
    await page.goto(gateway.url)
    await expect(page.locator("#status-title")).to_have_text("Private", timeout=SHOWN_MS)
    for prefix, clouds in (("ward-", 2), ("", 3)):
        await open_link(page, gateway, token_of(prefix), clouds)
        await expect(page).to_have_url(f"{gateway.url}/")


async def test_below_a_path_worker_manifest_and_addresses_to_share_have_the_path(
    private: tuple[Gateway, Publisher], context: BrowserContext, tmp_path: Path
) -> None:
    """The link has no last slash; what is kept opens without the proxy, and is live with it."""
    gateway, _ = private
    lines = f"""
      proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_buffering off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrade;
      location / {{ return 404; }}
      location /pillows/ {{ proxy_pass {gateway.url}/; }}
      location = /pillows {{ return 308 /pillows/$is_args$args; }}"""
    async with PlainNginx(lines, tmp_path) as proxy:
        site = f"http://127.0.0.1:{proxy.port}/pillows"
        page = await context.new_page()
        monitor = PageMonitor(page, site, site.replace("http", "ws"))
        monitor.expect_outage()
        await page.goto(f"{site}#token={token_of('ward-')}")
        await expect(page.locator("#clouds > *")).to_have_count(2, timeout=SHOWN_MS)
        await expect(page).to_have_url(f"{site}/")
        assert (
            await page.evaluate("navigator.serviceWorker.ready.then(({scope}) => scope)")
            == f"{site}/"
        )
        await wait_kept(page)
        assert await page.evaluate(APP) == [f"{site}/", f"{site}/", 200, 200, 200, 200]

        await page.locator("#tools").click()
        values = (
            "(dialog) => [...dialog.querySelectorAll('textarea, input')].map((one) => one.value)"
        )
        link, snippet, *_ = await page.locator("dialog.tools").evaluate(values)
        assert link == f"{site}/"
        assert f'src="{site}/embed.js"' in snippet
        assert f'<cloud-pillow pillow="ward-1" src="{site}/" token="TOKEN">' in snippet
        await page.keyboard.press("Escape")

        proxy.kill()
        await proxy.wait()
        await page.reload()
        await expect(page.locator("#status-title")).not_to_have_text("Live")
        await expect(page.locator(".card")).to_have_count(0)
        await proxy.start()
        await expect(page.locator("#clouds > *")).to_have_count(2, timeout=40_000)
        monitor.assert_clean()
        await page.goto("about:blank")


def other_release(folder: Path) -> str:
    """Copy the gateway's package as another release; return what PYTHONPATH is for it."""
    package = folder / "gateway"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    table = package / "texts/en.json"
    texts = json.loads(table.read_text(encoding="utf-8"))
    texts |= {"status.live": "Live, of the other release", "story.heat-label": "Heat, as well"}
    table.write_text(json.dumps(texts), encoding="utf-8")
    return str(folder)


async def test_a_new_release_is_loaded_as_a_whole_once_by_a_kept_page_and_by_a_wall(
    broker: Broker, context: BrowserContext, tmp_path: Path
) -> None:
    """The kept page was opened while the gateway was away; its parts are those of the new one."""
    prefix = f"t{uuid4().hex[:12]}"
    gateway = Gateway(broker, prefix, GATEWAY_EXPIRE_AFTER="86400")
    async with gateway, connect_publisher(broker, prefix) as publisher:
        await publisher.publish_all([state("cloud-1"), state("cloud-2")])
        wall, page = await context.new_page(), await context.new_page()
        await wall.add_init_script("Math.random = () => 0.01")  # a wall waits up to two minutes
        await wall.goto(f"{gateway.url}/#wall?dim=off")
        await page.goto(gateway.url)
        for one in (wall, page):
            await expect(one.locator(".card")).to_have_count(2, timeout=SHOWN_MS)
        assert await page.evaluate(WORKER) in ("activating", "activated")
        await wait_kept(page)
        await expect(wall.get_by_role("button", name="Leave wall mode")).to_be_attached()

        gateway.kill()
        await gateway.wait()
        gateway.env["PYTHONPATH"] = other_release(tmp_path)
        await (await context.new_cdp_session(page)).send("Network.clearBrowserCache")
        await page.reload()
        await expect(page.locator("#status-title")).not_to_have_text(re.compile("Live"))
        loads: list[Page] = []
        for one in (wall, page):
            one.on("load", lambda shown: loads.append(shown))
        await gateway.start()

        for one in (wall, page):
            title = one.locator("#status-title")
            await expect(title).to_have_text("Live, of the other release", timeout=40_000)
        await page.locator('.card[data-pillow="cloud-1"] a').click()
        await expect(page.get_by_role("grid", name="Heat, as well")).to_be_visible()
        await until(lambda: len(loads) >= 2, "both have loaded")
        assert [loads.count(one) for one in (wall, page)] == [1, 1]
        for one in (wall, page):
            await one.goto("about:blank")
