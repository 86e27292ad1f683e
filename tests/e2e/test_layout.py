"""The page at any size, with other colours, larger text, on paper, and as a wall; in Chromium."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from contract.states import STATES
from devstack.broker import Broker
from tests.e2e.layout_faults import FAULTS
from tests.e2e.sites import SHOWN_MS, LiveSite, PageMonitor, live_site, wait_for_tools, wait_without
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

COUNT = 30
LONG = "a-cloud-in-the-room-upstairs-that-has-a-very-very-long-name-number"
WIDTHS = (320, 360, 768, 1280, 3840)

FILLED = """(count) => {
  const cards = [...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect());
  const right = Math.max(...cards.map((box) => box.right));
  const bottom = Math.max(...cards.map((box) => box.bottom));
  return cards.length === count && right <= innerWidth && bottom <= innerHeight
    && right > innerWidth * 0.97 && bottom > innerHeight * 0.97;
}"""


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Thirty pillows; two names differ at their ends."""
    async for made in live_site(broker):
        names = [f"{LONG[:62]}{n}" for n in range(2)] + [f"cloud-{n}" for n in range(2, COUNT)]
        states = list(STATES)
        await made.publisher.publish_all(
            [state(name, states[n % 7], battery=0.5) for n, name in enumerate(names)]
        )
        await made.gateway.wait_for_metric("pillows", COUNT)
        yield made


@pytest.fixture(scope="module")
async def shared_page(site: LiveSite, browser: Browser) -> AsyncIterator[Page]:
    """One page for all tests."""
    opened = await browser.new_page(viewport={"width": 1280, "height": 800})
    monitor = PageMonitor(opened, site.url, site.url.replace("http", "ws"))
    await opened.goto(site.url)
    await expect(opened.locator(".card").first).to_be_visible(timeout=SHOWN_MS)
    # What is loaded later is there.
    await wait_for_tools(opened)
    yield opened
    monitor.assert_clean()
    await opened.close()


@pytest.fixture
async def page(shared_page: Page) -> Page:
    """The page as a visitor finds it, also after a test that failed."""
    await shared_page.set_viewport_size({"width": 1280, "height": 800})
    await shared_page.emulate_media(media="screen", forced_colors="none")
    await shared_page.evaluate(
        """() => { document.documentElement.removeAttribute('style');
             document.documentElement.dir = 'ltr'; location.hash = '#'; scrollTo(0, 0); }"""
    )
    await shared_page.mouse.move(2, 2)
    await expect(shared_page.locator("#filters")).to_be_visible()
    # A view that was closed gives its card the focus, under which the order holds still.
    await shared_page.evaluate("document.activeElement?.blur()")
    return shared_page


async def test_nothing_overlaps_or_overflows_at_any_width_with_text_at_200_percent(
    page: Page,
) -> None:
    """Also in a page from right to left, with tiles and with cards in the flow."""
    for text in ("", "200%"):
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            for direction in ("ltr", "rtl"):
                await page.evaluate(
                    """([text, direction]) => { document.documentElement.style.fontSize = text;
                         document.documentElement.dir = direction; }""",
                    [text, direction],
                )
                await wait_without(
                    page, FAULTS, f"{width} px, text {text or 'as usual'}, {direction}"
                )


async def test_phone_gives_all_but_96_px_to_the_clouds(page: Page) -> None:
    """The name filter and the order are one press away; the chips stay in sight."""
    await page.set_viewport_size({"width": 360, "height": 740})
    top = "document.getElementById('clouds').getBoundingClientRect().top"
    await page.wait_for_function(f"() => {top} <= 96")
    await page.locator("#filter-toggle").click()
    await expect(page.locator("#name-filter")).to_be_focused()
    await page.locator("#filter-toggle").click()
    await expect(page.locator("#name-filter")).to_be_hidden()
    await page.evaluate("scrollTo(0, 500)")
    await expect(page.locator(".chip").first).to_be_in_viewport()


async def test_status_of_a_phone_has_a_line_for_each_number_in_every_language(
    site: LiveSite, browser: Browser
) -> None:
    """The number of viewers is on the second line in each language, and the bar is not higher."""
    page = await browser.new_page(viewport={"width": 320, "height": 700})
    lines = """() => ['detail', 'watching'].map((name) => {
      const boxes = [...document.getElementById(`status-${name}`).getClientRects()];
      return [boxes.length, Math.round(boxes[0].height)]; })"""
    for language in ("en", "de", "fr", "es", "ja", "ar"):
        await page.goto(f"{site.url}/?lang={language}")
        await expect(page.locator("#status-watching")).not_to_be_empty(timeout=SHOWN_MS)
        for width in (320, 360, 390):
            await page.set_viewport_size({"width": width, "height": 700})
            (one, height), (two, other) = await page.evaluate(lines)
            assert (one, two, height) == (1, 1, other), f"{language}, {width} px"
            assert await page.locator("header").evaluate("one => one.offsetHeight") <= 40
    await page.close()


async def test_label_and_id_of_a_tile_are_told_apart_and_both_are_read(
    site: LiveSite, page: Page
) -> None:
    """On one line of a crowd's tile, also where the label is long."""
    label = "A corner for reading in the children’s library"
    await site.publisher.publish(state("cloud-4", "neutral", label=label))
    link = page.locator('[data-pillow="cloud-4"] h2 a')
    await expect(link).to_have_accessible_name(f"{label} cloud-4", timeout=SHOWN_MS)
    part = link.locator(".id")
    await expect(part).to_have_text("cloud-4")
    assert await part.evaluate("part => part.scrollWidth <= part.clientWidth")
    looks = "part => [getComputedStyle(part).color, getComputedStyle(part).fontWeight]"
    id_looks = await part.evaluate(looks)
    label_looks = await link.locator("bdi").first.evaluate(looks)
    assert all(one != other for one, other in zip(id_looks, label_looks, strict=True))
    await wait_without(page, FAULTS, "with a label")
    await site.publisher.publish(state("cloud-4", "neutral"))
    await expect(link).to_have_text("cloud-4", timeout=SHOWN_MS)


async def test_both_ends_of_a_long_name_are_shown(page: Page) -> None:
    """Names may differ at their end."""
    for n in range(2):
        end = page.locator(f'[data-pillow="{LONG[:62]}{n}"] .long > span').last
        await expect(end).to_have_text(f"{LONG[:62]}{n}"[-8:])
        assert await end.evaluate("end => end.scrollWidth <= end.clientWidth")


async def test_forced_colours_show_what_is_pressed(page: Page) -> None:
    """A pressed chip has the system's colours of a selection, and the timeline keeps its handle."""
    await page.emulate_media(forced_colors="active")
    chip, other = page.locator(".chip[data-filter=hugging]"), page.locator(".chip").nth(1)
    await chip.click()
    await page.mouse.move(0, 0)
    colour = await other.evaluate("chip => getComputedStyle(chip).backgroundColor")
    await expect(chip).not_to_have_css("background-color", colour)
    await page.evaluate("location.hash = '#cloud-2'")
    slider = page.locator("#history-slider")
    await expect(slider).to_be_visible(timeout=SHOWN_MS)
    await expect(slider).to_have_css("forced-color-adjust", "none")


async def test_printed_page_has_every_cloud_with_its_state_and_no_tools(page: Page) -> None:
    """Also those that the screen has no room for."""
    assert await page.locator(".card").count() < COUNT
    await page.emulate_media(media="print")
    await expect(page.locator(".card")).to_have_count(COUNT)
    await wait_without(page, FAULTS, "paper")
    await expect(page.locator(".print-stamp")).to_have_text(re.compile(r"As of .*\d"))
    for tool in ("#filters", "#status", "#wall-link", "#latency"):
        await expect(page.locator(tool)).to_be_hidden()
    colours = await page.evaluate(
        """() => [...new Set([...document.querySelectorAll('.card .state')].map(
             (one) => getComputedStyle(one).color + getComputedStyle(one).backgroundColor))]"""
    )
    assert colours == ["rgb(0, 0, 0)rgba(0, 0, 0, 0)"]
    await page.emulate_media(media="screen")
    await wait_without(page, FAULTS, "the screen again")


async def test_order_holds_still_under_the_pointer(site: LiveSite, page: Page) -> None:
    """A new order waits until the pointer leaves."""
    first = "document.querySelector('[aria-posinset=\"1\"]').dataset.pillow"
    await page.locator("#sort-order").select_option("newest")
    await site.publisher.publish(state("cloud-2", "hugging"))
    await page.wait_for_function(f"() => {first} === 'cloud-2'")
    await page.locator('[data-pillow="cloud-2"]').hover()
    await site.publisher.publish(state("cloud-29", "hugging"))
    await expect(page.locator('[data-pillow="cloud-29"]')).to_have_attribute("data-fresh", "live")
    # Longer than the order of a crowd takes to change.
    shown = await page.evaluate(f"new Promise((done) => setTimeout(() => done({first}), 1500))")
    assert shown == "cloud-2"
    await page.mouse.move(2, 2)
    await page.wait_for_function(f"() => {first} === 'cloud-29'")


async def test_wall_mode_fills_the_screen_and_ends_with_escape(page: Page) -> None:
    """Without tools, pointer and scrolling; dim at night."""
    await page.locator("#wall-link").click()
    await expect(page.locator("#leave-wall")).to_be_attached(timeout=SHOWN_MS)
    await expect(page.locator("header")).to_be_hidden()
    await expect(page.locator("#filters")).to_be_hidden()
    for width, height in ((3840, 2160), (1280, 720), (390, 844)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_function(FILLED, arg=COUNT)
        await wait_without(page, FAULTS, f"a wall of {width} × {height}")
    await page.wait_for_function(
        "() => getComputedStyle(document.body).cursor === 'none'", timeout=SHOWN_MS
    )
    await page.evaluate("location.hash = '#wall?dim=on'")
    await expect(page.locator("body")).to_have_class(re.compile("night"))
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.keyboard.press("Escape")
    await expect(page.locator("#filters")).to_be_visible()
    await expect(page.locator("#leave-wall")).to_have_count(0)
    await wait_without(page, FAULTS, "after wall mode")


async def test_wall_of_one_pillow_is_no_detail_view(site: LiveSite, browser: Browser) -> None:
    """It fills the display of a kiosk that nobody touches."""
    page = await browser.new_page(viewport={"width": 3840, "height": 2160})
    await page.goto(f"{site.url}/?pillow=cloud-2#wall?dim=off")
    picture = page.locator(".card .cloud")
    await page.wait_for_function(
        """() => document.querySelector('.card .cloud')?.getBoundingClientRect().height > 1300""",
        timeout=SHOWN_MS,
    )
    await expect(picture).to_have_count(1)
    await expect(page.locator("#detail")).to_be_hidden()
    # The id stays beside a label, and can be read.
    await site.publisher.publish(state("cloud-2", "hugging", label="Grandma"))
    await expect(page.locator(".card h2")).to_have_text("Grandma", timeout=SHOWN_MS)
    await expect(page.locator(".card .id")).to_be_visible()
    assert await page.locator(".card .id").evaluate("one => one.offsetHeight") > 20
    await site.publisher.publish(state("cloud-2", "hugging"))
    await page.close()
