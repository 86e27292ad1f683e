"""A film of one pillow on the whole system: every state, a hug's way, a lost broker and its return.

It goes to a folder of the test's own; `PICTURES=docs scripts/test tests/e2e/test_recording.py`
takes it anew for the documentation. Look at it before you commit it.
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
from tests.e2e.sites import SHOWN_MS, Watch
from tests.gateway import connect_publisher

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

VIEWPORT: ViewportSize = {"width": 900, "height": 1120}
ORDER = ("neutral", "hugging", "punching", "shaking", "spinning", "throwing", "notconnected")
DWELL_S = 2.2
"""How long each state is shown: a round of the slowest quick movement."""
MOVING = 10
"""How many different frames of a state show that it moves."""
PER_SECOND = 8
MOST_BYTES = 1_500_000
MOST_STILL = 3
"""A cloud that stands still is painted when a number changes: not more than this in a dwell."""


async def test_a_pillow_through_everything(
    stack: Stack, put: Put, browser: Browser, tmp_path: Path
) -> None:
    """Each state moves and says its name; without the broker the last one stands still and old."""
    wanted = os.environ.get("PICTURES")
    path = (ROOT / wanted if wanted else tmp_path) / "film.webp"

    async def feel(name: str) -> None:
        """What a pillow puts on the queue."""
        at = datetime.now(UTC).isoformat()
        await put(pillow="sofa", state=name, at=at, battery=0.81, confidence=0.93)

    page = await browser.new_page(viewport=VIEWPORT)
    watch = Watch(page, stack.page_url)
    view, body = page.locator("#view"), page.locator("body")
    await feel("neutral")
    await page.goto(f"{stack.page_url}/#sofa")
    await expect(view).to_have_attribute("data-state", "neutral", timeout=SHOWN_MS)
    async with Film(page, width=640, height=800) as film:
        async with connect_publisher(stack.broker, "pillow") as sofa:
            await film.run_until_moved(DWELL_S, MOVING)
            for name in ORDER[1:-1]:
                await feel(name)
                await expect(view).to_have_attribute("data-state", name, timeout=SHOWN_MS)
                await film.run_until_moved(DWELL_S, MOVING)
            await sofa.publish_availability("sofa", b"offline")
            await expect(view).to_have_attribute("data-state", "notconnected", timeout=SHOWN_MS)
            await film.run_until_moved(DWELL_S, MOVING)
            await sofa.publish_availability("sofa", b"online")

        # Where the time of a hug and of a punch went.
        await page.locator("#way summary").click()
        for name in ("hugging", "punching"):
            await feel(name)
            await expect(view).to_have_attribute("data-state", name, timeout=SHOWN_MS)
            await film.run(DWELL_S)
        # The queue tells whole seconds: how long before that it was felt is not always known.
        await expect(page.locator("#way-legend .none:not(.queued)")).to_have_count(0)

        # What was last known stays, visibly old.
        stack.broker.kill()
        await expect(body).to_have_attribute("data-connection", "broker-offline", timeout=SHOWN_MS)
        await expect(view.locator(".state")).to_have_text("Was punching")
        await film.run_until_still(DWELL_S, MOST_STILL)
        await stack.broker.start()
        await expect(body).to_have_attribute("data-connection", "live", timeout=40_000)
        await feel("hugging")
        await expect(view).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)
        await film.run(DWELL_S)
    watch.assert_clean()
    await page.close()

    assert set(ORDER) == set(STATES)
    frames = film.write(path, per_second=PER_SECOND, quality=65)
    assert frames > len(ORDER) * MOVING
    assert path.stat().st_size < MOST_BYTES
