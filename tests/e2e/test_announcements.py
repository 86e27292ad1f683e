"""What a screen reader is told by the page: what is so, politely and seldom."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from devstack.broker import Broker
from devstack.stack import Stack
from tests.e2e.sites import SHOWN_MS, Sky, Watch, sky_of
from tests.gateway import connect_publisher, state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PILLOWS = 20
PER_SECOND = 50
LASTS_S = 12.0
"""Longer than docs/page.md lets pass between two announcements."""
NAMES = ("hugging", "punching", "shaking", "spinning", "throwing")

SENTENCE = re.compile(r"\d+ clouds changed\.|cloud-\d+: \w+\.( cloud-\d+: \w+\.){0,2}")

# Whatever a screen reader would read out unasked: by attribute, or by what an element is.
LISTEN = """() => {
  const live = new Set(["polite", "assertive"]);
  const roles = "[role=status], [role=log], [role=alert], [role=timer], [role=marquee], output";
  const regions = [...document.querySelectorAll(`[aria-live], ${roles}`)].filter((one) =>
      live.has(one.getAttribute("aria-live") ?? "polite"));
  window.regions = regions.map((one) => [one.id, one.getAttribute("aria-live") ?? "polite"]);
  window.heard = [];
  for (const one of regions)
    new MutationObserver(() => heard.push([one.id, one.textContent]))
      .observe(one, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
async def sky(broker: Broker) -> AsyncIterator[Sky]:
    """Twenty pillows at rest."""
    async for made in sky_of(broker):
        await made.cloud.publish_all([state(f"cloud-{n}", "neutral") for n in range(PILLOWS)])
        yield made


async def listen(page: Page, url: str) -> None:
    """Open the page, with where the time went, and listen from when it is live."""
    await page.goto(url)
    await expect(page.locator("body")).to_have_attribute("data-connection", "live", timeout=40_000)
    await expect(page.locator("#told-status")).to_have_text("Live", timeout=SHOWN_MS)
    await page.evaluate(LISTEN)


async def storm(sky: Sky) -> None:
    """Fifty changes a second over all pillows."""
    begin, seq = time.monotonic(), 0
    while time.monotonic() < begin + LASTS_S:
        name = NAMES[seq // PILLOWS % len(NAMES)]
        hops = {"queued": int(time.time() * 1000) - 50}
        await sky.cloud.publish(state(f"cloud-{seq % PILLOWS}", name, seq=seq, hops=hops))
        seq += 1
        await asyncio.sleep(max(0.0, begin + seq / PER_SECOND - time.monotonic()))


async def heard(page: Page) -> list[Any]:
    told: list[Any] = await page.evaluate("heard")
    return told


async def test_a_storm_over_many_clouds_is_a_sentence(sky: Sky, page: Page) -> None:
    """How many have changed, once; with everything open that has numbers in it."""
    watch = Watch(page, sky.url)
    await listen(page, f"{sky.url}/")
    async with asyncio.TaskGroup() as meanwhile:
        meanwhile.create_task(storm(sky))
        await page.locator("#way summary").click()

    told = await heard(page)
    assert 1 <= len(told) <= 2, told
    assert {region for region, _ in told} == {"told-clouds"}
    assert all(SENTENCE.fullmatch(text) for _, text in told), told
    assert await page.evaluate("regions.every(([, how]) => how === 'polite')")
    watch.assert_clean()


async def test_of_a_cloud_that_is_looked_at_its_own_state_is_told(sky: Sky, page: Page) -> None:
    """Not the others', not each of many, and at the end what is so then."""
    watch = Watch(page, sky.url)
    await listen(page, f"{sky.url}/#cloud-7")
    await page.evaluate("heard.length = 0")
    await storm(sky)
    await sky.cloud.publish(state("cloud-7", "neutral", seq=10_000))
    await expect(page.locator("#told-clouds")).to_have_text("cloud-7: Resting.", timeout=SHOWN_MS)

    told = await heard(page)
    assert 2 <= len(told) <= 4, told
    assert all(region == "told-clouds" and text.startswith("cloud-7: ") for region, text in told)
    watch.assert_clean()


async def test_the_loss_of_the_broker_is_told_and_its_return(stack: Stack, page: Page) -> None:
    """Each once, and of clouds that are not live nothing is told as if they were."""
    watch = Watch(page, stack.page_url)
    async with connect_publisher(stack.broker, "pillow") as cloud:
        await cloud.publish(state("sofa", "neutral"))
    await listen(page, f"{stack.page_url}/#sofa")
    await expect(page.locator("#told-clouds")).to_have_text("sofa: Resting.", timeout=SHOWN_MS)
    async with connect_publisher(stack.broker, "pillow") as cloud:
        await cloud.publish(state("sofa", "hugging"))
    await expect(page.locator("#view")).to_have_attribute("data-state", "hugging")
    await page.evaluate("heard.length = 0")

    stack.broker.kill()
    told_lost = "Broker offline. This is how the clouds last were."
    await expect(page.locator("#told-status")).to_have_text(told_lost, timeout=SHOWN_MS)
    await stack.broker.start()
    await expect(page.locator("#told-status")).to_have_text("Live", timeout=40_000)

    status = [text for region, text in await heard(page) if region == "told-status"]
    assert status == [told_lost, "Live"]
    clouds = [text for region, text in await heard(page) if region == "told-clouds"]
    assert len(clouds) <= 1
    watch.assert_clean()
