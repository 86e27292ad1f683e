"""The pictures of README and docs, taken by a test so that they show the current page.

They are written to a temporary folder; `PICTURES=docs scripts/test tests/e2e/test_pictures.py`
replaces those of the documentation. Look at them before you commit them.
"""

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contract.states import STATES
from devstack.broker import Broker
from devstack.processes import ROOT
from tests.e2e.sites import (
    SHOWN_MS,
    LiveSite,
    PageMonitor,
    live_site,
    wait_connected,
    wait_for_tools,
)
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NAMES = ("grandma", "sofa", "kids-room", "office", "garden", "attic", "lobby")
MIN_BYTES = 15_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for the pictures."""
    folder = os.environ.get("PICTURES")
    return ROOT / folder if folder else tmp_path


@pytest.fixture(scope="module")
async def home(broker: Broker) -> AsyncIterator[LiveSite]:
    """Seven pillows, one in each state; the sofa has past states."""
    async for made in live_site(broker):
        past = ("neutral", "hugging", "neutral", "punching", "neutral", "spinning", "shaking")
        for n, name in enumerate(past * 3):
            await made.publisher.publish(state("sofa", name, ago_s=560 - 26 * n - 7 * (n % 3)))
        more = {"battery": 0.81, "confidence": 0.93}
        await made.publisher.publish_all(
            [state(pillow, name, **more) for pillow, name in zip(NAMES, STATES, strict=True)]
        )
        await made.publisher.publish(state("sofa", "hugging", **more))
        yield made


@pytest.fixture(scope="module")
async def fleet(broker: Broker) -> AsyncIterator[LiveSite]:
    """Two thousand pillows."""
    async for made in live_site(broker):
        names, weights, rng = list(STATES), (4, 8, 2, 2, 2, 2, 2), random.Random(7)
        await made.publisher.publish_all(
            [
                state(f"cloud-{n}", rng.choices(names, weights)[0], ago_s=n % 14)
                for n in range(1, 2001)
            ]
        )
        await made.gateway.wait_for_metric("pillows", 2000)
        yield made


async def open_page(browser: Browser, url: str, **how: Any) -> tuple[Page, PageMonitor]:
    """Open the page and wait until it is live and its clouds are there."""
    page = await browser.new_page(**how)
    monitor = PageMonitor(page, url.split("#")[0])
    await page.goto(url)
    await wait_connected(page)
    await expect(page.locator("[data-pillow][data-state]:visible").first).to_be_visible(
        timeout=SHOWN_MS
    )
    return page, monitor


async def take(page: Page, monitor: PageMonitor, path: Path) -> None:
    """Take a picture, which is larger than one of an empty page."""
    await expect(page.locator(".leaving")).to_have_count(0)
    picture = await page.screenshot(path=path, type="jpeg", quality=86)
    monitor.assert_clean()
    await page.close()
    assert len(picture) > MIN_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_picture_of_the_page(
    home: LiveSite, browser: Browser, folder: Path, scheme: Any
) -> None:
    """Seven clouds, one in each state."""
    size = {"width": 1240, "height": 920}
    page, monitor = await open_page(browser, f"{home.url}/", viewport=size, color_scheme=scheme)
    await expect(page.locator(".card")).to_have_count(7, timeout=SHOWN_MS)
    # What is loaded later.
    await expect(page.locator(".card").first).to_contain_text("hug", timeout=SHOWN_MS)
    await wait_for_tools(page)
    await take(page, monitor, folder / ("page.jpg" if scheme == "light" else "page-dark.jpg"))


async def test_picture_of_the_detail_view(home: LiveSite, browser: Browser, folder: Path) -> None:
    """The detail view with the latency panel."""
    size = {"width": 1240, "height": 1010}
    page, monitor = await open_page(browser, f"{home.url}/#sofa", viewport=size)
    await expect(page.locator("#history-slider")).to_have_attribute(
        "aria-valuetext", "Now: Hugging"
    )
    await take(page, monitor, folder / "pillow.jpg")


async def test_picture_of_a_phone(home: LiveSite, browser: Browser, folder: Path) -> None:
    """The detail view on a phone, in dark colours."""
    page, monitor = await open_page(
        browser,
        f"{home.url}/#sofa",
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        color_scheme="dark",
    )
    await take(page, monitor, folder / "phone.jpg")


async def test_picture_of_the_wall(fleet: LiveSite, browser: Browser, folder: Path) -> None:
    """Two thousand clouds."""
    size = {"width": 1440, "height": 900}
    page, monitor = await open_page(browser, f"{fleet.url}/", viewport=size)
    await expect(page.locator("#status-detail")).to_contain_text("2,000 clouds", timeout=SHOWN_MS)
    await take(page, monitor, folder / "wall.jpg")
