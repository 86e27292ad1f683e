"""The page and the element in Firefox and in WebKit, on a real gateway and a real broker.

What these tests do in two engines, others do in Chromium in more detail.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.states import STATES
from devstack.broker import Broker
from tests.cutting_proxy import cutting_proxy
from tests.e2e.layout_faults import FAULTS
from tests.e2e.sites import IS_KEPT, OUTAGE, LiveSite, live_site, web_site
from tests.engines.firefox import firefox
from tests.engines.page import ENTER, ESCAPE, EnginePage, until, until_empty
from tests.engines.webkit import webkit
from tests.gateway import state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

FOCUSED = "document.activeElement"
LIVE = "document.body.dataset.connection === 'live'"
CARD = "document.querySelector('.card[data-pillow=\"is-hugging\"] a')"
COUNT = 30
WALL_STYLE = 'link[href*="/wall_mode.css"]'
IS_WALL_STYLED = f"""(async () => {{
  const links = document.querySelectorAll('{WALL_STYLE}');
  const whole = new CSSStyleSheet();
  if (links.length === 1) whole.replaceSync(await (await fetch(links[0].href)).text());
  return links.length === 1 && links[0].sheet?.cssRules.length === whole.cssRules.length;
}})()"""
KEPT_ENDS = """(async () => {
  const kept = await caches.match(new URL('./', location.href), {ignoreVary: true});
  return (await kept?.text())?.trim().slice(-7) ?? '';
})()"""
IS_OPENED_ONCE = """performance.getEntriesByType('navigation')[0].type === 'navigate'
  && sessionStorage.length === 0"""


@pytest.fixture(scope="module")
async def site(broker: Broker) -> AsyncIterator[LiveSite]:
    """Seven pillows, one in each state, and 23 with long names; every site may embed them."""
    async for made in live_site(broker, origins="*"):
        names = [f"is-{name}" for name in STATES]
        names += [f"with-a-name-that-is-longer-than-most-others-{n}" for n in range(7, COUNT)]
        states = list(STATES)
        await made.publisher.publish_all(
            [state(name, states[n % 7], battery=0.5) for n, name in enumerate(names)]
        )
        await made.gateway.wait_for_metric("pillows", COUNT)
        yield made


@pytest.fixture(scope="module", params=["firefox", "webkit"])
async def browser_page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EnginePage]:
    """A page in the engine, for all tests."""
    folder = tmp_path_factory.mktemp(request.param)
    opened = firefox(folder) if request.param == "firefox" else webkit(folder)
    async with opened as page:
        yield page


@pytest.fixture
def expected() -> list[str]:
    """Texts that may be on the console; a test adds its own."""
    return []


@pytest.fixture
async def engine(browser_page: EnginePage, expected: list[str]) -> AsyncIterator[EnginePage]:
    """The page, whose console stays silent but for what is expected."""
    before = len(await browser_page.faults())
    yield browser_page
    said = (await browser_page.faults())[before:]
    assert [fault for fault in said if not any(text in fault for text in expected)] == []


async def open_wall(engine: EnginePage, site: LiveSite, rest: str = "") -> None:
    """Open the page, and wait until it is live and what it loads later is there."""
    await engine.open("about:blank")
    await engine.resize(1280, 800)
    await engine.open(f"{site.url}/{rest}")
    await until(engine, f"{LIVE} && document.querySelectorAll('.card').length >= 7")
    await until(engine, "document.querySelector('.print-stamp') !== null")


async def test_every_state_is_shown_and_an_update_arrives(
    engine: EnginePage, site: LiveSite
) -> None:
    """Over a WebSocket, with the page's own clock."""
    await open_wall(engine, site)
    shown = await engine.evaluate(
        """[...document.querySelectorAll('.card[data-pillow^=is-]')].map((card) => [
           card.dataset.pillow, card.querySelector('.state').textContent !== '',
           card.querySelector('.cloud').getBoundingClientRect().width > 50])"""
    )
    assert sorted(shown) == sorted([f"is-{name}", True, True] for name in STATES)
    await site.publisher.publish(state("is-neutral", "spinning"))
    card = "document.querySelector('[data-pillow=\"is-neutral\"]')"
    await until(engine, f"{card}.dataset.state === 'spinning'")
    await site.publisher.publish(state("is-neutral", "neutral"))
    await until(engine, f"{card}.dataset.state === 'neutral'")


async def test_keyboard_opens_a_view_and_comes_back_to_the_card(
    engine: EnginePage, site: LiveSite
) -> None:
    """Enter, Escape, and "/", which is a search of its own in Firefox."""
    await open_wall(engine, site)
    await engine.evaluate(f"{CARD}.focus()")
    await engine.press(ENTER)
    await until(engine, "document.getElementById('detail').checkVisibility()")
    await until(engine, "document.querySelector('#history-slider')?.checkVisibility()")
    await engine.press(ESCAPE)
    await until(engine, f"{FOCUSED} === {CARD}")
    await engine.press("/")
    await until(engine, f"{FOCUSED}.id === 'name-filter'")
    for letter in "spin":
        await engine.press(letter)
    await until(
        engine,
        """[...document.querySelectorAll('.card')].map((card) => card.dataset.pillow).join()
           === 'is-spinning'""",
    )
    assert await engine.evaluate(f"{FOCUSED}.value") == "spin"


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_nothing_overlaps_or_overflows_at_any_width_with_text_at_200_percent(
    engine: EnginePage, site: LiveSite, language: str
) -> None:
    """From a small phone to 4K, from left to right and from right to left."""
    await open_wall(engine, site, f"?lang={language}")
    direction = "getComputedStyle(document.body).direction"
    assert await engine.evaluate(direction) == {"en": "ltr", "ar": "rtl"}[language]
    for text in ("", "200%"):
        await engine.evaluate(f"document.documentElement.style.fontSize = '{text}'")
        for width, height in ((320, 700), (390, 844), (768, 1024), (1280, 800), (3840, 2160)):
            await engine.resize(width, height)
            where = f"no fault at {width} px, text {text or 'as usual'}"
            await until_empty(engine, f"({FAULTS})()", where)


async def test_wall_mode_fills_the_screen(engine: EnginePage, site: LiveSite) -> None:
    """By its address, as a kiosk opens it."""
    await open_wall(engine, site, "#wall?dim=off")
    await engine.resize(3840, 2160)
    await until(
        engine,
        """(() => { const boxes = [...document.querySelectorAll('.card')].map((card) =>
             card.getBoundingClientRect());
           return boxes.length === 30 && Math.max(...boxes.map((box) => box.right)) > 3700
             && boxes.every((box) => box.right <= innerWidth && box.bottom <= innerHeight); })()""",
    )


async def test_an_element_is_live_in_the_page_of_another_site(
    engine: EnginePage, site: LiveSite, tmp_path: Path
) -> None:
    """With its size from a custom property, and its event."""
    tmp_path.joinpath("index.html").write_text(
        f"""<!doctype html><html lang=en><meta charset=utf-8><title>another site</title>
        <link rel=icon href=data:,><script type=module src="{site.url}/embed.js"></script>
        <style>cloud-pillow {{ --cloud-pillow-width: 320px }}</style>
        <script>states = []; addEventListener('statechange', (event) =>
          states.push(event.detail.state));</script>
        <cloud-pillow pillow="is-hugging"></cloud-pillow>""",
        encoding="utf-8",
    )
    with web_site(tmp_path) as origin:
        await site.publisher.publish(state("is-hugging", "hugging"))
        await engine.open(origin)
        await until(engine, "document.querySelector('cloud-pillow').dataset.state === 'hugging'")
        element = "document.querySelector('cloud-pillow')"
        assert await engine.evaluate(f"[{element}.offsetWidth, {element}.fresh, states]") == [
            320,
            "live",
            ["hugging"],
        ]
        await engine.open("about:blank")


async def test_what_arrives_incomplete_is_loaded_again_by_the_page_that_stays(
    engine: EnginePage, broker: Broker, expected: list[str]
) -> None:
    """A module, a style sheet, and the page that the worker keeps: Firefox takes them for whole."""
    expected += OUTAGE
    async for site in live_site(broker):
        await site.publisher.publish_all([state("cloud-1"), state("cloud-2")])
        async with cutting_proxy(site.gateway.port) as proxy:
            proxy.cut("/wall_mode.en.js", 0, announces_length=True)
            proxy.cut("/?lang=en", 0.5)
            await engine.open(f"{proxy.url}/#wall?dim=off")
            await proxy.wait_cut("/wall_mode.en.js")
            await until(engine, f"document.querySelector('{WALL_STYLE}') === null")
            proxy.cut("/wall_mode.css", 0.5, announces_length=True)
            await proxy.wait_cut("/wall_mode.css")
            await proxy.wait_cut("/?lang=en")
            await until(engine, IS_WALL_STYLED)
            assert await engine.evaluate(IS_OPENED_ONCE)
            await engine.open(proxy.url)
            await until(engine, IS_KEPT)
            assert await engine.evaluate(KEPT_ENDS) == "</html>"
            await engine.open("about:blank")


async def test_the_page_opens_without_its_gateway_and_is_live_when_that_is_back(
    engine: EnginePage, broker: Broker, expected: list[str]
) -> None:
    """By the service worker, which shows no cloud."""
    expected += OUTAGE
    async for site in live_site(broker):
        await site.publisher.publish_all([state("cloud-1"), state("cloud-2")])
        await engine.open(site.url)
        await until(engine, f"{LIVE} && document.querySelectorAll('.card').length === 2")
        active = "({active}) => active.state === 'activated'"
        await until(engine, f"navigator.serviceWorker.ready.then({active})")
        await until(engine, IS_KEPT)
        # The page stays open meanwhile. A private session of WebKit, as a driven one is, soon
        # forgets what a worker without a page has kept.
        site.gateway.kill()
        await site.gateway.wait()
        await engine.open(site.url)
        await until(engine, "document.body.dataset.connection === 'disconnected'")
        assert await engine.evaluate("document.querySelectorAll('.card').length") == 0
        await site.gateway.start()
        cards = f"{LIVE} && document.querySelectorAll('.card').length === 2"
        await until(engine, cards)
        await engine.open("about:blank")


async def test_the_page_is_stale_without_its_gateway_and_live_again(
    engine: EnginePage, broker: Broker, expected: list[str]
) -> None:
    """The gateway of this test is killed, and started again."""
    expected += OUTAGE
    async for site in live_site(broker):
        await site.publisher.publish(state("cloud-1", "hugging"))
        await engine.open(site.url)
        view = "document.getElementById('detail')"  # the only pillow has the page for itself
        await until(engine, f"{view}.dataset.state === 'hugging'")
        site.gateway.kill()
        await until(engine, f"{view}.dataset.fresh === 'stale'")
        await site.publisher.publish(state("cloud-1", "throwing"))
        await site.gateway.start()
        # A client waits up to 20 s before it tries again.
        again = f"{LIVE} && {view}.dataset.state === 'throwing'"
        await until(engine, again)
        # That one may be old by now, where a gateway starts slowly.
        await site.publisher.publish(state("cloud-1", "spinning"))
        fresh = f"{view}.dataset.fresh === 'live'"
        await until(engine, f"{view}.dataset.state === 'spinning' && {fresh}")
        await engine.open("about:blank")
