"""What visitors do beside looking, in Chromium: go back, share, and open it without a network."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Page, expect

from devstack.broker import Broker
from tests.e2e.sites import (
    SHOWN_MS,
    LiveSite,
    PageMonitor,
    live_site,
    site_of_page,
    wait_connected,
    wait_fulfilled,
    wait_kept,
)
from tests.gateway import state
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

KEPT = """caches.keys().then(([name]) => caches.open(name)).then((cache) => cache.keys())
    .then((requests) => requests.map(({url}) => url))"""
WORKER_RUNS = "navigator.serviceWorker.ready.then(({active}) => active.state === 'activated')"


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Two pillows."""
    async for made in live_site(broker):
        await made.publisher.publish_all([state("cloud-1", "hugging"), state("cloud-2", "neutral")])
        yield made


async def open_live(page: Page, url: str) -> None:
    await page.goto(url)
    await wait_connected(page)


async def wait_for_worker(page: Page) -> None:
    """Wait until the page's worker runs, and has no network when the context has none."""
    await wait_fulfilled(page, WORKER_RUNS)
    await until(lambda: bool(page.context.service_workers), "the browser has told of the worker")


async def test_the_page_is_shown_without_a_network_and_says_so(
    site: LiveSite, context: BrowserContext
) -> None:
    """No cloud is shown, because none is known; with the network they come without a reload."""
    page = await context.new_page()
    monitor = PageMonitor(page, site.url, site.url.replace("http", "ws"))
    monitor.expect("ERR_INTERNET_DISCONNECTED")
    await open_live(page, site.url)
    await wait_for_worker(page)
    await wait_kept(page)

    await context.set_offline(True)
    await page.reload()
    await expect(page.locator("#status-title")).to_have_text("You are offline")
    await expect(page.locator("#empty-title")).to_have_text("You are offline")
    await expect(page.locator(".card")).to_have_count(0)
    await context.set_offline(False)

    await expect(page.locator(".card")).to_have_count(2, timeout=SHOWN_MS)
    assert await page.evaluate(KEPT) == [f"{site.url}/"]
    monitor.assert_clean()


async def test_the_page_is_shown_where_nothing_answers(
    broker: Broker, context: BrowserContext
) -> None:
    """A link went silent: the kept page opens, and is live when the gateway answers."""
    async for site in live_site(broker):
        await site.publisher.publish_all([state("cloud-1", "hugging"), state("cloud-2")])
        page = await context.new_page()
        await open_live(page, site.url)
        await wait_for_worker(page)
        await wait_kept(page)

        site.gateway.pause()
        await page.reload(wait_until="commit", timeout=SHOWN_MS)
        await expect(page.locator("#status-title")).to_be_visible()
        await expect(page.locator(".card")).to_have_count(0)
        site.gateway.resume()

        await wait_connected(page)
        await expect(page.locator(".card")).to_have_count(2, timeout=SHOWN_MS)


async def test_the_page_without_a_network_has_the_language_in_which_it_was_opened_last(
    site: LiveSite, context: BrowserContext
) -> None:
    """Also where the address does not name it."""
    page = await context.new_page()
    await open_live(page, site.url)
    await wait_for_worker(page)
    await wait_kept(page)
    await open_live(page, f"{site.url}/?lang=ja")
    kept = """caches.match(location.origin + "/", {ignoreVary: true}).then(
      (found) => found?.headers.get("Content-Language"))"""
    async with asyncio.timeout(SHOWN_MS / 1000):
        while await page.evaluate(kept) != "ja":
            await page.evaluate("new Promise(requestAnimationFrame)")

    await context.set_offline(True)
    await page.goto(site.url)
    await expect(page.locator("html")).to_have_attribute("lang", "ja")
    await context.set_offline(False)


async def test_escape_goes_back_in_the_history_and_gives_the_card_the_focus(
    site: LiveSite, context: BrowserContext
) -> None:
    """From the wall by the browser's own history; a page that was opened at a cloud goes on."""
    page = await context.new_page()
    focused = "document.activeElement.closest('.card')?.dataset.pillow"
    await open_live(page, site.url)
    await page.locator('.card[data-pillow="cloud-2"] a').press("Enter")
    await expect(page.locator("#detail-name")).to_be_focused()
    entries = await page.evaluate("history.length")
    await page.keyboard.press("Escape")
    await page.wait_for_function(f"{focused} === 'cloud-2'")
    assert await page.evaluate("history.length") == entries
    await page.go_forward()
    await expect(page.locator("#detail-name")).to_have_text("cloud-2")

    await page.goto("about:blank")
    await open_live(page, f"{site.url}/#cloud-1")
    await page.locator("#back").click()
    await page.wait_for_function(f"{focused} === 'cloud-1'")
    await expect(page.locator(".card")).to_have_count(2, timeout=SHOWN_MS)
    assert await page.evaluate(focused) == "cloud-1"
    await page.go_back()
    await expect(page.locator("#detail-name")).to_have_text("cloud-1")
    await page.locator("#back").click()
    await expect(page.locator(".card")).to_have_count(2)
    await page.go_back()
    await page.go_back()
    assert page.url == "about:blank"


async def test_link_and_snippet_are_copied_or_selected_and_the_tab_shows_a_hug(
    site: LiveSite, context: BrowserContext
) -> None:
    """The choices hold after a reload."""
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    monitor = PageMonitor(page, site.url, site.url.replace("http", "ws"))
    await open_live(page, f"{site.url}/#cloud-2")
    await page.locator("#tools").click()
    dialog = page.locator("dialog.tools")
    clipboard = "navigator.clipboard.readText()"
    await dialog.get_by_role("button", name="Copy the link").click()
    await expect(dialog.get_by_role("status")).to_have_text("Copied.")
    assert await page.evaluate(clipboard) == f"{site.url}/?pillow=cloud-2"
    await dialog.get_by_role("button", name="Copy the code for another").click()
    await wait_fulfilled(page, f"{clipboard}.then((text) => text.includes('/embed.js'))")
    assert f'src="{site.url}/embed.js"' in await page.evaluate(clipboard)

    await page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
    )
    await dialog.get_by_role("button", name="Copy the link").click()
    await expect(dialog.get_by_role("status")).to_contain_text("Ctrl+C")
    assert await page.evaluate("getSelection().toString()") == f"{site.url}/?pillow=cloud-2"

    await dialog.get_by_label("The tab’s title and icon").check()
    await expect(page).to_have_title("Resting · cloud-2 · Pillowcast")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#tools")).to_be_focused()
    await expect(page.locator("#detail")).to_be_visible()
    await page.reload()
    await site.publisher.publish(state("cloud-2", "hugging"))
    await expect(page).to_have_title("Hugging · cloud-2 · Pillowcast", timeout=SHOWN_MS)
    icon = page.locator('link[rel="icon"]')
    await expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    monitor.assert_clean()


async def test_a_name_that_no_pillow_can_have_is_said_to_be_so(
    site: LiveSite, context: BrowserContext
) -> None:
    """With the one that was meant."""
    page = await context.new_page()
    await open_live(page, f"{site.url}/?pillow=Cloud-2")
    note = page.locator("#impossible-name")
    await expect(note).to_contain_text("No pillow can be called “Cloud-2”")
    await note.get_by_role("link").click()
    await expect(page).to_have_title("cloud-2 · Pillowcast")
    await expect(note).to_have_count(0)


async def test_what_people_call_a_pillow_is_shown_with_its_id_and_is_no_markup(
    site: LiveSite, context: BrowserContext
) -> None:
    """On its card, in its view, in the tab's title, and it is found by it."""
    label = "Grandma’s <b>cloud</b>"
    await site.publisher.publish(state("cloud-2", "neutral", label=label))
    page = await context.new_page()
    await open_live(page, site.url)
    card = page.locator('.card[data-pillow="cloud-2"]')
    await expect(card.locator("h2")).to_have_text(label, timeout=SHOWN_MS)
    await expect(card.locator(".id")).to_have_text("cloud-2")
    await card.locator("a").click()
    await expect(page.locator("#detail-name")).to_have_text(label)
    await expect(page.locator("#detail-id")).to_have_text("cloud-2")
    await expect(page).to_have_title(f"{label} · Pillowcast")


async def test_an_empty_sky_speaks_to_visitors_and_the_commands_are_one_click_away(
    broker: Broker, context: BrowserContext
) -> None:
    """They are for developers."""
    page = await context.new_page()
    async for empty in site_of_page(broker, page):
        await open_live(page, empty.url)
        command = page.locator("#empty pre").first
        await expect(page.locator("#empty-text")).to_contain_text("No cloud is here yet")
        await expect(command).to_be_hidden()
        await page.locator("#empty summary").click()
        await expect(command).to_be_visible()
