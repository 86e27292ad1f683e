"""The page in Chromium, on a real gateway and a real broker."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from contract.states import STATES
from devstack.broker import Broker
from devstack.processes import ROOT
from tests.e2e.sites import (
    SHOWN_MS,
    LiveSite,
    PageMonitor,
    live_site,
    site_of_page,
    wait_connected,
    wait_for_tools,
    wait_without,
)
from tests.gateway import state
from tests.waiting import eventually, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

OVERFLOWING = """() => [...document.querySelectorAll('.card')].flatMap((card) => {
    const { left, right, bottom } = card.getBoundingClientRect();
    const parts = [...card.querySelectorAll('h2, .state, .when, .battery')]
      .filter((part) => part.getBoundingClientRect().width > 1);
    const wide = parts.filter((part) => part.getBoundingClientRect().left < left
      || part.getBoundingClientRect().right > right
      || part.getBoundingClientRect().bottom > bottom);
    const picture = card.querySelector('.cloud').getBoundingClientRect();
    const aside = Math.abs(picture.left + picture.right - left - right) > 2;
    return [...wide.map((part) => part.textContent), ...(aside ? [card.dataset.pillow] : [])]; })"""


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Seven pillows, one in each state."""
    async for made in live_site(broker):
        await made.publisher.publish_all(
            [state(f"is-{name}", name, battery=0.5) for name in STATES]
        )
        yield made


@pytest.fixture(scope="module")
async def fleet(broker: Broker) -> AsyncIterator[LiveSite]:
    """Two thousand pillows."""
    async for made in live_site(broker):
        names = list(STATES)
        await made.publisher.publish_all(
            [state(f"cloud-{n}", names[n % 7], ago_s=60 + n) for n in range(1, 2001)]
        )
        await made.gateway.wait_for_metric("pillows", 2000)
        yield made


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    await made.close()


@pytest.fixture
async def monitor(page: Page) -> AsyncIterator[PageMonitor]:
    """A test fails on an exception, a console message, or a request to another origin."""
    monitor = PageMonitor(page)
    yield monitor
    monitor.assert_clean()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


async def open_page(page: Page, monitor: PageMonitor, site: LiveSite, rest: str = "") -> None:
    """Open the page and wait until it is live."""
    monitor.allow(site.url, site.url.replace("http", "ws"))
    await page.goto(f"{site.url}/{rest}")
    await wait_connected(page, "live")


def card(page: Page, pillow: str) -> Any:
    return page.locator(f'.card[data-pillow="{pillow}"]')


async def wait_shown(page: Page, pillow: str, name: str) -> None:
    shown = page.locator(f'[data-pillow="{pillow}"]:visible')
    await expect(shown).to_have_attribute("data-state", name, timeout=SHOWN_MS)


@pytest.mark.parametrize("name", STATES)
async def test_state_has_a_moving_pose_a_label_and_a_text_alternative(
    site: LiveSite, page: Page, monitor: PageMonitor, name: str
) -> None:
    """For each of the seven states."""
    await open_page(page, monitor, site, f"#is-{name}")
    await wait_shown(page, f"is-{name}", name)
    view = page.locator("#detail")
    await site.publisher.publish(
        state(f"is-{name}", name, battery=0.5)
    )  # a quiet cloud stands still
    await expect(view).to_have_attribute("data-fresh", re.compile("live|notconnected"))

    await expect(view.locator(".state")).to_have_text(STATES[name].label)
    cloud = view.locator(".cloud")
    await expect(cloud).to_have_attribute("data-pose", name)
    assert "cloud" in (await cloud.get_attribute("aria-label") or "").lower()
    await expect(cloud).not_to_have_class(re.compile("offscreen"))
    moving = "cloud => cloud.getAnimations({subtree: true}).some(a => a.playState === 'running')"
    assert await cloud.evaluate(moving)


async def test_transition_animates_transform_and_opacity_and_removes_the_old_drawing(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """After many changes one drawing is left."""
    await site.publisher.publish(state("soft", "neutral"))
    await open_page(page, monitor, site, "#soft")
    await wait_shown(page, "soft", "neutral")
    await expect(page.locator("#detail .cloud")).not_to_have_class(re.compile("offscreen"))
    await page.evaluate(
        """() => { const cloud = document.querySelector('#detail .cloud'); window.seen = 0;
             window.animated = new Set();
             new MutationObserver(() => {
               const leaving = [...cloud.querySelectorAll('.leaving')];
               window.seen = Math.max(window.seen, leaving.length);
               for (const {effect} of leaving.flatMap(one => one.getAnimations()))
                 for (const frame of effect.getKeyframes())
                   for (const key of Object.keys(frame)) animated.add(key);
             }).observe(cloud, {subtree: true, attributes: true}); }"""
    )
    for seq, name in enumerate([*STATES] * 6):
        await site.publisher.publish(state("soft", name, seq=seq))
    await wait_shown(page, "soft", list(STATES)[-1])

    await expect(page.locator("#detail .leaving")).to_have_count(0, timeout=SHOWN_MS)
    assert await page.evaluate("window.seen") > 0
    # Only these run on the compositor for an SVG as a whole.
    timing = {"offset", "computedOffset", "easing", "composite"}
    assert set(await page.evaluate("[...animated]")) - timing == {"transform", "opacity"}
    assert await page.locator("#detail .motion-layer > *").count() == 1


async def test_cloud_moves_by_accelerometer_samples(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """The keyframes begin and end at rest."""
    await site.publisher.publish(state("moving", "shaking"))
    asked: list[str | bytes] = []
    page.on("websocket", lambda one: one.on("framesent", lambda text: asked.append(text)))
    await open_page(page, monitor, site, "#moving")
    await wait_shown(page, "moving", "shaking")
    await expect(page.locator("#detail .cloud")).not_to_have_class(re.compile("offscreen"))
    await page.evaluate(
        """() => { const old = Element.prototype.animate; window.moves = [];
             Element.prototype.animate = function (frames, how) {
               if (this.closest('.cloud'))  // the lamp moves too
                 window.moves.push([this.getAttribute('class'), frames.transform]);
               return old.call(this, frames, how); }; }"""
    )
    wanted = '{"type":"motion","pillows":["moving"]}'
    await until(lambda: wanted in asked, "the page asks for the motion of its pillow")
    # And the gateway has read it: it knows the pillow, and the wish for its motion.
    await site.gateway.wait_for_metric("subscription_bytes", 2 * 150)
    await site.publisher.publish(state("moving", "shaking", motion=[[2, 0, 1], [-2, 0, 1]], seq=1))

    await page.wait_for_function("() => window.moves.length > 0")
    ((element, frames),) = await page.evaluate("window.moves")
    assert element == "motion-layer"
    assert frames[0] == frames[-1] == "none"
    assert ["translate(7.5%" in frames[1], "translate(-7.5%" in frames[2]] == [True, True]


async def test_reduced_motion_runs_no_animation(site: LiveSite, browser: Browser) -> None:
    """The pose still shows the state."""
    page = await browser.new_page(reduced_motion="reduce")
    monitor = PageMonitor(page)
    await open_page(page, monitor, site)
    await expect(card(page, "is-hugging")).to_have_attribute("data-state", "hugging")
    await site.publisher.publish(state("is-hugging", "hugging", motion=[[1, 1, 1]] * 9, seq=1))
    await page.goto(f"{site.url}/#is-hugging")
    await site.publisher.publish(state("is-hugging", "punching", motion=[[1, 1, 1]] * 9, seq=2))
    await wait_shown(page, "is-hugging", "punching")

    assert await page.evaluate("document.getAnimations().length") == 0
    await site.publisher.publish(state("is-hugging", "hugging", seq=3))
    monitor.assert_clean()
    await page.close()


async def make_live(page: Page, site: LiveSite, count: int) -> None:
    """Publish new states of `count` pillows, without a change of the numbers by state, and wait."""
    names = [name if name != "notconnected" else "neutral" for name in STATES]
    states = [state(f"cloud-{n}", names[n % 7]) for n in range(1, count + 1)]
    await site.publisher.publish_all(states)
    await page.wait_for_function(
        """() => document.querySelectorAll(
             '.card[data-fresh=live] .cloud:not(.offscreen)').length > 12""",
        polling=100,
    )


async def test_animations_run_on_the_compositor(
    site: LiveSite, fleet: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """They change transform, opacity and scale only, and cost no style and no layout a frame."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await page.add_init_script(
        """const request = window.requestAnimationFrame; window.requested = 0;
        window.requestAnimationFrame = then => { window.requested++; return request(then); };"""
    )

    async def counts() -> list[float]:
        """Return how often the page requested a frame, and computed styles and layout."""
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        value = {one["name"]: float(one["value"]) for one in metrics}
        requested = float(await page.evaluate("window.requested"))
        return [requested, value["RecalcStyleCount"], value["LayoutCount"]]

    async def each_second() -> list[float]:
        """Return these numbers for a second, over three seconds."""
        before = await counts()
        seconds = await page.evaluate(
            "new Promise(done => { const began = performance.now(); setTimeout(() =>"
            " done((performance.now() - began) / 1000), 3000); })"
        )
        after = await counts()
        return [(now - then) / seconds for now, then in zip(after, before, strict=True)]

    for place in (site, fleet):
        await page.goto("about:blank")
        await open_page(page, monitor, place)
        if place is fleet:
            await make_live(page, fleet, 60)
        else:
            await place.publisher.publish_all([state(f"is-{name}", name) for name in STATES])
        first = page.locator('.card[data-fresh="live"] .when').first
        await expect(first).to_have_text(re.compile(r"^([2-9]|\d\d) sec. ago"), timeout=SHOWN_MS)
        moved = await page.evaluate(
            """() => document.getAnimations().map(({effect}) => [
                 effect.composite,
                 ...effect.getKeyframes().flatMap(frame => Object.keys(frame)).filter(
                   key => !['offset', 'computedOffset', 'easing', 'composite'].includes(key))])"""
        )
        assert len(moved) > 12
        assert {one for names in moved for one in names} <= {
            *("replace", "transform", "opacity", "scale")
        }
        # Now and then the page requests 30 frames in a row, as a sample of how fast it is drawn.
        while (each := await each_second())[0] > 5:
            pass
        # Far below 60 frames a second: only the ages change.
        assert max(each) < 10, each


async def test_clouds_out_of_sight_have_no_animation(
    fleet: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """Also after a scroll."""
    outside = """() => { const moving = document.getAnimations()
        .map(({effect}) => effect.target?.closest?.('.card .cloud')).filter(Boolean)
        .map(cloud => cloud.getBoundingClientRect());
      return moving.length > 0
        && moving.every(({top, bottom}) => bottom > 0 && top < innerHeight); }"""
    await open_page(page, monitor, fleet)
    await make_live(page, fleet, 400)
    await page.wait_for_function(outside, timeout=SHOWN_MS)
    await page.evaluate("scrollTo(0, 1234)")
    await make_live(page, fleet, 400)  # they may have become quiet since then
    await page.wait_for_function(outside, timeout=SHOWN_MS)


async def test_page_connects_before_its_modules_are_loaded(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """It keeps this connection, and loses none of the messages received before."""
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await site.publisher.publish(state("early", "hugging"))
    session = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": 4_000, "uploadThroughput": -1}
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", slow)
    opened = asyncio.create_task(open_page(page, monitor, site, "#early"))
    # Both in one look, because the rest of the page arrives meanwhile.
    found = await page.wait_for_function(
        """() => globalThis.preconnection?.received.length > 0
          && {modules: document.querySelectorAll('script[type=module]').length}""",
        polling=50,
    )
    assert await found.json_value() == {"modules": 0}
    await session.send("Network.emulateNetworkConditions", {**slow, "downloadThroughput": -1})
    await opened

    await wait_shown(page, "early", "hugging")
    await site.publisher.publish(state("early", "spinning"))
    await wait_shown(page, "early", "spinning")
    assert len(sockets) == 1


async def test_keyboard_reaches_cards_and_detail_view_and_back(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """The skip link, arrow keys, Enter and Escape; the focus returns to the card."""
    await open_page(page, monitor, site, "?" + "&".join(f"pillow=is-{name}" for name in STATES))
    await expect(page.locator(".card")).to_have_count(7, timeout=SHOWN_MS)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await wait_for_tools(page)
    await page.locator(".card a").first.focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".card a").nth(1)).to_be_focused()
    await page.keyboard.press("End")
    last = page.locator(".card a").last
    await expect(last).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(page.locator("#detail-name")).to_have_text(await last.text_content() or "")
    await page.keyboard.press("Escape")
    await expect(page.locator("#detail")).to_be_hidden()
    await expect(last).to_be_focused()


async def test_clouds_are_larger_the_fewer_they_are(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """One, three and seven clouds."""
    names = [f"pillow=is-{name}" for name in STATES]
    widths = []
    for count in (1, 3, 7):
        await open_page(page, monitor, site, "?" + "&".join(names[:count]))
        cloud = page.locator(".cloud:visible")
        await expect(cloud).to_have_count(count, timeout=SHOWN_MS)
        box = await cloud.first.bounding_box()
        assert box is not None
        widths.append(box["width"])
    await expect(page.locator("#clouds")).to_have_attribute("data-size", "some")

    assert widths[0] > 400 > widths[1] > widths[2] > 150


async def test_large_wall_has_fewer_than_150_cards_in_dom_order(
    fleet: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """The keyboard reaches the last of 2,000 pillows, and `aria-setsize` has their number."""
    await open_page(page, monitor, fleet)
    await expect(page.locator("#status-detail")).to_contain_text("2,000 clouds", timeout=SHOWN_MS)
    await expect(card(page, "cloud-1")).to_be_visible()
    assert await page.locator(".card").count() < 150
    await expect(card(page, "cloud-1")).to_have_attribute("aria-setsize", "2000")

    await wait_for_tools(page)
    await card(page, "cloud-1").locator("a").focus()
    await page.keyboard.press("End")
    await expect(card(page, "cloud-2000").locator("a")).to_be_focused()
    await expect(card(page, "cloud-2000")).to_be_in_viewport()
    await expect(card(page, "cloud-1")).to_have_count(0)
    assert await page.locator(".card").count() < 150
    await page.keyboard.press("Home")
    await expect(card(page, "cloud-1").locator("a")).to_be_focused()
    # A screen reader reads them in DOM order, whichever cards were reused.
    in_order = """() => { const ranks = [...document.querySelectorAll('.card')].map(
        card => Number(card.getAttribute('aria-posinset')));
        return ranks.every((rank, index) => index === 0 || ranks[index - 1] < rank) }"""
    await page.wait_for_function(in_order)


async def test_wall_is_filtered_and_sorted_and_the_address_keeps_it(
    fleet: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """By state, name and age; an empty result has a text."""
    await open_page(page, monitor, fleet, "#state=hugging&order=newest")
    await expect(page.locator("#shown-count")).to_have_text("285 of 2,000", timeout=SHOWN_MS)
    await expect(page.locator('[data-filter="hugging"] .count')).to_have_text("285")
    await expect(page.locator('.card[data-state="hugging"]').first).to_be_visible()
    await expect(page.locator('.card:not([data-state="hugging"])')).to_have_count(0)

    await page.locator('[data-filter="hugging"]').click()
    await page.locator("#name-filter").fill("cloud-77")
    await expect(page.locator("#shown-count")).to_have_text("11 of 2,000")
    await expect(page).to_have_url(re.compile("name=cloud-77"))
    await fleet.publisher.publish(state("cloud-775", "spinning"))
    first = page.locator('.card[aria-posinset="1"]')
    await expect(first).to_have_attribute("data-pillow", "cloud-775")
    await page.locator("#sort-order").select_option("oldest")
    await expect(first).to_have_attribute("data-pillow", "cloud-779")

    await page.locator("#name-filter").fill("nobody")
    await expect(page.locator("#no-match")).to_be_visible()
    await page.locator("#reset-filters").click()
    await expect(page.locator("#no-match")).to_be_hidden()


async def test_history_strip_shows_past_states(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """From the history and then live; the view shows the selected time."""
    for ago, name in ((50, "hugging"), (40, "neutral"), (30, "punching"), (20, "neutral")):
        await site.publisher.publish(state("past", name, ago_s=ago))
    await open_page(page, monitor, site, "#past")
    await wait_shown(page, "past", "neutral")
    slider = page.locator("#history-slider")
    await expect(slider).to_have_attribute("aria-valuetext", re.compile("^Now: Resting"))

    await site.publisher.publish(state("past", "spinning", battery=0.81, confidence=0.93))
    await wait_shown(page, "past", "spinning")
    await expect(page.locator("#detail-battery")).to_contain_text("81%")
    await expect(page.locator("#detail-confidence")).to_have_text("93%")
    await slider.focus()
    # Second by second; how many there are to it depends on how long this test has taken.
    async with asyncio.timeout(60):
        while not (await slider.get_attribute("aria-valuetext") or "").endswith(": Punching"):
            await page.keyboard.press("ArrowLeft")
    await wait_shown(page, "past", "punching")
    await expect(page.locator("#detail-when")).to_contain_text("ago")
    await expect(page.locator("#detail")).to_have_attribute("data-fresh", "past")
    await page.locator("#back-to-now").click()
    await wait_shown(page, "past", "spinning")
    # The newest state is painted when it is as wide as a pixel.
    names = ("hugging", "neutral", "punching", "spinning")
    colours = [",".join(map(str, bytes.fromhex(STATES[name].color[1:]))) for name in names]
    await page.wait_for_function(
        """(colours) => { const strip = document.getElementById('history-canvas');
        const row = new OffscreenCanvas(strip.width, 1).getContext('2d');
        row.drawImage(strip, 0, 2 - strip.height);
        const { data } = row.getImageData(0, 0, strip.width, 1);
        const seen = new Set(); for (let i = 0; i < data.length; i += 4)
        seen.add(data.slice(i, i + 3).join());
        return colours.every((colour) => seen.has(colour)); }""",
        arg=colours,
        timeout=SHOWN_MS,
    )


async def test_an_hour_of_the_heat_map_is_looked_at_and_played_again(
    broker: Broker, page: Page, monitor: PageMonitor
) -> None:
    """By keys; the view says that it is a replay, and goes back to now."""
    async for fresh in site_of_page(broker, page):
        for ago, name in ((70, "neutral"), (60, "hugging"), (10, "neutral")):
            await fresh.publisher.publish(state("told", name, ago_s=ago))
        await open_page(page, monitor, fresh, "#told")
        await expect(page.locator("#heat-caption")).to_contain_text("1 hug in", timeout=SHOWN_MS)
        spans = page.locator("#history-span input")
        await spans.nth(1).focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#history-title")).to_have_text("The last hour")

        cell = page.locator(".heat-cell[data-kind=hugged][data-level='1']").first
        await expect(cell).to_have_attribute("aria-label", re.compile("1 hug"))
        await cell.focus()
        await page.keyboard.press("Enter")
        view = page.locator("#detail")
        await expect(view).to_have_attribute("data-replay", "")
        await expect(page.locator("#history-title")).not_to_have_text("The last hour")
        await page.locator("#replay-speed").select_option("4")  # a hug of 50 s is shown for 12 s
        await page.locator("#history-slider").fill(
            await page.locator("#history-slider").get_attribute("min") or ""
        )
        await page.locator("#replay-play").press("Enter")
        await expect(page.locator("#replay-play")).to_have_attribute("data-playing", "true")
        await expect(page.locator("#detail-when")).to_contain_text("Replay of")
        await expect(view).to_have_attribute("data-state", "hugging", timeout=SHOWN_MS)

        await page.locator("#back-to-now").press("Enter")
        await expect(view).not_to_have_attribute("data-replay", "")
        await wait_shown(page, "told", "neutral")


async def test_failed_history_request_is_repeated(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """Also while the page stays live."""
    monitor.expect("ERR_FAILED")
    monitor.expect("503")
    failures = [lambda route: route.abort(), lambda route: route.fulfill(status=503)]

    async def answer(route: Route) -> None:
        await (failures.pop(0)(route) if failures else route.continue_())

    await page.route("**/api/pillows/fails/history?*", answer)
    await site.publisher.publish(state("fails", "hugging", ago_s=30))
    await site.publisher.publish(state("fails", "neutral", ago_s=5))
    await open_page(page, monitor, site, "#fails")

    await expect(page.locator("#history-legend")).to_contain_text("Hugging", timeout=SHOWN_MS)
    assert failures == []


@pytest.mark.parametrize(("count", "width"), [(7, 360), (30, 1280), (210, 360), (210, 2560)])
async def test_content_fits_into_a_card(
    broker: Broker, page: Page, monitor: PageMonitor, count: int, width: int
) -> None:
    """With the longest id and texts, the picture is centred, and a tile is high enough for them."""
    await page.set_viewport_size({"width": width, "height": 800})
    async for gone in site_of_page(broker, page, expire_after=1):
        name = "x" * 63
        await gone.publisher.publish_all(
            [state(f"{n}-{name}"[:63], "throwing", ago_s=3000) for n in range(count)]
        )
        await gone.gateway.wait_for_metric("pillows", count)
        await open_page(page, monitor, gone)
        card = page.locator('.card[data-state="notconnected"]').first
        await expect(card).to_contain_text("last throwing", timeout=SHOWN_MS)
        await wait_without(page, OVERFLOWING)


async def test_detail_view_of_an_unknown_pillow_waits_for_it(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """Its story is shown only once it has a state, because it has no past either."""
    monitor.expect("status of 404")
    await open_page(page, monitor, site, "#later")
    await expect(page.locator("#detail")).to_have_attribute("data-state", "unknown")
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")
    await expect(page.locator("#story")).to_be_hidden()
    await expect(page.locator("#hug-count")).to_have_text("–")
    async with page.expect_response("**/api/pillows/later/history?*") as response:
        await site.publisher.publish(state("later", "hugging"))
    assert (await response.value).ok
    await wait_shown(page, "later", "hugging")
    await expect(page.locator("#story")).to_be_visible()


async def test_a_pillow_that_only_the_past_knows_tells_it(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """The recorder keeps what the broker does not retain any more."""

    async def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        since, until = (datetime.fromisoformat(query[name][0]) for name in ("from", "to"))
        length_s = int(query["step"][0])
        none = {"seconds": {}, "episodes": {}, "asleep_s": 0, "unheard_s": length_s}
        steps = [
            {"at": (since + timedelta(seconds=n * length_s)).isoformat(), **none}
            for n in range(int((until - since).total_seconds() // length_s) + 1)
        ]
        steps[-40] |= {"seconds": {"hugging": 9}, "episodes": {"hugging": 1}}
        body = {"to": query["to"][0], "step_s": length_s, "source": "recorder", "steps": steps}
        await route.fulfill(json=body)

    await page.route("**/api/pillows/gone/activity?*", answer)
    await page.route(
        "**/api/pillows/gone/history?*", lambda route: route.fulfill(json={"states": []})
    )
    await open_page(page, monitor, site, "#gone")
    await expect(page.locator("#detail-when")).to_contain_text("not heard since", timeout=SHOWN_MS)
    await expect(page.locator("#detail-state")).to_have_text("Not connected")
    await expect(page.locator("#heat-caption")).to_contain_text("1 hug in the last 7 days")
    await expect(page.locator("#hug-count")).to_have_text("0")


async def test_wrong_clock_of_a_pillow_is_named_on_its_card_and_in_its_view(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """Its age is not given if its clock is behind, because it is as wrong as the clock."""
    behind = state("clock-behind", "hugging", ago_s=7200, clock="behind")
    await site.publisher.publish_all([state("clock-ahead", clock="ahead"), behind])
    await open_page(page, monitor, site, "?pillow=clock-ahead&pillow=clock-behind")
    ahead_card, behind_card = card(page, "clock-ahead"), card(page, "clock-behind")
    await expect(ahead_card).to_contain_text("its clock is ahead", timeout=SHOWN_MS)
    await expect(behind_card.locator(".state")).to_have_text("Was hugging")
    await expect(behind_card.locator(".when")).to_have_text("its clock is behind")
    await wait_without(page, OVERFLOWING)
    await behind_card.get_by_role("link").click()

    sentences = page.locator("#detail-clock")
    await expect(sentences).to_contain_text("This pillow's clock is wrong: it is behind.")
    await expect(page.locator("#detail-when")).to_have_text("its clock is behind")
    await page.go_back()
    await expect(sentences).to_be_hidden()


async def test_page_waits_for_news_where_the_broker_retains_no_states(
    site: LiveSite, page: Page
) -> None:
    """Instead of an empty sky, or of a cloud asleep that is named in the address."""
    snapshot = {"type": "snapshot", "cursor": "e:1", "recovered": False, "broker": "online"}
    frame = {**snapshot, "retained": False, "sent": 1_800_000_000_000, "pillows": []}
    await page.route_web_socket(re.compile(r"/ws"), lambda ws: ws.send(json.dumps(frame)))
    await page.goto(site.url)
    await expect(page.locator("#empty-title")).to_have_text("Waiting for news", timeout=SHOWN_MS)
    await expect(page.locator("#status-detail")).to_have_text("Waiting for news.")
    await page.goto(f"{site.url}/?pillow=a&pillow=b")
    await expect(card(page, "a")).to_contain_text("Waiting for news")
    await expect(card(page, "a").locator(".cloud")).to_have_attribute("data-pose", "neutral")


async def test_hugs_and_punches_of_today_are_counted(
    broker: Broker, page: Page, monitor: PageMonitor
) -> None:
    """Those before the page was opened and those that it sees; one that continues counts once."""
    # A gateway counts for all pages once in ten seconds.
    async for fresh in site_of_page(broker, page):
        for seq, name in enumerate(("hugging", "neutral", "punching", "neutral")):
            await fresh.publisher.publish(state("counted", name, seq=seq))
        await fresh.gateway.wait_for_metric('received_total{outcome="taken"}', 4)
        await open_page(page, monitor, fresh, "#counted")
        await wait_shown(page, "counted", "neutral")
        await expect(page.locator("#hug-count")).to_have_text("1", timeout=SHOWN_MS)
        await expect(page.locator("#punch-count")).to_have_text("1")
        await expect(page.locator("#hug-note")).to_contain_text("last")
        await expect(page.locator("#heat-caption")).to_contain_text("1 hug in", timeout=SHOWN_MS)

        for seq, name in enumerate(("hugging", "hugging", "punching", "hugging", "neutral")):
            await fresh.publisher.publish(state("counted", name, seq=seq))
        await wait_shown(page, "counted", "neutral")
        await expect(page.locator("#hug-count")).to_have_text("3")
        await expect(page.locator("#punch-count")).to_have_text("2")
        # What the page says agrees, and nothing is asked for that.
        await expect(page.locator("#heat-caption")).to_contain_text("3 hugs in")


async def test_a_pillow_has_its_own_story_and_never_that_of_the_one_before(
    broker: Broker, page: Page, monitor: PageMonitor
) -> None:
    """Numbers that were asked for one pillow are not those of another, known or not."""
    async for fresh in site_of_page(broker, page):
        for name in ("first", "second"):
            for seq, what in enumerate(("neutral", "hugging", "neutral")):
                await fresh.publisher.publish(state(name, what, seq=seq))
        await fresh.gateway.wait_for_metric('received_total{outcome="taken"}', 6)
        await open_page(page, monitor, fresh, "#first")
        await expect(page.locator("#hug-count")).to_have_text("1", timeout=SHOWN_MS)
        await expect(page.locator("#heat-caption")).to_contain_text("1 hug in", timeout=SHOWN_MS)

        await page.evaluate("() => { location.hash = 'second' }")
        await expect(page.locator("#detail-name")).to_have_text("second")
        await expect(page.locator("#hug-count")).to_have_text("1", timeout=SHOWN_MS)

        # Whether it has a past is asked for.
        monitor.expect("status of 404")
        await page.evaluate("() => { location.hash = 'nobody' }")
        await expect(page.locator("#detail-name")).to_have_text("nobody")
        await expect(page.locator("#story")).to_be_hidden()
        await expect(page.locator("#heat")).to_be_hidden()
        await expect(page.locator("#hug-count")).to_have_text("–")


async def test_latency_panel_shows_the_newest_update_and_statistics(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """Each leg of the newest update, a histogram, and the difference of the clocks."""
    # The gateway knows the queue's time from this state before the page is opened.
    ms = int(datetime.now(UTC).timestamp() * 1000)
    hops = {"queued": ms - 400, "polled": ms - 200, "published": ms}
    await site.publisher.publish(state("timed", "neutral", ago_s=5, hops=hops))

    async def is_known() -> bool:
        return (await site.gateway.get("/api/pillows/timed")).status_code == 200

    await eventually(is_known, "the gateway has it")
    await open_page(page, monitor, site, "#timed")
    await wait_shown(page, "timed", "neutral")
    at = datetime.now(UTC) - timedelta(milliseconds=700)
    ms = int(at.timestamp() * 1000)
    hops = {"queued": ms + 101, "polled": ms + 301, "published": ms + 351}
    payload = state("timed", "hugging").replace(b'"at"', b'"then"')
    payload = (
        payload[:-1] + f', "at": "{at.isoformat()}", "hops": {hops}}}'.replace("'", '"').encode()
    )
    await site.publisher.publish(payload)

    await expect(page.locator("#latency")).to_be_visible(timeout=SHOWN_MS)
    drawn = await page.evaluate(
        """async () => { const panel = document.getElementById('latency');
             const opened = new Promise(done => panel.addEventListener('toggle', done));
             panel.open = true; await opened;
             return ['latency-legend', 'latency-histogram'].map(id =>
               document.getElementById(id).childElementCount > 0); }"""
    )
    assert drawn == [True, True], "not only after the next update"
    await expect(page.locator(".leg-row.polled .ms")).to_have_text("200 ms")
    await expect(page.locator(".leg-row.published .ms")).to_have_text("50 ms")
    await expect(page.locator("#latency-clock")).to_contain_text("ping")
    await expect(page.locator("#latency-quantiles")).to_contain_text("of 1 update.")
    heights = "all => all.filter(one => parseFloat(one.style.height) > 0).length"
    assert await page.locator(".bar i").evaluate_all(heights) == 1


async def test_states_are_stale_while_the_gateway_is_down_and_current_after(
    broker: Broker, page: Page, monitor: PageMonitor
) -> None:
    """Also those that changed meanwhile."""
    async for site in site_of_page(broker, page):
        await site.publisher.publish_all([state(f"c-{n}", "neutral") for n in range(5)])
        await open_page(page, monitor, site)
        await expect(page.locator(".card")).to_have_count(5, timeout=SHOWN_MS)
        monitor.expect_outage()
        site.gateway.kill()
        await wait_connected(page, "disconnected")
        await expect(card(page, "c-1")).to_have_attribute("data-fresh", "stale")
        await expect(card(page, "c-1")).to_contain_text("Was resting")
        await site.publisher.publish_all([state(f"c-{n}", "throwing") for n in range(5)])
        await site.gateway.start()

        await wait_connected(page, "live")
        for n in range(5):
            await wait_shown(page, f"c-{n}", "throwing")


async def test_page_resumes_at_its_cursor_when_the_browser_is_online_again(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """At once, without the delay of a retry."""
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await page.add_init_script(
        """const Own = WebSocket; window.opened = [];
           window.WebSocket = class extends Own {
             constructor(...how) { super(...how); opened.push(this); } };"""
    )
    await site.publisher.publish(state("away", "neutral"))
    await open_page(page, monitor, site, "?pillow=away")
    await wait_shown(page, "away", "neutral")
    # What is loaded later is there, or its requests would fail.
    await expect(page.locator("#story > *").first).to_be_attached(timeout=SHOWN_MS)
    await expect(page.locator("#tools")).to_be_visible(timeout=SHOWN_MS)
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    monitor.expect("ERR_INTERNET_DISCONNECTED")
    monitor.expect("WebSocket connection to")

    await page.context.set_offline(True)
    await page.evaluate("opened.at(-1).close()")
    await wait_connected(page, "disconnected")
    await site.publisher.publish(state("away", "hugging"))
    await page.context.set_offline(False)

    await wait_shown(page, "away", "hugging")
    await wait_connected(page, "live")
    assert "since=" in sockets[-1]


async def test_what_the_page_does_not_know_stays_in_its_place(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """A state of a newer gateway has its card and its chip; an invalid pillow hides no other."""
    monitor.expect("A frame was refused")
    long_state = "d" * 300

    def answer(socket: WebSocketRoute) -> None:
        known = [pillow(f"cloud-{n}", "hugging") for n in range(30)]
        strange = [pillow("a-1", long_state), pillow("a-2", "constructor")]
        invalid = [{"pillow": "Cloud 1", "state": "hugging"}, None, {"pillow": "cloud-32"}]
        head = {"type": "snapshot", "cursor": "e:1", "recovered": False, "broker": "online"}
        now = {"sent": time.time() * 1000, "watching": 1}
        socket.send(json.dumps({**head, **now, "pillows": [*invalid, *known, *strange]}))

    def pillow(name: str, state: str) -> dict[str, str]:
        return {"pillow": name, "state": state, "at": "2026-11-29T14:00:00Z"}

    await page.route_web_socket("**/ws*", answer)
    await open_page(page, monitor, site)
    await expect(card(page, "a-2")).to_have_attribute("data-state", "constructor")
    for name in (long_state, "constructor"):
        await expect(page.locator(f'[data-filter="{name}"] .count')).to_have_text("1")
    within = """card => { const box = card.getBoundingClientRect();
        const inner = card.querySelector('.state').getBoundingClientRect();
        return inner.width > 0 && inner.left >= box.left && inner.right <= box.right; }"""
    assert await card(page, "a-1").evaluate(within)
    await page.locator('[data-filter="constructor"]').click()
    await expect(page.locator(".card")).to_have_count(1)


async def test_frozen_page_closes_its_connection_and_resumes(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """What changes meanwhile does not wait in the browser; it is sent after the cursor."""
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await site.publisher.publish(state("iced", "neutral"))
    await open_page(page, monitor, site, "?pillow=iced")
    await wait_shown(page, "iced", "neutral")

    connections = 'connections{transport="websocket"}'
    await site.gateway.wait_for_metric(connections, 1)  # the pages of other tests have gone
    # Chromium freezes hidden pages only, and without a window none is hidden.
    await page.evaluate("document.dispatchEvent(new Event('freeze'))")
    await site.gateway.wait_for_metric(connections, 0)
    await site.publisher.publish(state("iced", "hugging"))
    await page.evaluate("document.dispatchEvent(new Event('resume'))")

    await wait_shown(page, "iced", "hugging")
    await wait_connected(page, "live")
    assert "since=" in sockets[-1]


async def test_page_uses_sse_if_websockets_are_forbidden(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """A policy or an extension makes the constructor throw."""
    await page.add_init_script(
        "window.WebSocket = class { constructor() { throw new DOMException('no'); } }"
    )
    await site.publisher.publish(state("forbidden", "shaking"))
    await open_page(page, monitor, site, "#forbidden")
    await wait_shown(page, "forbidden", "shaking")


async def test_page_uses_sse_if_no_websocket_gets_through(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """It is live, and the link back subscribes to all pillows."""
    await page.add_init_script(
        """window.WebSocket = class {
             constructor() { setTimeout(() => this.onclose?.({code: 1006})); }
             send() {}
             close() {} };"""
    )
    await site.publisher.publish(state("by-events", "neutral"))
    await open_page(page, monitor, site, "#by-events")
    await wait_shown(page, "by-events", "neutral")
    await site.publisher.publish(state("by-events", "shaking"))
    await wait_shown(page, "by-events", "shaking")
    await page.locator("#back").click()

    await expect(card(page, "is-hugging")).to_be_visible(timeout=SHOWN_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_page_has_no_axe_violation_and_no_horizontal_scroll(
    site: LiveSite, fleet: LiveSite, browser: Browser, scheme: Any, width: int
) -> None:
    """On the wall, on a large wall, in the detail view, and without a match."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await context.new_page()
    monitor = PageMonitor(page)
    # Of those that no other test has made live: they are quiet only after a while.
    pale = 700 + list(STATES).index("throwing")
    for place, rest, shown in (
        (site, "", ".card"),
        (site, "#is-hugging", "#detail[data-state=hugging]"),
        (fleet, "", ".card"),
        (fleet, f"#cloud-{pale}", "#detail[data-state=throwing][data-fresh=quiet]"),
        (fleet, "#name=nobody", "#no-match"),
    ):
        await page.goto("about:blank")
        await open_page(page, monitor, place, rest)
        await expect(page.locator(shown).first).to_be_visible(timeout=SHOWN_MS)
        await page.evaluate(AXE.read_text())
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        violations = [
            (one["id"], [node["html"][:120] for node in one["nodes"]])
            for one in found["violations"]
        ]
        assert violations == [], f"{rest or 'the wall'}: {violations}"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    monitor.assert_clean()
    await context.close()


async def test_page_takes_at_most_7_requests_and_90_kib(
    site: LiveSite, page: Page, monitor: PageMonitor
) -> None:
    """A reload takes less than 1 KiB."""
    sizes: dict[str, int] = {}
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    names: dict[str, str] = {}
    session.on(
        "Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]})
    )
    session.on(
        "Network.loadingFinished",
        lambda e: sizes.update({names[e["requestId"]]: e["encodedDataLength"]}),
    )
    await open_page(page, monitor, site)
    await expect(page.locator(".card").first).to_be_visible(timeout=SHOWN_MS)

    # What is loaded later comes once: scripts and style sheets.
    await page.wait_for_function(
        r"""() => [/story\..*js$/, /story\.css$/, /extras\..*js$/, /extras\.css$/].every((part) =>
            performance.getEntries().some(({name}) => part.test(name)))"""
    )
    await until(lambda: sizes.keys() == set(names.values()), "all have arrived")
    assert len(sizes) <= 7, sizes
    # The page itself, the story of pillows and the tools.
    assert sum(sizes.values()) < 90 * 1024
    sizes.clear()
    await page.reload()
    await wait_connected(page, "live")
    assert sum(sizes.values()) < 1024, sizes
