"""Chromium: a wall asks for the motion of the clouds in sight, and these move by their samples."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, WebSocket, expect

from devstack.broker import Broker
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site, wait_connected
from tests.gateway import state
from tests.waiting import eventually, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

NAMES = [f"cloud-{number}" for number in range(1, 61)]
SAMPLES = [[2.0, 0, 1], [-2.0, 0, 1]] * 15
NOTES = """
    window.moves = [];
    const {animate} = Element.prototype;
    Element.prototype.animate = function (frames, options) {
      if (String(frames.transform).includes("rotate(12deg)")) {
        const place = this.closest("#detail") ? "#detail" : ".card";
        moves.push(`${this.closest("[data-pillow]").dataset.pillow} in ${place}`);
      }
      return animate.call(this, frames, options);
    };
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
      constructor(...given) { super(...given); sockets.push(this); }
    };"""
"""Has the page note its sockets, and which clouds it moves by samples: each for seconds only."""

MOVES = "(move) => moves.includes(move)"
PING = """sockets.at(-1).send('{"type":"ping","sent":1000000000000}')"""
"""Of the future, so that the page measures nothing by it."""
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
        self._page = page
        self._pongs = 0
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
        elif frame["type"] == "pong" and frame["sent"] == 1e12:
            self._pongs += 1

    async def until_read(self) -> None:
        """Wait until the gateway has read what the page has sent: it answers in order."""
        before = self._pongs
        await self._page.evaluate(PING)
        await until(lambda: self._pongs > before, "the gateway has read what was asked for")


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """More pillows than fit a window."""
    async for made in live_site(broker):
        await made.publisher.publish_all([state(name, "neutral") for name in NAMES])
        await made.gateway.wait_for_metric("pillows", len(NAMES))
        yield made


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A low window."""
    context = await browser.new_context(viewport={"width": 900, "height": 500})
    await context.add_init_script(NOTES)
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

    async def asks_for_those_in_sight(one: str) -> list[str]:
        seen: list[str] = []

        async def is_asked() -> bool:
            seen[:] = await page.evaluate(IN_SIGHT)
            return one in seen and wire.asked[-1:] == [seen]

        await eventually(is_asked, f"{one} and all others in sight are asked for")
        await wire.until_read()
        return seen

    first = await asks_for_those_in_sight("cloud-1")
    assert 4 < len(first) < 40
    await shake(site, "cloud-60")
    await shake(site, "cloud-1")
    await page.wait_for_function(MOVES, arg="cloud-1 in .card", timeout=SHOWN_MS)
    assert wire.moved == ["cloud-1"]

    await page.mouse.wheel(0, 20_000)
    last = await asks_for_those_in_sight("cloud-60")
    assert "cloud-1" not in last
    await shake(site, "cloud-1")
    await shake(site, "cloud-60")
    await page.wait_for_function(MOVES, arg="cloud-60 in .card", timeout=SHOWN_MS)

    await page.evaluate("location.hash = 'cloud-7'")
    await until(lambda: wire.asked[-1] == ["cloud-7"], "the pillow of the view is asked for")
    await wire.until_read()
    await shake(site, "cloud-60")
    await shake(site, "cloud-7")
    await page.wait_for_function(MOVES, arg="cloud-7 in #detail", timeout=SHOWN_MS)
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
    await until(lambda: wire.asked[-1:] not in ([], [[]]), "clouds are asked for")
    await page.emulate_media(reduced_motion="reduce")
    await until(lambda: wire.asked[-1] == [], "none is asked for")
    await wire.until_read()
    await shake(site, "cloud-2")
    await expect(page.locator('.card[data-pillow="cloud-2"]')).to_have_attribute(
        "data-state", "shaking", timeout=SHOWN_MS
    )
    assert wire.moved == []
