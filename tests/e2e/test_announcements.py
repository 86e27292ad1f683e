"""What the page announces to a screen reader: the current state, politely and at a limited rate."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from devstack.broker import Broker
from devstack.stack import Stack
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site, wait_connected
from tests.gateway import connect_publisher, state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PILLOWS = 20
PER_SECOND = 50
LASTS_S = 12.0
"""Longer than the shortest time between two announcements (docs/page.md)."""
NAMES = ("hugging", "punching", "shaking", "spinning", "throwing")

SENTENCE = re.compile(r"\d+ clouds changed\.|cloud-\d+: \w+\.( cloud-\d+: \w+\.){0,2}")

# Records the live regions, which a screen reader reads by itself: by attribute or by element.
LISTEN = """() => {
  const live = new Set(["polite", "assertive"]);
  const roles = "[role=status], [role=log], [role=alert], [role=timer], [role=marquee], output";
  const regions = [...document.querySelectorAll(`[aria-live], ${roles}`)].filter((one) =>
      live.has(one.getAttribute("aria-live") ?? "polite"));
  window.regions = regions.map((one) => [one.id, one.getAttribute("aria-live") ?? "polite"]);
  window.announced = [];
  for (const one of regions)
    new MutationObserver(() => announced.push([one.id, one.textContent]))
      .observe(one, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Twenty pillows in the state neutral."""
    async for made in live_site(broker):
        await made.publisher.publish_all([state(f"cloud-{n}", "neutral") for n in range(PILLOWS)])
        yield made


async def listen(page: Page, url: str) -> None:
    """Open the page, and record announcements once it is live."""
    await page.goto(url)
    await wait_connected(page)
    await expect(page.locator("#status-announcement")).to_have_text("Live", timeout=SHOWN_MS)
    await page.evaluate(LISTEN)


async def publish_storm(site: LiveSite) -> None:
    """Publish 50 changes a second over all pillows, for LASTS_S."""
    begin, seq = time.monotonic(), 0
    while time.monotonic() < begin + LASTS_S:
        name = NAMES[seq // PILLOWS % len(NAMES)]
        published = int(time.time() * 1000)
        hops = {"queued": published - 50, "published": published}
        await site.publisher.publish(state(f"cloud-{seq % PILLOWS}", name, seq=seq, hops=hops))
        seq += 1
        await asyncio.sleep(max(0.0, begin + seq / PER_SECOND - time.monotonic()))


async def announcements(page: Page) -> list[Any]:
    found: list[Any] = await page.evaluate("announced")
    return found


async def test_changes_of_many_clouds_are_announced_at_most_twice_in_12_s(
    site: LiveSite, page: Page
) -> None:
    """As their number, also while the latency panel is open; no other live region changes."""
    monitor = PageMonitor(page, site.url)
    await listen(page, f"{site.url}/")
    async with asyncio.TaskGroup() as group:
        group.create_task(publish_storm(site))
        await page.locator("#latency summary").click()

    found = await announcements(page)
    assert 1 <= len(found) <= 2, found
    assert {region for region, _ in found} == {"cloud-announcement"}
    assert all(SENTENCE.fullmatch(text) for _, text in found), found
    assert await page.evaluate("regions.every(([, how]) => how === 'polite')")
    monitor.assert_clean()


async def test_detail_view_announces_only_its_own_cloud(site: LiveSite, page: Page) -> None:
    """At most every 10 s, and at the end the current state."""
    monitor = PageMonitor(page, site.url)
    await listen(page, f"{site.url}/#cloud-7")
    await page.evaluate("announced.length = 0")
    await publish_storm(site)
    await site.publisher.publish(state("cloud-7", "neutral", seq=10_000))
    # Ten seconds after the last one, at most.
    await expect(page.locator("#cloud-announcement")).to_have_text(
        "cloud-7: Resting.", timeout=10_000 + SHOWN_MS
    )

    found = await announcements(page)
    assert 2 <= len(found) <= 4, found
    assert all(
        region == "cloud-announcement" and text.startswith("cloud-7: ") for region, text in found
    )
    monitor.assert_clean()


async def test_loss_and_return_of_the_broker_are_announced_once(stack: Stack, page: Page) -> None:
    """Each once, and of clouds that are not live nothing is found as if they were."""
    monitor = PageMonitor(page, stack.page_url)
    async with connect_publisher(stack.broker, "pillow") as publisher:
        await publisher.publish(state("sofa", "neutral"))
    await listen(page, f"{stack.page_url}/#sofa")
    await expect(page.locator("#cloud-announcement")).to_have_text(
        "sofa: Resting.", timeout=SHOWN_MS
    )
    async with connect_publisher(stack.broker, "pillow") as publisher:
        await publisher.publish(state("sofa", "hugging"))
    await expect(page.locator("#detail")).to_have_attribute("data-state", "hugging")
    await page.evaluate("announced.length = 0")

    stack.broker.kill()
    broker_lost = "Not live. This is how the clouds last were."
    await expect(page.locator("#status-announcement")).to_have_text(broker_lost, timeout=SHOWN_MS)
    await stack.broker.start()
    await expect(page.locator("#status-announcement")).to_have_text("Live", timeout=40_000)

    status = [text for region, text in await announcements(page) if region == "status-announcement"]
    assert status == [broker_lost, "Live"]
    clouds = [text for region, text in await announcements(page) if region == "cloud-announcement"]
    assert len(clouds) <= 1
    monitor.assert_clean()
