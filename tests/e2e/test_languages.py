"""The page and the element in the visitor's language, in Chromium."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from contract.states import STATES
from devstack.broker import Broker
from gateway.http.texts import read_texts
from tests.e2e.sites import SHOWN_MS, LiveSite, live_site, wait_for_tools, web_site
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TEXTS = {language: texts.table for language, texts in read_texts().items()}
WIDTHS = (320, 390, 640, 820, 1024, 1280, 1920, 2560, 3840)

# As browsers translate: each text becomes an element in an element, and the document says so.
TRANSLATE = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const isKept = text.parentElement.closest('script, style, [translate=no]');
    if (text.data.trim() === '' || isKept) continue;
    const outer = document.createElement('font');
    const inner = document.createElement('font');
    inner.textContent = `«${text.data}»`;
    outer.append(inner);
    text.replaceWith(outer);
  }
  document.documentElement.lang = 'pl';
  document.documentElement.classList.add('translated-ltr');
}"""


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Seven pillows; every site may embed them."""
    async for made in live_site(broker, origins="*"):
        await made.publisher.publish_all([state(f"is-{name}", name) for name in STATES])
        yield made


async def test_an_arabic_page_runs_from_right_to_left_and_does_not_scroll_sideways(
    site: LiveSite, browser: Browser
) -> None:
    """At any width; the left arrow moves to the next cloud, which is at the left."""
    page = await browser.new_page(locale="ar-EG", viewport={"width": 1280, "height": 800})
    await page.goto(site.url)
    first = page.locator('.card[data-pillow="is-hugging"]')
    await expect(first.locator(".state")).to_have_text(
        str(TEXTS["ar"]["state.hugging"]), timeout=SHOWN_MS
    )
    assert await page.evaluate("getComputedStyle(document.body).direction") == "rtl"

    await wait_for_tools(page)
    await first.locator("a").focus()
    await page.keyboard.press("ArrowLeft")
    second = page.locator('.card[data-pillow="is-neutral"]')
    await expect(second.locator("a")).to_be_focused()
    boxes = [await one.bounding_box() for one in (first, second)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["x"] < boxes[0]["x"]

    for address in ("/", "/#is-hugging"):
        await page.goto(site.url + address)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            wide, scrolled = await page.evaluate(
                "() => { scrollBy(-500, 0); scrollBy(500, 0); scrollBy(-500, 0);"
                " return [document.documentElement.scrollWidth - innerWidth, scrollX]; }"
            )
            assert (max(wide, 0), scrolled) == (0, 0), f"{width} px at {address}"
    await page.close()


async def test_a_page_that_the_browser_translates_stays_translated(
    site: LiveSite, browser: Browser
) -> None:
    """Over several ticks; ages are written in the other language by the page itself."""
    page = await browser.new_page(locale="en-US")
    await page.goto(site.url)
    card = page.locator('.card[data-pillow="is-hugging"]')
    await expect(card.locator(".state")).to_have_text("Hugging", timeout=SHOWN_MS)
    # What comes later would not be translated.
    await expect(page.locator("#status-title")).to_have_text("Live")
    await wait_for_tools(page)
    await expect(page.locator('[data-filter="hugging"]')).to_contain_text("Hugging")
    await page.evaluate(TRANSLATE)

    published = json.loads(await site.publisher.publish(state("is-hugging", "hugging")))
    when = card.locator(".when")
    await expect(when.locator("time")).to_have_attribute("datetime", published["at"])
    # Two seconds old at least, so that its age was written several times.
    await expect(when).to_have_text(re.compile(r"\b([2-9]|[1-5]\d) sek. temu"), timeout=SHOWN_MS)
    await expect(page.locator("#status-title")).to_have_text("«Live»")
    await expect(card.locator(".state")).to_have_text("«Hugging»")
    await expect(page.locator('[data-filter="hugging"]')).to_contain_text("«Hugging»")
    await expect(card.locator("h2")).to_have_text("is-hugging")
    await page.close()


async def test_an_element_speaks_the_language_of_its_place(
    site: LiveSite, browser: Browser, tmp_path: Path
) -> None:
    """Its own, that of an element around it, and English where there is no other."""
    tmp_path.joinpath("index.html").write_text(
        "<!doctype html><html lang=pl><meta charset=utf-8><link rel=icon href=data:,>"
        f'<script type=module src="{site.url}/embed.js"></script>'
        "<cloud-pillow pillow=is-hugging></cloud-pillow>"
        "<p lang=fr-CH><cloud-pillow pillow=is-hugging></cloud-pillow></p>"
        "<cloud-pillow pillow=is-hugging lang=ja></cloud-pillow>",
        encoding="utf-8",
    )
    page = await browser.new_page()
    with web_site(tmp_path) as origin:
        await page.goto(origin)
        for index, language in enumerate(("en", "fr", "ja")):
            label = page.locator("cloud-pillow").nth(index).locator(".state")
            await expect(label).to_have_text(
                str(TEXTS[language]["state.hugging"]), timeout=SHOWN_MS
            )
        picture = page.locator("cloud-pillow").last.locator(".cloud")
        await expect(picture).to_have_attribute("aria-label", str(TEXTS["ja"]["pose.hugging"]))
        await page.locator("cloud-pillow").last.evaluate("element => element.lang = 'ar'")
        await expect(label).to_have_text(str(TEXTS["ar"]["state.hugging"]), timeout=SHOWN_MS)
        await expect(picture).to_have_attribute("aria-label", str(TEXTS["ar"]["pose.hugging"]))
    await page.close()
