"""The page in a real browser, on a real gateway and a real broker."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from contract.states import STATES
from devstack.broker import Broker
from devstack.processes import ROOT
from tests.e2e.sites import SHOWN_MS, Sky, Watch, sky_of
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
KILLED = "ERR_CONNECTION_REFUSED"

STICK_OUT = """() => [...document.querySelectorAll('.card')].flatMap((card) => {
    const { left, right } = card.getBoundingClientRect();
    const parts = [...card.querySelectorAll('h2, .state, .when, .battery')]
      .filter((part) => part.getBoundingClientRect().width > 1);
    const wide = parts.filter((part) => part.getBoundingClientRect().left < left
      || part.getBoundingClientRect().right > right);
    const picture = card.querySelector('.cloud').getBoundingClientRect();
    const aside = Math.abs(picture.left + picture.right - left - right) > 2;
    return [...wide.map((part) => part.textContent), ...(aside ? [card.dataset.pillow] : [])]; })"""


@pytest.fixture(scope="module")
async def sky(broker: Broker) -> AsyncIterator[Sky]:
    """Seven pillows, one in each state."""
    async for made in sky_of(broker):
        await made.cloud.publish_all([state(f"is-{name}", name, battery=0.5) for name in STATES])
        yield made


@pytest.fixture(scope="module")
async def fleet(broker: Broker) -> AsyncIterator[Sky]:
    """Two thousand pillows."""
    async for made in sky_of(broker):
        names = list(STATES)
        await made.cloud.publish_all(
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
async def watch(page: Page) -> AsyncIterator[Watch]:
    """Every test fails on an error, a complaint, or a request to somebody else."""
    watching = Watch(page)
    yield watching
    watching.assert_clean()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


async def open_page(page: Page, watch: Watch, sky: Sky, rest: str = "") -> None:
    """Open the page and wait until it is live."""
    watch.allow(sky.url, sky.url.replace("http", "ws"))
    await page.goto(f"{sky.url}/{rest}")
    await is_connected(page, "live")


async def is_connected(page: Page, how: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-connection", how, timeout=40_000)


def card(page: Page, pillow: str) -> Any:
    return page.locator(f'.card[data-pillow="{pillow}"]')


async def shows(page: Page, pillow: str, name: str) -> None:
    there = page.locator(f'[data-pillow="{pillow}"]:visible')
    await expect(there).to_have_attribute("data-state", name, timeout=SHOWN_MS)


@pytest.mark.parametrize("name", STATES)
async def test_a_state_is_told_to_the_eye_and_to_the_ear(
    sky: Sky, page: Page, watch: Watch, name: str
) -> None:
    """A pose of its own that moves, a label, and words for the picture."""
    await open_page(page, watch, sky, f"#is-{name}")
    await shows(page, f"is-{name}", name)
    view = page.locator("#view")
    await sky.cloud.publish(
        state(f"is-{name}", name, battery=0.5)
    )  # one said long ago stands still
    await expect(view).to_have_attribute("data-fresh", re.compile("live|notconnected"))

    await expect(view.locator(".state")).to_have_text(STATES[name].label)
    cloud = view.locator(".cloud")
    await expect(cloud).to_have_attribute("data-pose", name)
    assert "cloud" in (await cloud.get_attribute("aria-label") or "").lower()
    await expect(cloud).not_to_have_class(re.compile("away"))
    moving = "cloud => cloud.getAnimations({subtree: true}).some(a => a.playState === 'running')"
    assert await cloud.evaluate(moving)


async def test_each_change_is_soft_and_leaves_nothing_behind(
    sky: Sky, page: Page, watch: Watch
) -> None:
    """Old shapes fade while new ones come, without the page; many changes pile nothing up."""
    await sky.cloud.publish(state("soft", "neutral"))
    await open_page(page, watch, sky, "#soft")
    await shows(page, "soft", "neutral")
    await expect(page.locator("#view .cloud")).not_to_have_class(re.compile("away"))
    await page.evaluate(
        """() => { const cloud = document.querySelector('#view .cloud'); window.seen = 0;
             window.faded = new Set();
             new MutationObserver(() => {
               const leaving = [...cloud.querySelectorAll('.leaving')];
               window.seen = Math.max(window.seen, leaving.length);
               for (const {effect} of leaving.flatMap(one => one.getAnimations()))
                 for (const frame of effect.getKeyframes())
                   for (const key of Object.keys(frame)) faded.add(key);
             }).observe(cloud, {subtree: true, attributes: true}); }"""
    )
    for seq, name in enumerate([*STATES] * 6):
        await sky.cloud.publish(state("soft", name, seq=seq))
    await shows(page, "soft", list(STATES)[-1])

    await expect(page.locator("#view .leaving")).to_have_count(0, timeout=SHOWN_MS)
    assert await page.evaluate("window.seen") > 0
    # Of shapes, a browser moves the whole by nothing else without the page.
    how = {"offset", "computedOffset", "easing", "composite"}
    assert set(await page.evaluate("[...faded]")) - how == {"transform", "opacity"}
    assert await page.locator("#view .felt > *").count() == 1


async def test_the_cloud_moves_with_what_the_pillow_felt(
    sky: Sky, page: Page, watch: Watch
) -> None:
    """Samples of the accelerometer push, tilt and squash it."""
    await sky.cloud.publish(state("felt", "shaking"))
    await open_page(page, watch, sky, "#felt")
    await shows(page, "felt", "shaking")
    await expect(page.locator("#view .cloud")).not_to_have_class(re.compile("away"))
    await page.evaluate(
        """() => { const old = Element.prototype.animate; window.moves = [];
             Element.prototype.animate = function (frames, how) {
               window.moves.push([this.getAttribute('class'), frames.transform]);
               return old.call(this, frames, how); }; }"""
    )
    await sky.cloud.publish(state("felt", "shaking", motion=[[2, 0, 1], [-2, 0, 1]], seq=1))

    await page.wait_for_function("() => window.moves.length > 0")
    ((where, frames),) = await page.evaluate("window.moves")
    assert where == "felt"
    assert frames[0] == frames[-1] == "none"
    assert ["translate(7.5%" in frames[1], "translate(-7.5%" in frames[2]] == [True, True]


async def test_who_wants_no_motion_sees_none(sky: Sky, browser: Browser) -> None:
    """Not one animation runs, and every state is still another picture."""
    page = await browser.new_page(reduced_motion="reduce")
    watch = Watch(page)
    await open_page(page, watch, sky)
    await expect(card(page, "is-hugging")).to_have_attribute("data-state", "hugging")
    await sky.cloud.publish(state("is-hugging", "hugging", motion=[[1, 1, 1]] * 9, seq=1))
    await page.goto(f"{sky.url}/#is-hugging")
    await sky.cloud.publish(state("is-hugging", "punching", motion=[[1, 1, 1]] * 9, seq=2))
    await shows(page, "is-hugging", "punching")

    assert await page.evaluate("document.getAnimations().length") == 0
    await sky.cloud.publish(state("is-hugging", "hugging", seq=3))
    watch.assert_clean()
    await page.close()


async def lively(page: Page, sky: Sky, count: int) -> None:
    """Let pillows speak, all of them at once, and see them move; as many hug as before."""
    names = [name if name != "notconnected" else "neutral" for name in STATES]
    told = [state(f"cloud-{n}", names[n % 7]) for n in range(1, count + 1)]
    await sky.cloud.publish_all(told)
    await page.wait_for_function(
        "() => document.querySelectorAll('.card[data-fresh=live] .cloud:not(.away)').length > 12",
        polling=100,
    )


async def test_what_moves_is_moved_without_the_page(
    sky: Sky, fleet: Sky, page: Page, watch: Watch
) -> None:
    """Transform and opacity alone, one movement for each: no style, no layout, no paint a frame."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")

    async def count(name: str) -> float:
        metrics = (await session.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == name))

    for place in (sky, fleet):
        await page.goto("about:blank")
        await open_page(page, watch, place)
        if place is fleet:
            await lively(page, fleet, 60)
        else:
            await place.cloud.publish_all([state(f"is-{name}", name) for name in STATES])
        first = page.locator('.card[data-fresh="live"] .when').first
        await expect(first).to_have_text(re.compile(r"^([2-9]|\d\d) s ago"), timeout=SHOWN_MS)
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
        before = [await count("RecalcStyleCount"), await count("LayoutCount")]
        seconds = await page.evaluate(
            "new Promise(done => { const began = performance.now(); setTimeout(() =>"
            " done((performance.now() - began) / 1000), 3000); })"
        )
        after = [await count("RecalcStyleCount"), await count("LayoutCount")]
        # A second is 60 frames; what counts in it is the ages.
        each = [(now - then) / seconds for now, then in zip(after, before, strict=True)]
        assert max(each) < 14, each


async def test_clouds_out_of_sight_cost_nothing(fleet: Sky, page: Page, watch: Watch) -> None:
    """Not one of them moves, wherever the wall is scrolled to."""
    outside = """() => { const moving = document.getAnimations()
        .map(({effect}) => effect.target?.closest?.('.card .cloud')).filter(Boolean)
        .map(cloud => cloud.getBoundingClientRect());
      return moving.length > 0
        && moving.every(({top, bottom}) => bottom > 0 && top < innerHeight); }"""
    await open_page(page, watch, fleet)
    await lively(page, fleet, 400)
    await page.wait_for_function(outside, timeout=SHOWN_MS)
    await page.evaluate("scrollTo(0, 1234)")
    await page.wait_for_function(outside, timeout=SHOWN_MS)


async def test_the_page_connects_before_its_modules_are_there(
    sky: Sky, page: Page, watch: Watch
) -> None:
    """One connection, the one that was opened first; what it heard meanwhile is not lost."""
    asked: list[str] = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    await sky.cloud.publish(state("early", "hugging"))
    session = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": 4_000, "uploadThroughput": -1}
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", slow)
    opened = asyncio.create_task(open_page(page, watch, sky, "#early"))
    await page.wait_for_function("() => globalThis.earlySocket?.heard.length > 0", polling=50)
    assert await page.locator("script[type=module]").count() == 0
    await session.send("Network.emulateNetworkConditions", {**slow, "downloadThroughput": -1})
    await opened

    await shows(page, "early", "hugging")
    await sky.cloud.publish(state("early", "spinning"))
    await shows(page, "early", "spinning")
    assert len(asked) == 1


async def test_the_keyboard_goes_everywhere(sky: Sky, page: Page, watch: Watch) -> None:
    """Past the header, along the cards, into a pillow's view and back to where one was."""
    await open_page(page, watch, sky, "?" + "&".join(f"pillow=is-{name}" for name in STATES))
    await expect(page.locator(".card")).to_have_count(7, timeout=SHOWN_MS)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.locator(".card a").first.focus()
    await page.keyboard.press("ArrowRight")
    focused = "document.activeElement.textContent"
    second = await page.locator(".card a").nth(1).text_content()
    assert await page.evaluate(focused) == second
    await page.keyboard.press("End")
    last = await page.locator(".card a").last.text_content()
    assert await page.evaluate(focused) == last

    await page.keyboard.press("Enter")
    await expect(page.locator("#view-name")).to_have_text(last or "")
    await page.keyboard.press("Escape")
    await expect(page.locator("#view")).to_be_hidden()
    assert await page.evaluate(focused) == last


async def test_the_clouds_are_as_large_as_their_number_allows(
    sky: Sky, page: Page, watch: Watch
) -> None:
    """One fills the page, a few stand large in the middle, more share it."""
    names = [f"pillow=is-{name}" for name in STATES]
    widths = []
    for count in (1, 3, 7):
        await open_page(page, watch, sky, "?" + "&".join(names[:count]))
        cloud = page.locator(".cloud:visible")
        await expect(cloud).to_have_count(count, timeout=SHOWN_MS)
        box = await cloud.first.bounding_box()
        assert box is not None
        widths.append(box["width"])
    await expect(page.locator("#clouds")).to_have_attribute("data-size", "some")

    assert widths[0] > 400 > widths[1] > widths[2] > 150


async def test_thousands_are_a_wall_of_which_only_a_part_exists(
    fleet: Sky, page: Page, watch: Watch
) -> None:
    """It scrolls to the end, in the order of names, and knows how many there are."""
    await open_page(page, watch, fleet)
    await expect(page.locator("#status-detail")).to_have_text("2000 clouds", timeout=SHOWN_MS)
    await expect(card(page, "cloud-1")).to_be_visible()
    assert await page.locator(".card").count() < 150
    await expect(card(page, "cloud-1")).to_have_attribute("aria-setsize", "2000")

    await card(page, "cloud-1").locator("a").focus()
    await page.keyboard.press("End")
    await expect(card(page, "cloud-2000").locator("a")).to_be_focused()
    await expect(card(page, "cloud-2000")).to_be_in_viewport()
    await expect(card(page, "cloud-1")).to_have_count(0)
    assert await page.locator(".card").count() < 150
    await page.keyboard.press("Home")
    await expect(card(page, "cloud-1").locator("a")).to_be_focused()
    # Read in the order in which they lie, whatever cards were used again for them.
    in_order = """() => { const ranks = [...document.querySelectorAll('.card')].map(
        card => Number(card.getAttribute('aria-posinset')));
        return ranks.every((rank, index) => index === 0 || ranks[index - 1] < rank) }"""
    await page.wait_for_function(in_order)


async def test_the_wall_is_sifted_and_put_in_order(fleet: Sky, page: Page, watch: Watch) -> None:
    """By state, by name, by age; the address keeps it, and nothing found is said."""
    await open_page(page, watch, fleet, "#state=hugging&order=newest")
    await expect(page.locator("#shown")).to_have_text("285 of 2000", timeout=SHOWN_MS)
    await expect(page.locator('[data-only="hugging"] .count')).to_have_text("285")
    states = page.locator(".card")
    assert set(await states.evaluate_all("all => all.map(one => one.dataset.state)")) == {"hugging"}

    await page.locator('[data-only="hugging"]').click()
    await page.locator("#by-name").fill("cloud-77")
    await expect(page.locator("#shown")).to_have_text("11 of 2000")
    assert "name=cloud-77" in page.url
    await fleet.cloud.publish(state("cloud-775", "spinning"))
    first = page.locator('.card[aria-posinset="1"]')
    await expect(first).to_have_attribute("data-pillow", "cloud-775")
    await page.locator("#order").select_option("oldest")
    await expect(first).to_have_attribute("data-pillow", "cloud-779")

    await page.locator("#by-name").fill("nobody")
    await expect(page.locator("#none")).to_be_visible()
    await page.locator("#anew").click()
    await expect(page.locator("#none")).to_be_hidden()


async def test_a_pillow_has_its_last_states_to_move_along(
    sky: Sky, page: Page, watch: Watch
) -> None:
    """From the history first, then live; what was is shown as what was."""
    for ago, name in ((50, "hugging"), (40, "neutral"), (30, "punching"), (20, "neutral")):
        await sky.cloud.publish(state("past", name, ago_s=ago))
    await open_page(page, watch, sky, "#past")
    await shows(page, "past", "neutral")
    scrub = page.locator("#scrub")
    await expect(scrub).to_have_attribute("aria-valuetext", re.compile("^Now: Resting"))

    await sky.cloud.publish(state("past", "spinning", battery=0.81, confidence=0.93))
    await shows(page, "past", "spinning")
    await expect(page.locator("#view-battery")).to_contain_text("81 %")
    await expect(page.locator("#view-confidence")).to_have_text("93 %")
    await scrub.focus()
    for _ in range(25):
        await page.keyboard.press("ArrowLeft")
    await shows(page, "past", "punching")
    await expect(scrub).to_have_attribute("aria-valuetext", re.compile(": Punching$"))
    await expect(page.locator("#view-when")).to_contain_text("ago")
    await page.locator("#now").click()
    await shows(page, "past", "spinning")
    painted = """() => { const strip = document.getElementById('strip');
        const data = strip.getContext('2d').getImageData(0, strip.height - 2, strip.width, 1).data;
        const seen = new Set(); for (let i = 0; i < data.length; i += 4)
        seen.add(data.slice(i, i + 3).join()); return [...seen]; }"""
    colours = {tuple(map(int, one.split(","))) for one in await page.evaluate(painted)}
    wanted = {STATES[name].color for name in ("hugging", "neutral", "punching", "spinning")}
    assert {tuple(bytes.fromhex(colour[1:])) for colour in wanted} <= colours


async def test_a_history_that_fails_is_asked_for_again(sky: Sky, page: Page, watch: Watch) -> None:
    """While the page stays live: nothing else would bring it."""
    watch.expect("ERR_FAILED")
    watch.expect("503")
    failures = [lambda route: route.abort(), lambda route: route.fulfill(status=503)]

    async def answer(route: Route) -> None:
        await (failures.pop(0)(route) if failures else route.continue_())

    await page.route("**/api/pillows/fails/history", answer)
    await sky.cloud.publish(state("fails", "hugging", ago_s=30))
    await sky.cloud.publish(state("fails", "neutral", ago_s=5))
    await open_page(page, watch, sky, "#fails")

    await expect(page.locator("#strip-legend")).to_contain_text("Hugging", timeout=SHOWN_MS)
    assert failures == []


@pytest.mark.parametrize(("count", "width"), [(7, 360), (30, 1280), (210, 360), (210, 2560)])
async def test_nothing_sticks_out_of_a_card(
    broker: Broker, page: Page, watch: Watch, count: int, width: int
) -> None:
    """Whatever is told of a cloud, it lies in the middle of its card, and its words within."""
    await page.set_viewport_size({"width": width, "height": 800})
    async for gone in sky_of(broker, expire_after=1):
        name = "x" * 63
        await gone.cloud.publish_all(
            [state(f"{n}-{name}"[:63], "throwing", ago_s=3000) for n in range(count)]
        )
        await gone.gateway.wait_for_metric("pillows", count)
        await open_page(page, watch, gone)
        card = page.locator('.card[data-state="notconnected"]').first
        await expect(card).to_contain_text("last throwing", timeout=SHOWN_MS)
        assert await page.evaluate(STICK_OUT) == []


async def test_a_pillow_can_be_waited_for(sky: Sky, page: Page, watch: Watch) -> None:
    """Nothing is complained of while there is none, nor is it asked for its history."""
    await open_page(page, watch, sky, "#later")
    await expect(page.locator("#view")).to_have_attribute("data-state", "unknown")
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")
    async with page.expect_response("**/api/pillows/later/history") as told:
        await sky.cloud.publish(state("later", "hugging"))
    assert (await told.value).ok
    await shows(page, "later", "hugging")


async def test_the_way_is_drawn_as_soon_as_it_is_opened(sky: Sky, page: Page, watch: Watch) -> None:
    """And not with the next number."""
    await open_page(page, watch, sky)
    drawn = await page.evaluate(
        """async () => { const panel = document.getElementById('way');
             const opened = new Promise(done => panel.addEventListener('toggle', done));
             panel.open = true; await opened;
             return ['way-legend', 'way-histogram'].map(id =>
               document.getElementById(id).childElementCount > 0); }"""
    )
    assert drawn == [True, True]


async def test_hugs_and_punches_are_counted_from_now_on(sky: Sky, page: Page, watch: Watch) -> None:
    """One that goes on is one."""
    await sky.cloud.publish(state("counted", "hugging"))
    await open_page(page, watch, sky, "#counted")
    await shows(page, "counted", "hugging")
    for seq, name in enumerate(
        ("hugging", "punching", "hugging", "hugging", "punching", "neutral")
    ):
        await sky.cloud.publish(state("counted", name, seq=seq))
    await shows(page, "counted", "neutral")

    await expect(page.locator("#hugs")).to_have_text("1")
    await expect(page.locator("#punches")).to_have_text("2")


async def test_where_the_time_went_is_told(sky: Sky, page: Page, watch: Watch) -> None:
    """Each hop of the newest update, all updates as bars, and the clocks as they were measured."""
    await sky.cloud.publish(state("way", "neutral", ago_s=5))
    await open_page(page, watch, sky, "#way")
    await shows(page, "way", "neutral")
    at = datetime.now(UTC) - timedelta(milliseconds=700)
    ms = int(at.timestamp() * 1000)
    hops = {"queued": ms + 101, "polled": ms + 301, "published": ms + 351}
    told = state("way", "hugging").replace(b'"at"', b'"then"')
    payload = told[:-1] + f', "at": "{at.isoformat()}", "hops": {hops}}}'.replace("'", '"').encode()
    await sky.cloud.publish(payload)

    await expect(page.locator("#way")).to_be_visible(timeout=SHOWN_MS)
    await page.locator("#way summary").click()
    await expect(page.locator(".leg-row.polled .ms")).to_have_text("200 ms")
    await expect(page.locator(".leg-row.published .ms")).to_have_text("50 ms")
    await expect(page.locator("#way-clock")).to_contain_text("ping")
    await expect(page.locator("#way-numbers")).to_contain_text("of 1 update.")
    heights = "all => all.filter(one => parseFloat(one.style.height) > 0).length"
    assert await page.locator(".bar i").evaluate_all(heights) == 1


async def test_a_killed_gateway_costs_nothing(broker: Broker, page: Page, watch: Watch) -> None:
    """What was known stays, visibly old; what happened meanwhile is there when it is back."""
    async for sky in sky_of(broker):
        await sky.cloud.publish_all([state(f"c-{n}", "neutral") for n in range(5)])
        await open_page(page, watch, sky)
        await expect(page.locator(".card")).to_have_count(5, timeout=SHOWN_MS)
        watch.expect(KILLED)
        watch.expect("WebSocket connection to")

        sky.gateway.kill()
        await is_connected(page, "disconnected")
        await expect(card(page, "c-1")).to_have_attribute("data-fresh", "stale")
        await expect(card(page, "c-1")).to_contain_text("Was resting")
        await sky.cloud.publish_all([state(f"c-{n}", "throwing") for n in range(5)])
        await sky.gateway.start()

        await is_connected(page, "live")
        for n in range(5):
            await shows(page, f"c-{n}", "throwing")


async def test_offline_and_back(sky: Sky, page: Page, watch: Watch) -> None:
    """It resumes at its cursor, at once when the browser says that it is online."""
    asked: list[str] = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    await page.add_init_script(
        """const Own = WebSocket; window.sockets = [];
           window.WebSocket = class extends Own {
             constructor(...how) { super(...how); sockets.push(this); } };"""
    )
    await sky.cloud.publish(state("away", "neutral"))
    await open_page(page, watch, sky, "?pillow=away")
    await shows(page, "away", "neutral")
    watch.expect("ERR_INTERNET_DISCONNECTED")
    watch.expect("WebSocket connection to")

    await page.context.set_offline(True)
    await page.evaluate("sockets.at(-1).close()")
    await is_connected(page, "disconnected")
    await sky.cloud.publish(state("away", "hugging"))
    await page.context.set_offline(False)

    await shows(page, "away", "hugging")
    await is_connected(page, "live")
    assert "since=" in asked[-1]


async def test_events_where_no_websocket_gets_through(sky: Sky, page: Page, watch: Watch) -> None:
    """The same page, live."""
    await page.add_init_script(
        """window.WebSocket = class {
             constructor() { setTimeout(() => this.onclose?.({code: 1006})); }
             send() {}
             close() {} };"""
    )
    await sky.cloud.publish(state("by-events", "neutral"))
    await open_page(page, watch, sky, "#by-events")
    await shows(page, "by-events", "neutral")
    await sky.cloud.publish(state("by-events", "shaking"))
    await shows(page, "by-events", "shaking")
    await page.locator("#back").click()

    await expect(card(page, "is-hugging")).to_be_visible(timeout=SHOWN_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_nothing_stands_in_anybodys_way(
    sky: Sky, fleet: Sky, browser: Browser, scheme: Any, width: int
) -> None:
    """axe finds nothing, on the wall, on a large wall, and at a pillow; nothing sticks out."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await context.new_page()
    watch = Watch(page)
    pale = list(STATES).index("throwing")
    for place, rest, there in (
        (sky, "", ".card"),
        (sky, "#is-hugging", "#view[data-state=hugging]"),
        (fleet, "", ".card"),
        (fleet, f"#cloud-{pale}", "#view[data-state=throwing][data-fresh=quiet]"),
        (fleet, "#name=nobody", "#none"),
    ):
        await page.goto("about:blank")
        await open_page(page, watch, place, rest)
        await expect(page.locator(there).first).to_be_visible(timeout=SHOWN_MS)
        await page.evaluate(AXE.read_text())
        found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        told = [
            (one["id"], [node["html"][:120] for node in one["nodes"]])
            for one in found["violations"]
        ]
        assert told == [], f"{rest or 'the wall'}: {told}"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watch.assert_clean()
    await context.close()


async def test_the_page_is_a_handful_of_requests(sky: Sky, page: Page, watch: Watch) -> None:
    """And what may be kept is not asked for again."""
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
    await open_page(page, watch, sky)
    await expect(page.locator(".card").first).to_be_visible(timeout=SHOWN_MS)

    assert len(sizes) <= 5, sizes
    assert sum(sizes.values()) < 60 * 1024
    sizes.clear()
    await page.reload()
    await is_connected(page, "live")
    assert sum(sizes.values()) < 1024, sizes
