"""A film of one pillow on the whole system: every state, latencies, a broker outage and recovery.

It is written to a temporary folder. `PICTURES=docs scripts/test tests/e2e/test_recording.py` writes
it for the documentation; look at it before you commit it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from contract.states import STATES
from devstack.processes import ROOT
from devstack.stack import Stack
from tests.e2e.conftest import Put
from tests.e2e.film import Film
from tests.e2e.sites import SHOWN_MS, PageMonitor
from tests.gateway import connect_publisher

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

VIEWPORT: ViewportSize = {"width": 900, "height": 1120}
ORDER = ("neutral", "hugging", "punching", "shaking", "spinning", "throwing", "notconnected")
DWELL_S = 2.2
"""Seconds for which each state is shown: one period of the slowest fast animation."""
MIN_MOVING_FRAMES = 10
"""Number of different frames that prove that a state is animated."""
FRAMES_PER_S = 8
MAX_BYTES = 1_500_000
MAX_STILL_FRAMES = 3
"""Different frames of a cloud at rest in DWELL_S, because it is painted when a number changes."""


async def test_every_state_is_animated_and_the_last_one_is_marked_old_without_a_broker(
    stack: Stack, put: Put, browser: Browser, tmp_path: Path
) -> None:
    """The film has enough frames of each state, and is small enough for the documentation."""
    wanted = os.environ.get("PICTURES")
    path = (ROOT / wanted if wanted else tmp_path) / "film.webp"

    async def send(name: str) -> None:
        """Put a state on the queue, as a pillow does."""
        at = datetime.now(UTC).isoformat()
        await put(pillow="sofa", state=name, at=at, battery=0.81, confidence=0.93)

    page = await browser.new_page(viewport=VIEWPORT)
    monitor = PageMonitor(page, stack.page_url)
    view, body = page.locator("#detail"), page.locator("body")
    await send("neutral")
    await page.goto(f"{stack.page_url}/#sofa")
    await expect(view).to_have_attribute("data-state", "neutral", timeout=SHOWN_MS)
    async with Film(page, width=640, height=800) as film:
        async with connect_publisher(stack.broker, "pillow") as sofa:
            await film.run_until_moved(DWELL_S, MIN_MOVING_FRAMES)
            for name in ORDER[1:-1]:
                await send(name)
                await expect(view).to_have_attribute("data-state", name, timeout=SHOWN_MS)
                await film.run_until_moved(DWELL_S, MIN_MOVING_FRAMES)
            await sofa.publish_availability("sofa", b"offline")
            await expect(view).to_have_attribute("data-state", "notconnected", timeout=SHOWN_MS)
            await film.run_until_moved(DWELL_S, MIN_MOVING_FRAMES)
            await sofa.publish_availability("sofa", b"online")

        # The latency panel shows how long each hop of a hug and a punch took.
        await page.locator("#latency summary").click()
        for name in ("hugging", "punching"):
            await send(name)
            await expect(view).to_have_attribute("data-state", name, timeout=SHOWN_MS)
            await film.run(DWELL_S)
        # The queue's time has whole seconds, so the time before it is not always known.
        await expect(page.locator("#latency-legend .missing")).to_have_count(0)

        # Without the broker, the last known state stays and is marked as old.
        stack.broker.kill()
        await expect(body).to_have_attribute("data-connection", "broker-offline", timeout=SHOWN_MS)
        await expect(view.locator(".state")).to_have_text("Was punching")
        await film.run_until_still(DWELL_S, MAX_STILL_FRAMES)
        await stack.broker.start()
        await expect(body).to_have_attribute("data-connection", "live", timeout=40_000)
        await send("hugging")
        await expect(view).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)
        await film.run(DWELL_S)
    monitor.assert_clean()
    await page.close()

    assert set(ORDER) == set(STATES)
    frames = film.write(path, per_second=FRAMES_PER_S, quality=65)
    assert frames > len(ORDER) * MIN_MOVING_FRAMES
    assert path.stat().st_size < MAX_BYTES
