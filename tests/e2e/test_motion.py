"""Chromium: a wall asks for the motion of the clouds in sight, and these move by their samples."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, WebSocket, expect

from devstack.broker import Broker
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site, wait_connected
from tests.gateway import state
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NAMES = [f"cloud-{number}" for number in range(1, 61)]
SAMPLES = [[2.0, 0, 1], [-2.0, 0, 1]] * 15
MOVES = """([id, place]) => document.querySelector(`${place}[data-pillow="${id}"] .motion-layer`)
    .getAnimations().some((one) => one.effect.getKeyframes().some(({transform}) =>
        transform.includes("rotate(12deg)")))"""
IN_SIGHT = """() => [...document.querySelectorAll(".card")].filter((card) => {
    const {top, bottom} = card.querySelector(".cloud").getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  }).map((card) => card.dataset.pillow).sort()"""


class Wire:
    """What a page sends and receives on its WebSockets."""

    def __init__(self, page: Page) -> None:
        self.asked: list[list[str]] = []
        self.moved: list[str] = []
        self.states: list[dict[str, object]] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        assert "motion=none" in socket.url
        socket.on("framesent", self._on_sent)
        socket.on("framereceived", self._on_received)

    def _on_sent(self, text: str | bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "motion":
            self.asked.append(frame["pillows"])

    def _on_received(self, text: str | bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "motion":
            self.moved += [one["pillow"] for one in frame["pillows"]]
        elif frame["type"] in ("snapshot", "update"):
            self.states += frame["pillows"]


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """More pillows than fit a window."""
    async for made in live_site(broker):
        await made.publisher.publish_all([state(name, "neutral") for name in NAMES])
        yield made


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A low window."""
    context = await browser.new_context(viewport={"width": 900, "height": 500})
    yield await context.new_page()
    await context.close()


async def shake(site: LiveSite, name: str) -> None:
    """Publish a state with samples."""
    await site.publisher.publish(state(name, "shaking", motion=SAMPLES))


async def test_a_wall_asks_for_the_clouds_in_sight_and_these_move_by_their_samples(
    site: LiveSite, page: Page
) -> None:
    """Others do not, and a pillow's own view asks for that pillow."""
    monitor, wire = PageMonitor(page, site.url, site.url.replace("http", "ws")), Wire(page)
    await page.goto(site.url)
    await wait_connected(page)

    async def asks_for_those_in_sight() -> list[str]:
        seen = await page.evaluate(IN_SIGHT)
        await until(lambda: wire.asked[-1:] == [seen], f"{seen} is asked for: {wire.asked[-1:]}")
        return sorted(seen)

    await page.locator(".card").first.wait_for()
    first = await asks_for_those_in_sight()
    assert "cloud-1" in first
    assert 4 < len(first) < 40
    await shake(site, "cloud-60")
    await shake(site, "cloud-1")
    await page.wait_for_function(MOVES, arg=["cloud-1", ".card"], timeout=SHOWN_MS)
    assert wire.moved == ["cloud-1"]

    await page.mouse.wheel(0, 20_000)
    await page.locator('.card[data-pillow="cloud-60"]').wait_for()
    last = await asks_for_those_in_sight()
    assert "cloud-60" in last
    assert "cloud-1" not in last
    await shake(site, "cloud-1")
    await shake(site, "cloud-60")
    await page.wait_for_function(MOVES, arg=["cloud-60", ".card"], timeout=SHOWN_MS)

    await page.evaluate("location.hash = 'cloud-7'")
    await until(lambda: wire.asked[-1] == ["cloud-7"], "the pillow of the view is asked for")
    await shake(site, "cloud-60")
    await shake(site, "cloud-7")
    await page.wait_for_function(MOVES, arg=["cloud-7", "#detail"], timeout=SHOWN_MS)
    assert wire.moved == ["cloud-1", "cloud-60", "cloud-7"]
    assert not any("motion" in one for one in wire.states)
    assert len(wire.asked) < 20
    monitor.assert_clean()


async def test_who_prefers_reduced_motion_gets_none(site: LiveSite, page: Page) -> None:
    """Also when the preference changes, in both directions."""
    wire = Wire(page)
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(site.url)
    await page.evaluate("navigator.serviceWorker.ready")  # the page has started all of its parts
    assert wire.asked == []

    await page.emulate_media(reduced_motion="no-preference")
    await until(lambda: len(wire.asked) == 1, "clouds are asked for")
    await page.emulate_media(reduced_motion="reduce")
    await until(lambda: wire.asked[-1] == [], "none is asked for")
    await shake(site, "cloud-2")
    await expect(page.locator('.card[data-pillow="cloud-2"]')).to_have_attribute(
        "data-state", "shaking", timeout=SHOWN_MS
    )
    assert wire.moved == []
